"""What a service told, read without relying on its shape: what is missing, or is something else, is empty."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson

from bridge.errors import DeliveryFailure
from bridge.model import Json, JsonObject


def object_in(body: bytes) -> JsonObject:
    """Return the object that an answer is; an empty one where it is none."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def text_of(thing: Mapping[str, Json], name: str) -> str:
    """Return a text of something; empty if it is none."""
    value = thing.get(name)
    return value if isinstance(value, str) else ""


def things_in(thing: Mapping[str, Json], name: str) -> list[JsonObject]:
    """Return the things in a list of something."""
    value = thing.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def is_gone(failure: DeliveryFailure) -> bool:
    """Tell whether a service says that there is no such thing."""
    return failure.status == HTTPStatus.NOT_FOUND
