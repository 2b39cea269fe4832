"""What the answer of a service tells: whether it is a success, and what it made.

Paths are dotted, as those of ``match``: ``status``, ``headers.location``, ``body.data.id``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Final, TypeAlias

import orjson
from pydantic import AfterValidator

from bridge.component import Answer, Request
from bridge.component.base import Strict
from bridge.component.http import json_body
from bridge.document import is_empty, lookup, slot
from bridge.errors import PermanentFailure
from bridge.model import Json, JsonObject
from bridge.targets.http.address import Scalar

ROOM: Final = 2**20
"""Bytes of an answer that is read, not only recorded."""
STATUS: Final = "status"
ANY_SUCCESS: Final = "2xx"
SUCCESSES: Final = range(200, 300)
STATUSES: Final = range(200, 600)
PLACE: Final = re.compile(r"(?:headers\.[^.]+|body(?:\.[^.]+)*)")


def _place(path: str) -> str:
    if not PLACE.fullmatch(path):
        raise ValueError("must be a path of the answer, such as body.data.id or headers.location")
    return path


Place: TypeAlias = Annotated[str, AfterValidator(_place)]


def _sound(success: Mapping[str, Scalar | list[Scalar]]) -> Mapping[str, Scalar | list[Scalar]]:
    for path, wanted in success.items():
        if path == STATUS:
            statuses(wanted)
        else:
            _place(path)
    return success


Success: TypeAlias = Annotated[Mapping[str, Scalar | list[Scalar]], AfterValidator(_sound)]
"""What an answer must hold to be a success: at each path the value, or one of the values."""


class Noted(Strict):
    """What of an answer is noted, so that later messages of the same key are about the same thing."""

    id: Place
    """Where the answer has the id of what was made, such as `body.data.id`."""
    url: Place | None = None
    """Where it has an address at which people see it."""


def statuses(wanted: Scalar | list[Scalar]) -> frozenset[int]:
    """Return the statuses that a rule wants.

    Raises:
        ValueError: there is something else among them.
    """
    found: set[int] = set()
    for each in wanted if isinstance(wanted, list) else [wanted]:
        if each == ANY_SUCCESS:
            found |= set(SUCCESSES)
        elif isinstance(each, int) and each in STATUSES:
            found.add(each)
        else:
            raise ValueError('"status" takes numbers from 200 to 599, and 2xx for all that are a success by themselves')
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the answer to one request is read."""

    success: Success = field(default_factory=dict)
    noted: Noted | None = None

    @property
    def welcome(self) -> frozenset[int] | None:
        """Return the statuses of a success, None for any 2xx."""
        return statuses(self.success[STATUS]) if STATUS in self.success else None

    @property
    def looks_inside(self) -> bool:
        """Tell whether the content of the answer matters."""
        return self.noted is not None or bool(self.success.keys() - {STATUS})

    def check(self, answer: Answer) -> None:
        """Refuse an answer whose status is right, and whose content tells that nothing was done.

        Raises:
            PermanentFailure: it does, with the path that told it.
        """
        told = _document(answer) if self.looks_inside else {}
        for path, wanted in self.success.items():
            if path != STATUS and not _holds(lookup(told, path), wanted):
                reason = f'answered {answer.status}, but "{path}" is not what the rules call a success'
                raise PermanentFailure(reason, status=answer.status, excerpt=answer.excerpt)

    def id_in(self, answer: Answer) -> str:
        """Return the id that an answer tells, empty if it tells none."""
        return _text(lookup(_document(answer), self.noted.id)) if self.noted else ""

    def url_in(self, answer: Answer) -> str:
        """Return the address that an answer tells, empty if it tells none."""
        return _text(lookup(_document(answer), self.noted.url)) if self.noted and self.noted.url else ""

    def good_answer(self, number: int) -> Answer:
        """Return an answer that this reading takes for a success."""
        told: JsonObject = {"headers": {}, "body": {}}
        for path, wanted in self.success.items():
            if path == STATUS:
                continue
            slot(told, path).fill(wanted[0] if isinstance(wanted, list) else wanted)
        for name, path in self.noted.model_dump(exclude_none=True).items() if self.noted else ():
            slot(told, path).fill(f"{name}-{number}")
        headers = {name: str(value) for name, value in _members(told["headers"]).items()}
        body = told["body"]
        status = min(self.welcome or {HTTPStatus.OK})
        return Answer(status, headers, body.encode() if isinstance(body, str) else json_body(body))


@dataclass(frozen=True, slots=True)
class ReadRequest(Request):
    """A request that knows how its answer is read."""

    reading: Reading = field(default_factory=Reading)

    __repr__ = Request.__repr__


def _document(answer: Answer) -> JsonObject:
    """Return an answer as paths find things in it; what is no JSON is a text."""
    try:
        body: Json = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        body = answer.excerpt.strip()
    return {"headers": {**answer.headers}, "body": body}


def _holds(seen: Json, wanted: Scalar | list[Scalar]) -> bool:
    return any(_equal(seen, each) for each in (wanted if isinstance(wanted, list) else [wanted]))


def _equal(seen: Json, wanted: Scalar) -> bool:
    """Compare as ``match`` does: nothing is nothing, however it is written, and true is not 1."""
    if is_empty(wanted):
        return is_empty(seen)
    return seen == wanted and isinstance(seen, bool) == isinstance(wanted, bool)


def _text(value: Json) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _members(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
