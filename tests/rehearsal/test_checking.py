"""What a check reads beside the rules, and what it leaves to loading."""

from pathlib import Path

import pytest

from bridge.component import Target, TargetOptions
from bridge.component.discovery import target_types
from bridge.config.match_schema import _leaves
from bridge.document import is_empty, lookup
from bridge.rehearsal import check
from bridge.sources._bridge import OWN
from bridge.sources.rdstation_crm import RdStationCrm
from tests.rehearsal.conftest import Checking
from tests.support.changes import NOW, crm

ROUTE = "routes: [{name: a, on: deal.lost, deliver: [{to: screen, text: x}]}]"


def beside(rules: Checking, name: str, text: str) -> Path:
    path = rules.path.parent / "tests" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_tests_beside_the_rules_are_checked_too(rules: Checking) -> None:
    beside(rules, "sound.yaml", "tests: [{name: a, steps: [{send: deal.lost}, {expect: [{to: screen}]}]}]")
    broken = beside(rules, "broken.yaml", "tests: [{name: a, steps: [{send: deal.lots}, {expect: nothing}]}]")
    beside(rules, "notes.txt", "no tests at all")
    [problem] = rules.check(ROUTE).problems
    assert str(problem).startswith(f'{broken}:1:34: unknown-sample: there is no sample "deal.lots"')


def test_of_rules_that_cannot_be_loaded_nothing_else_is_told(rules: Checking) -> None:
    beside(rules, "broken.yaml", "tests: 1")
    checked = rules.check(ROUTE.replace("deal.lost", "deal.lots"))
    assert [each.code for each in checked.problems] == ["unknown-event"]
    assert checked.loaded is None


def test_a_source_without_samples_leaves_nothing_to_rehearse_with(
    rules: Checking, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> object:
        raise KeyError

    monkeypatch.setattr(RdStationCrm, "story", none)
    assert rules.problems(ROUTE.replace("text: x", "text: '{% set d = deal %}{{ d.nmae }}'")) == []


@pytest.mark.parametrize("source", [crm(), OWN], ids=["rdstation_crm", "bridge"])
def test_an_example_has_something_in_each_field_that_anybody_knows(source: RdStationCrm) -> None:
    open_ = {"custom", "custom_fields", "deal_custom_fields"}
    for kind, shape in source.shapes.items():
        example = source.example(kind, NOW)
        paths = set(_leaves(shape, "")) | {name for name, held in shape.items() if held == []}
        assert [path for path in paths - open_ if is_empty(lookup(example, path))] == []


def test_what_is_certain_and_what_can_be_chosen_are_fields() -> None:
    for source in (crm(), OWN):
        for kind, paths in source.certain.items():
            known = {*_leaves(source.shapes[kind], ""), *source.shapes[kind]}
            assert paths | source.choices.get(kind, {}).keys() <= known


def test_the_key_of_a_target_that_is_deprecated_is_told(rules: Checking, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydantic import Field  # noqa: PLC0415 (only here)

    class Options(TargetOptions):
        old: str | None = Field(default=None, deprecated="write `new`")

    monkeypatch.setattr(target_types()["log"], "Options", Options)
    rules.path.write_text(
        "version: 1\nsources: {crm: {type: rdstation_crm}}\ntargets:\n  screen: {type: log, old: x}\n" + ROUTE,
        encoding="utf-8",
    )
    [warning] = check(rules.path, {}).warnings
    assert str(warning) == f'{rules.path}:4:23: deprecated: "old" of target "screen" is deprecated; write `new`'
    assert issubclass(target_types()["log"], Target)
