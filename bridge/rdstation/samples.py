"""Sample webhooks, brought to life: the documented payloads of each event, and an example of each trigger.

The payloads in ``official/`` are those of the CRM's official webhook documentation. An event's sample is its payload
with fresh times and a fresh uuid. A trigger's sample is about a new entity with what the trigger speaks of filled in,
and its story is what has to be sent before, so that the trigger fires.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import cast
from uuid import uuid4

import orjson

from bridge.component.source import NamedTrigger
from bridge.model import Json, JsonObject
from bridge.rdstation.catalog import EVENTS, MEANINGS, event_name
from bridge.rdstation.examples import EXAMPLES, MOVES, REST, Example
from bridge.rdstation.normalise import normalise
from bridge.rdstation.timestamps import as_document_time, as_event_time
from bridge.rdstation.triggers import TRIGGERS

_BEFORE = timedelta(minutes=2)
"""How long before a trigger's event the entity was last touched."""


def sample(name: str, now: datetime) -> JsonObject:
    """Return a webhook body for an event name or a trigger, as the CRM would send it at ``now``.

    Raises:
        KeyError: there is neither an event nor a trigger of this name.
    """
    return story(name, now)[-1]


def samples(now: datetime) -> Mapping[str, JsonObject]:
    """Return a body for every event name, as the CRM would send it at ``now``."""
    return {name: sample(name, now) for name in EVENTS}


def story(name: str, now: datetime) -> tuple[JsonObject, ...]:
    """Return the webhook bodies, oldest first, after which a trigger has fired for an entity never seen before.

    The last one is the trigger's own. An event name has a story of one.

    Raises:
        KeyError: as ``sample`` does.
    """
    if name in EVENTS:
        return (_sent(name, _official(name), now),)
    return tuple(_told(TRIGGERS[name], now))


def example(kind: str, now: datetime) -> JsonObject:
    """Return an entity of a kind in full shape, with something in each of its fields."""
    whole = _official(event_name(kind, "updated")) | EXAMPLES[kind] | REST.get(kind, {}) | {"updated_at": timedelta()}
    return normalise(kind, {field: _dated(value, now) for field, value in whole.items()}, None)


def _told(trigger: NamedTrigger, now: datetime) -> Iterator[JsonObject]:
    kind, _, what = trigger.name.partition(".")
    event = trigger.events[-1]
    entity = _official(event_name(kind, "updated")) | EXAMPLES[kind] | {"id": uuid4().hex[:24]}
    entity, before, after = (_all_dated(part, now) for part in (entity, *MOVES.get(trigger.name, ({}, {}))))
    if what == "deleted" or trigger.match:
        yield _sent(event_name(kind, "updated"), entity | before, now - _BEFORE)
    yield _sent(event, entity | before | after, now)


def _sent(name: str, document: Example, now: datetime) -> JsonObject:
    """Put a document into an envelope; a span of time in it is a moment, counted from ``now``."""
    _, action = MEANINGS[name]
    dated = {**document, "updated_at": timedelta()}
    if action == "created":
        dated["created_at"] = timedelta()
    fields = ("id", "name") if action == "deleted" else dated
    return {
        "event_name": name,
        "document": {field: _dated(dated[field], now) for field in fields},
        "event_timestamp": as_event_time(now),
        "transaction_uuid": str(uuid4()),
    }


def _all_dated(document: Example, now: datetime) -> Example:
    """Date every span of time from one moment, so that a whole story tells the same of it."""
    return {field: _dated(value, now) for field, value in document.items()}


def _dated(value: Json | timedelta, now: datetime) -> Json:
    return as_document_time(now + value) if isinstance(value, timedelta) else deepcopy(value)


@cache
def _official(name: str) -> Example:
    """Return the documented document of an event; a task's deletion, which has none, is written as all others are."""
    file = "crm_task_updated" if name == "crm_task_deleted" else name
    text = files("bridge.rdstation").joinpath("official", f"{file}.json").read_bytes()
    return cast("Example", orjson.loads(text)["document"])
