"""Trello as `bridge test` plays it: a board that has whatever it is asked for by name, and no card yet."""

from yarl import URL

from bridge.component import Request
from bridge.model import Json
from bridge.targets.trello.names import ASKED, Names


def played(request: Request, number: int, names: Names) -> Json:
    """Return Trello's reply to a request that it accepts."""
    asked = URL(request.url).name
    for kind in ASKED:
        if request.method == "GET" and asked == kind:
            return [_thing(number, place, name) for place, name in enumerate(names.sought(kind))]
    if request.method == "GET" and asked in {"all", "actions"}:
        return []
    return {"id": _id(number, 0)}


def _thing(number: int, place: int, name: str) -> Json:
    """Return a list, label, member or custom field; a custom field takes any text."""
    return {"id": _id(number, place), "name": name, "username": name, "type": "text"}


def _id(number: int, place: int) -> str:
    return f"{number:08x}{place:016x}"
