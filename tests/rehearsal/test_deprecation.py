"""A key that has a successor: its author marks the field of a model, and nothing else."""

from collections.abc import Mapping
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from bridge.config import frame
from bridge.config.draft07 import piece
from bridge.config.problems import Problems
from bridge.options import read_yaml, secrets_in
from bridge.rehearsal.deprecation import warn_of_deprecated


class Inner(BaseModel):
    new: str = ""
    old: str | None = Field(default=None, deprecated="write `new`")


class Model(BaseModel):
    one: Inner = Inner()
    some: Annotated[list[Inner], Field(min_length=1)] | None = None
    named: dict[str, Inner] = Field(default_factory=dict)
    mapped: Mapping[str, Inner] = Field(default_factory=dict)
    from_: str | None = Field(default=None, alias="from", deprecated=True)
    plain: str = ""


def warned(text: str, model: type[BaseModel] = Model) -> list[str]:
    problems = Problems(read_yaml(text.encode(), "rules.yaml"))
    warn_of_deprecated([(model, ())], problems)
    return [str(each) for each in problems.warnings]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("one: {old: x}", '1:7: deprecated: "old" of "one" is deprecated; write `new`'),
        ("some: [{new: y}, {old: x}]", '1:19: deprecated: "old" of item 2 of "some" is deprecated; write `new`'),
        ("named: {a: {old: x}}", '1:13: deprecated: "old" of "a" of "named" is deprecated; write `new`'),
        ("mapped: {a: {old: x}}", '1:14: deprecated: "old" of "a" of "mapped" is deprecated; write `new`'),
        ("from: x", '1:1: deprecated: "from" is deprecated'),
    ],
)
def test_a_deprecated_key_is_told_with_its_successor(text: str, place: str) -> None:
    assert warned(text) == [f"rules.yaml:{place}"]


@pytest.mark.parametrize("text", ["one: {new: x}", "plain: x", "other: {old: x}", "one: x", "some: x", "[]"])
def test_no_other_key_is_told(text: str) -> None:
    assert warned(text) == []


def test_a_model_without_a_deprecated_key_is_not_looked_through() -> None:
    assert warned("deliver: 1", frame.RouteFrame) == []


def test_the_schema_tells_editors() -> None:
    told = piece(Inner, "inner")
    assert '"deprecated": true' in str(told).replace("'", '"').replace("True", "true")


def test_looking_for_secrets_does_not_warn() -> None:
    assert list(secrets_in(Inner(old="x"))) == []
