from typing import Literal

import pytest
from pydantic import BaseModel, Field

from bridge.config.draft07 import StandIn, piece
from bridge.model import Json

REFERENCE = StandIn(r"\$\{")
TEMPLATE = StandIn(r"\{[{%]", whole=True)


class Inner(BaseModel):
    number: int


class Model(BaseModel):
    """What it is."""

    text: str = Field(description="d")
    number: int = Field(default=4, description="d")
    maybe: int | None = None
    nothing: str | None = "x"
    one_or_more: int | list[int] | None = None
    open: object = Field(default=None, description="d")
    choice: Literal["a", "b"] = "a"
    several: list[int] = Field(default_factory=list)
    inner: Inner | None = None
    text_or_number: str | int = 3


def field(name: str, stand_in: StandIn | None) -> Json:
    properties = piece(Model, "m", stand_in).schema["properties"]
    assert isinstance(properties, dict)
    return properties[name]


def test_titles_go_and_descriptions_stay() -> None:
    schema = piece(Model, "m").schema
    assert "title" not in schema
    assert schema["description"] == "What it is."
    assert field("text", None) == {"type": "string", "description": "d"}


def test_a_null_that_only_means_absence_goes() -> None:
    assert field("maybe", None) == {"type": "integer"}
    assert field("one_or_more", None) == {
        "anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]
    }
    assert field("nothing", None) == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": "x"}


def test_definitions_bear_the_name_of_their_model() -> None:
    made = piece(Model, "m")
    assert made.definitions["m.Inner"] == {
        "properties": {"number": {"type": "integer"}},
        "required": ["number"],
        "type": "object",
    }
    assert field("inner", None) == {"$ref": "#/definitions/m.Inner"}


@pytest.mark.parametrize("stand_in", [REFERENCE, TEMPLATE])
def test_a_text_may_stand_for_a_number_or_a_choice(stand_in: StandIn) -> None:
    text = {"type": "string", "pattern": stand_in.pattern}
    assert field("number", stand_in) == {"description": "d", "default": 4, "anyOf": [{"type": "integer"}, text]}
    assert field("choice", stand_in) == {"default": "a", "anyOf": [{"enum": ["a", "b"], "type": "string"}, text]}


@pytest.mark.parametrize("name", ["text", "text_or_number", "nothing", "open"])
def test_what_takes_texts_anyway_stays_as_it_is(name: str) -> None:
    assert field(name, TEMPLATE) == field(name, None)


def test_only_a_template_may_stand_for_a_whole_list_or_object() -> None:
    items = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": REFERENCE.pattern}]}
    assert field("several", REFERENCE) == {"type": "array", "items": items}
    assert field("inner", REFERENCE) == {"$ref": "#/definitions/m.Inner"}
    several = field("several", TEMPLATE)
    assert isinstance(several, dict)
    assert isinstance(several["anyOf"], list)
    assert {"type": "string", "pattern": TEMPLATE.pattern} in several["anyOf"]
