"""JSON that a template writes: event data can only ever be text within one of its strings."""

import json
from functools import lru_cache

import orjson

from bridge.component.target import Escape
from bridge.model import Json, JsonObject


@lru_cache(maxsize=32)
def within_json(escape: Escape) -> Escape:
    """Return what makes data inert in a format, and then part of a JSON string: no data ends the string."""

    def escaped(data: str) -> str:
        return json.dumps(escape(data), ensure_ascii=False)[1:-1]

    return escaped


def written_json(text: str) -> Json:
    """Return the value of a JSON text.

    Raises:
        ValueError: it is none, with the place where it ends to be one.
    """
    try:
        value: Json = orjson.loads(text.encode("utf-8", "replace"))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from None
    return value


def written_objects(text: str, name: str, most: int) -> list[JsonObject]:
    """Return the objects of a JSON text: a list, or an object around it that has them under a name.

    Raises:
        ValueError: it holds none, or too many, or something else.
    """
    value = written_json(text)
    found = value.get(name) if isinstance(value, dict) else value
    if not isinstance(found, list) or not 0 < len(found) <= most:
        raise ValueError(f"must be a list of 1 to {most} {name}")
    objects = [each for each in found if isinstance(each, dict)]
    if len(objects) < len(found):
        raise ValueError(f"must hold {name}, which are objects")
    return objects
