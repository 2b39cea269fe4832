"""What a deferred delivery would be told with, if its time came now: asked by people, and changes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import apsw

from bridge.model import CallOff, Deferral, Deferred, Delivery, Entity, Event, EventState, Ripe
from bridge.store.nouns import ITEMS
from bridge.store.sqlite.deferrals import CALLED_OFF, item_of, ripe_of
from bridge.store.sqlite.digests import find_former
from bridge.store.sqlite.queries import Row, first, rows
from bridge.store.sqlite.rows import microseconds

NO_LIMIT = -1


def waiting_with(connection: apsw.Connection, event: Event, delivery: Delivery) -> Ripe:
    """Return a deferred delivery of an event, planned or not, with what waits that it is told along with."""
    deferral = delivery.deferral or Deferral("window")
    if deferral.kind == "digest":
        return _gathered(connection, event, delivery, deferral)
    if deferral.kind == "debounce":
        return _joined(connection, event, delivery, deferral)
    own = [ripe for ripe in _held(connection, event, delivery) if ripe.delivery.event_id == event.id]
    return own[0] if own else _alone(event, delivery, deferral)


def called_off(connection: apsw.Connection, event: Event, entries: Sequence[CallOff]) -> list[list[str]]:
    """Return for each entry what an event called off, or what it would if it is not decided yet."""
    return [_called_off(connection, event, event.entity, entry) if event.entity else [] for entry in entries]


def _called_off(connection: apsw.Connection, event: Event, entity: Entity, entry: CallOff) -> list[str]:
    if event.state is EventState.RECEIVED:
        found = rows(connection, "deferred_of", subject_of(event.source, entity), *entry)
    else:
        by = CALLED_OFF.format(event.id)
        found = rows(connection, "called_off_by", event.source, entity.kind, entity.id, *entry, by)
    return [id_ for [id_] in found]


def _gathered(connection: apsw.Connection, event: Event, delivery: Delivery, deferral: Deferral) -> Ripe:
    """Return a digest with all that waits for the same turn of it; the event is its newest unless it waits as well."""
    turn = deferral.latest or delivery.due_at
    place = (delivery.route, delivery.entry, deferral.group)
    line = rows(connection, "gathered", *place, microseconds(delivery.due_at), NO_LIMIT)
    ids = _message_of(event, line)
    found = {id_: item for id_ in ids if (item := _item(connection, id_)) and item.event.id != event.id}
    waiting = {id_: item for id_, item in found.items() if not item.damaged}
    items = sorted([*waiting.values(), Deferred(event, deferral.before, delivery.id)], key=_arrival)
    former = find_former(connection, delivery, deferral.group, turn)
    return Ripe(delivery, tuple(items), others=tuple(waiting), former=former)


def _message_of(event: Event, line: Sequence[Row]) -> list[str]:
    """Return the ids of the message that tells of an event, which is the last in line if it does not wait yet."""
    turn = next((turn for turn, [_, event_id] in enumerate(line) if event_id == event.id), len(line))
    begin = turn - turn % ITEMS
    return [id_ for id_, _ in line[begin : begin + ITEMS]]


def _item(connection: apsw.Connection, id_: str) -> Deferred | None:
    found = first(connection, "deferred_item", id_)
    return item_of(id_, found) if found else None


def _joined(connection: apsw.Connection, event: Event, delivery: Delivery, deferral: Deferral) -> Ripe:
    """Return the change that is held already, as it is if the event is part of it, else with the event at its end."""
    for held in _held(connection, event, delivery):
        if held.items[-1].damaged and held.delivery.event_id != event.id:
            continue
        joined = held.delivery.deferral or deferral
        if held.delivery.event_id == event.id or _arrival(held.items[-1]) >= (event.received_at, event.id):
            return held
        latest = joined.latest or delivery.due_at
        longer = replace(deferral, before=joined.before, latest=latest)
        until = replace(delivery, due_at=min(delivery.due_at, latest), deferral=longer)
        return Ripe(until, (Deferred(event, joined.before, delivery.id),), others=(held.delivery.id,))
    return _alone(event, delivery, deferral)


def _held(connection: apsw.Connection, event: Event, delivery: Delivery) -> list[Ripe]:
    """Return what an entry holds of the entity of an event."""
    if event.entity is None:
        return []
    found = rows(connection, "deferred_of", subject_of(event.source, event.entity), delivery.route, delivery.entry)
    return [ripe_of(connection, [id_]) for [id_] in found]


def subject_of(source: str, entity: Entity) -> str:
    """Return an entity as ``deferral`` names it."""
    return f"{source}\n{entity.kind}\n{entity.id}"


def _alone(event: Event, delivery: Delivery, deferral: Deferral) -> Ripe:
    return Ripe(delivery, (Deferred(event, deferral.before, delivery.id),))


def _arrival(item: Deferred) -> tuple[datetime, str]:
    return item.event.received_at, item.event.id
