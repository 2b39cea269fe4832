"""What a request to the control API holds: a JSON object of known keys, and texts in it."""

from typing import Any

import orjson
from aiohttp import web

from bridge.control.filters import refused
from bridge.model import JsonObject


async def asked(request: web.Request, known: set[str]) -> JsonObject:
    """Return the request's JSON object, which may hold no other than the known keys.

    Raises:
        RequestRefusedError: it is none, or holds another.
    """
    try:
        given: Any = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise refused("the body is no JSON") from None
    if not isinstance(given, dict):
        raise refused("the body must be an object")
    if strange := given.keys() - known:
        raise refused(f'unknown key "{min(strange)}"')
    return given


def text(given: JsonObject, name: str) -> str:
    """Return a text; raises RequestRefusedError where there is none."""
    value = given.get(name)
    if not (isinstance(value, str) and value.strip()):
        raise refused(f"{name}, a text, is needed")
    return value


def perhaps(given: JsonObject, name: str) -> str | None:
    """Return a text, or None where nothing is given; raises RequestRefusedError for anything else."""
    return None if given.get(name) is None else text(given, name)


def texts(given: JsonObject, name: str) -> list[str]:
    """Return a list of texts; raises RequestRefusedError where there is none."""
    value = given.get(name)
    if not are_texts(value):
        raise refused(f"{name}, a list of texts, is needed")
    return value  # type: ignore[return-value]  # checked on the line above


def are_texts(value: object) -> bool:
    """Tell whether something is a list of texts."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
