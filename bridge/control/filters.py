"""Filters as text: what a query string, a JSON body and a command line say, and the queries they mean."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from bridge.errors import RequestRefusedError
from bridge.model import DeliveryState, Entity, EventState
from bridge.options.suggestion import did_you_mean
from bridge.store.nouns import DeliveryQuery, EventQuery

MOST = 10_000
"""So many rows one question may ask for."""

Parameters: TypeAlias = Mapping[str, Sequence[str]]
"""Filter names, each with the values given for it."""
Reader: TypeAlias = Callable[[Sequence[str]], Any]
"""Reads the values of one filter."""

StateT = TypeVar("StateT", bound=StrEnum)
QueryT = TypeVar("QueryT", EventQuery, DeliveryQuery)


def event_query(parameters: Parameters) -> EventQuery:
    """Return the query that the filters of ``events`` mean.

    Raises:
        RequestRefusedError: a filter is unknown or its value is none (``bad-filter``).
    """
    return _query(EventQuery, EventState, parameters)


def delivery_query(parameters: Parameters) -> DeliveryQuery:
    """Return the query that the filters of ``deliveries`` mean; raises as ``event_query`` does."""
    return _query(DeliveryQuery, DeliveryState, parameters)


def parameters_of(query: EventQuery | DeliveryQuery) -> dict[str, list[str]]:
    """Return the filters that mean this query."""
    given = {name: getattr(query, attribute) for name, attribute in _attributes(type(query)).items()}
    return {name: _texts(value) for name, value in given.items() if value not in (None, ())}


def entity_from(text: str) -> Entity:
    """Return the entity that ``kind:id`` names."""
    kind, colon, id_ = text.partition(":")
    if not (kind and colon and id_):
        raise refused(f'"{text}" names no entity; write it as kind:id, such as deal:65f1')
    return Entity(kind, id_)


def refused(reason: str) -> RequestRefusedError:
    """Return the refusal of a filter."""
    return RequestRefusedError(reason, "bad-filter")


def _query(kind: type[QueryT], states: type[StateT], parameters: Parameters) -> QueryT:
    readers: dict[str, Reader] = {**_READERS, "states": lambda values: tuple(_state(states, each) for each in values)}
    attributes = _attributes(kind)
    found = {}
    for name, values in parameters.items():
        if name not in attributes:
            raise refused(f'there is no filter "{name}"; {did_you_mean(name, attributes)}'.rstrip("; "))
        found[attributes[name]] = readers.get(attributes[name], _one)(values)
    return kind(**found)


def _attributes(kind: type[EventQuery | DeliveryQuery]) -> dict[str, str]:
    """Return the fields of a query by their names as filters; the order of a list is none."""
    return {_NAMES.get(field.name, field.name): field.name for field in fields(kind) if field.name != "oldest_first"}


def _one(values: Sequence[str]) -> str:
    if len(values) != 1:
        raise refused("only the filter state may be given more than once")
    return values[0]


def _state(states: type[StateT], value: str) -> StateT:
    try:
        return states(value)
    except ValueError:
        raise refused(f'there is no state "{value}"; {did_you_mean(value, states)}') from None


def _time(values: Sequence[str]) -> datetime:
    text = _one(values)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise refused(f'"{text}" is no time; write it as 2026-11-24T12:00:00Z') from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _limit(values: Sequence[str]) -> int:
    text = _one(values)
    if not (re.fullmatch("[0-9]{1,5}", text) and 1 <= int(text) <= MOST):
        raise refused(f'limit is a number from 1 to {MOST}, not "{text}"')
    return int(text)


_NAMES = {"states": "state", "event_id": "event"}
_READERS: Mapping[str, Reader] = {
    "entity": lambda values: entity_from(_one(values)),
    "since": _time,
    "until": _time,
    "limit": _limit,
}


def _texts(value: object) -> list[str]:
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return [value.isoformat() if isinstance(value, datetime) else str(value)]
