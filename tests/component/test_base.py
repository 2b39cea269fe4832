"""Tests of what all options share: how their fields are described, and when a model is built."""

from pydantic import Field

from bridge.component.base import Strict


class Inner(Strict):
    """What is within."""

    size: int = 1
    """How large it is."""


class Outer(Strict):
    """What is around it.

    x: int
    """

    plain: int = 0
    from_: str = Field(default="", alias="from")
    """Where it begins: `09:00`.

    By default anywhere.
    """
    named: int = Field(default=0, description="Said where it is declared.")
    """Not read."""
    inner: Inner = Field(default_factory=Inner)
    """What is within."""
    other: Inner = Field(default_factory=Inner)
    """Another one."""


class Derived(Outer):
    """One with a field more."""

    plain: int = 2
    """Told by the class that has it anew."""
    more: str = ""
    """A field more."""


def told(model: type[Strict]) -> dict[str, str | None]:
    properties = model.model_json_schema()["properties"]
    return {key: described.get("description") for key, described in properties.items()}


def test_a_schema_describes_each_field_by_the_docstring_under_it() -> None:
    assert told(Outer) == {
        "plain": None,
        "from": "Where it begins: `09:00`.\n\nBy default anywhere.",
        "named": "Said where it is declared.",
        "inner": None,  # its model says the same
        "other": "Another one.",
    }


def test_inherited_fields_are_described_where_they_were_declared() -> None:
    expected = {**told(Outer), "plain": "Told by the class that has it anew.", "more": "A field more."}
    assert told(Derived) == expected


def test_models_within_are_described_too() -> None:
    (inner,) = Outer.model_json_schema()["$defs"].values()
    assert (inner["description"], inner["properties"]["size"]["description"]) == ("What is within.", "How large it is.")


def test_a_model_is_built_when_it_is_first_asked_for_something() -> None:
    class Asked(Strict):
        """A model that nothing was asked of yet."""

        size: int = 1

    assert not Asked.__pydantic_complete__
    assert Asked.model_validate({"size": 2}).size == 2
    assert Asked.__pydantic_complete__
