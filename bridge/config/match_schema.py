"""The JSON Schema of ``match:``: blocks, fields and operators, each with what it means."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from bridge.config.languages import Language
from bridge.config.vocabulary import Vocabulary
from bridge.model import Json, JsonObject

MATCH = "match"
MATCHER = "matcher"
LABELLED: Final = "{label}: a field of {kinds}."
FIELD: Final = "A field of {kinds}."

_SCALAR: JsonObject = {"type": ["string", "number", "boolean", "null"]}
_LIST: JsonObject = {"type": "array", "minItems": 1, "items": _SCALAR}
_ORDERED: JsonObject = {"type": ["number", "string"]}
_TEXT: JsonObject = {"type": "string", "minLength": 1}
_FLAG: JsonObject = {"type": "boolean"}
_ONE_OR_MORE: JsonObject = {"anyOf": [_SCALAR, _LIST]}

OPERATORS: Mapping[str, tuple[JsonObject, str]] = {
    "eq": (_SCALAR, "Equal to this value."),
    "ne": (_SCALAR, "Not equal to this value."),
    "in": (_LIST, "Equal to one of these values."),
    "not_in": (_LIST, "Equal to none of these values."),
    "gt": (_ORDERED, "More than this number, or later than this date."),
    "gte": (_ORDERED, "At least this number, or not before this date."),
    "lt": (_ORDERED, "Less than this number, or before this date."),
    "lte": (_ORDERED, "At most this number, or not after this date."),
    "contains": (_TEXT, "A text that contains this one."),
    "starts_with": (_TEXT, "A text that starts with this one."),
    "ends_with": (_TEXT, "A text that ends with this one."),
    "matches": (_TEXT, "A text in which this regular expression is found."),
    "exists": (_FLAG, "Whether there is a value: nothing, an empty text and an empty list are none."),
    "from": (_ONE_OR_MORE, "It was this value, or one of these, and is no longer."),
    "to": (_ONE_OR_MORE, "It has become this value, or one of these."),
    "changed": (_FLAG, "Whether it differs from the last state."),
    "increased": (_FLAG, "Whether it is more, or later, than in the last state."),
    "decreased": (_FLAG, "Whether it is less, or earlier, than in the last state."),
}
"""What each operator takes, and what it asks."""


def match_definitions(words: Vocabulary, labels: Mapping[str, str], language: Language) -> JsonObject:
    """Return the definitions of a match block and of a matcher; ``labels`` are what people call paths."""
    block: JsonObject = {"$ref": f"#/definitions/{MATCH}"}
    blocks: JsonObject = {"type": "array", "minItems": 1, "items": block}
    matcher: JsonObject = {"$ref": f"#/definitions/{MATCHER}"}
    fields: JsonObject = {
        path: {"description": _described(labels.get(path, ""), kinds, language), "allOf": [matcher]}
        for path, kinds in sorted(_paths(words).items())
    }
    groups: JsonObject = {
        "any": {"description": "At least one of these blocks holds.", **blocks},
        "all": {"description": "All of these blocks hold.", **blocks},
        "not": {"description": "This block, as a whole, does not hold.", "allOf": [block]},
    }
    return {
        MATCH: {
            "type": "object",
            "description": "What must be true of the entity: all of these.",
            "properties": {**fields, **groups},
            "additionalProperties": matcher,
        },
        MATCHER: {"anyOf": [_SCALAR, _LIST, _operators()]},
    }


def _described(label: str, kinds: Iterable[str], language: Language) -> str:
    """Return what a field is called, and whose it is."""
    named = ", ".join(f"`{kind}`" for kind in kinds)
    return language.say(LABELLED, label=label, kinds=named) if label else language.say(FIELD, kinds=named)


def _operators() -> JsonObject:
    properties: JsonObject = {name: {**schema, "description": text} for name, (schema, text) in OPERATORS.items()}
    return {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": properties}


def _paths(words: Vocabulary) -> Mapping[str, Sequence[str]]:
    """Return the paths of all fields of all kinds, so that editors can offer them, each with the kinds that have it."""
    paths: dict[str, list[str]] = defaultdict(list)
    for kind, shapes in sorted(words.shapes.items()):
        for path in {path for shape in shapes for path in _leaves(shape, "")}:
            paths[path].append(kind)
    return paths


def _leaves(shape: Json, path: str) -> Iterator[str]:
    if isinstance(shape, list):
        yield from _leaves(shape[0] if shape else None, path)
    elif isinstance(shape, dict) and shape:
        for name, inner in shape.items():
            yield from _leaves(inner, f"{path}.{name}".lstrip("."))
    elif path:
        yield path
