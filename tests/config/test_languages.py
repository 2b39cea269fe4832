"""What the schema says is said in every language."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from babel.messages.pofile import read_po

from bridge.component import AnySource
from bridge.component.discovery import source_types
from bridge.config.languages import ENGLISH, LANGUAGES, PORTUGUESE, Language, catalogue
from bridge.config.match_schema import FIELD, LABELLED
from bridge.config.schema import RAW, json_schema
from bridge.model import Json
from bridge.sources._bridge import Bridge

SAID = {"title", "description"}
OTHERS = [code for code in LANGUAGES if code != ENGLISH]
NAMES = re.compile(r"`[^`]+`|\{\w+\}|https://\S+[^.\s]")
"""What reads the same in every language."""


def words(schema: Json, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield where each text stands that is for people, and the text."""
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from words(item, f"{path}/{index}")
    for key, value in schema.items() if isinstance(schema, dict) else ():
        if key in SAID and isinstance(value, str):
            yield f"{path}/{key}", value
        elif key == "enumDescriptions" and isinstance(value, list):
            yield from ((f"{path}/{key}/{index}", str(text)) for index, text in enumerate(value))
        else:
            yield from words(value, f"{path}/{key}")


def pairs(code: str) -> list[tuple[str, str]]:
    """Return each text in English, with the same in another language."""
    both = [
        [text for part in (False, True) for text in words(json_schema(each, part=part))] for each in (ENGLISH, code)
    ]
    assert [path for path, _ in both[0]] == [path for path, _ in both[1]]
    return sorted({(english, other) for (_, english), (_, other) in zip(*both, strict=True)})


@pytest.mark.parametrize("code", OTHERS)
def test_every_description_has_its_twin(code: str) -> None:
    assert [english for english, other in pairs(code) if english == other] == []
    assert len(pairs(code)) > 150


@pytest.mark.parametrize("code", OTHERS)
def test_twins_name_the_same_keys_and_values(code: str) -> None:
    catalogued = [(english, other) for english, other in pairs(code) if english in catalogue(code)]
    for english, other in [*catalogued, *((each, catalogue(code)[each]) for each in (FIELD, LABELLED))]:
        assert sorted(NAMES.findall(other)) == sorted(NAMES.findall(english)), english


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogue_holds_nothing_that_is_no_longer_said(code: str) -> None:
    assert catalogue(code).keys() - {english for english, _ in pairs(code)} == {RAW, FIELD, LABELLED}


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogue_is_sound(code: str) -> None:
    with files("bridge.config").joinpath(f"{code}.po").open("rb") as file:
        messages = [message for message in read_po(file, abort_invalid=True) if message.id]
    assert [message.id for message in messages if message.fuzzy or not message.string] == []
    assert len({message.id for message in messages}) == len(messages)


def test_only_words_differ_between_languages() -> None:
    def bare(schema: Any) -> Any:
        if isinstance(schema, list):
            return [bare(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        kept = {key: value for key, value in schema.items() if not (key in SAID and isinstance(value, str))}
        return {key: bare(value) for key, value in kept.items() if key != "enumDescriptions"}

    assert bare(json_schema(PORTUGUESE)) == bare(json_schema())


def test_triggers_and_fields_are_said_by_their_source() -> None:
    said = dict(pairs(PORTUGUESE))
    sources: list[type[AnySource]] = [*source_types().values(), Bridge]
    for source in sources:
        for trigger in source.triggers.values():
            assert said[trigger.description] == trigger.description_pt
    assert said["Stage: a field of `deal`."] == "Etapa: campo de `deal`."
    assert said["The raw event, about a deal."] == "O evento cru, sobre `deal`."


def test_what_a_catalogue_lacks_is_said_in_english() -> None:
    schema: Json = {"properties": {"title": {"description": "By others."}, "description": {"description": "The key."}}}
    assert Language(PORTUGUESE).translated(schema) == {
        "properties": {"title": {"description": "By others."}, "description": {"description": "A chave."}}
    }
    assert Language(PORTUGUESE).say("{one} by others", one="x") == "x by others"
