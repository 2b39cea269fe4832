"""What the writer does with events and last states."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import TypeAlias

import apsw

from bridge.model import Delivery, EntityState, Event, EventState, RoutedEvent, StateKey
from bridge.store.sqlite.queries import SQL, Row, change, rows
from bridge.store.sqlite.rows import delivery_row, entity_state_of, entity_state_row, envelope_row, event_of

APPLYING = frozenset({EventState.ROUTED, EventState.UNMATCHED})
"""The decisions that make an event its entity's last state."""
EVENT_COLUMNS = 11

Batch: TypeAlias = tuple[list[Event], dict[StateKey, EntityState]]


def add_event(connection: apsw.Connection, row: Row) -> str | None:
    """Store an event; return None, or the id under which it was already stored."""
    [known] = add_events(connection, [row])
    return known


def add_events(connection: apsw.Connection, events: Sequence[Row]) -> Sequence[str | None]:
    """Store events in one statement; return for each None, or the id under which it was already stored."""
    connection.execute(_insertion(len(events)), tuple(chain.from_iterable(events)))
    added = connection.changes()
    if added == len(events):
        return [None] * added
    return _tell_known(connection, events, connection.last_insert_rowid() - added)


def received_batch(connection: apsw.Connection, limit: int) -> Batch:
    """Return the oldest received events, and the last states of their entities."""
    events: list[Event] = []
    states: dict[StateKey, EntityState] = {}
    for row in rows(connection, "received_events", limit):
        event = event_of(row[:EVENT_COLUMNS])
        events.append(event)
        if row[EVENT_COLUMNS] and event.entity and (event.source, event.entity) not in states:
            states[event.source, event.entity] = entity_state_of(row[EVENT_COLUMNS:])
    return events, states


def commit_decisions(connection: apsw.Connection, batch: Sequence[RoutedEvent]) -> list[RoutedEvent]:
    """Write what was decided for events that are still undecided; return what was written."""
    storable = (_storable(routed) for routed in batch)
    return [routed for routed, deliveries, state in storable if _decide(connection, routed, deliveries, state)]


def replay_event(connection: apsw.Connection, routed: RoutedEvent, *, again: bool) -> list[Delivery]:
    """Give an event that does not wait to be routed its new decision and the deliveries it lacks; return these."""
    if not (_decide_late(connection, routed) or _decide_anew(connection, routed)):
        return []
    [[number]] = rows(connection, "next_replay", routed.event_id)
    missing = [each for each in routed.deliveries if again or not _is_served(connection, each)]
    added = [replace(delivery, replay=number) for delivery in missing]
    _add_deliveries(connection, map(delivery_row, added))
    return added


def _tell_known(connection: apsw.Connection, events: Sequence[Row], before: int) -> list[str | None]:
    """Return what ``add_events`` does, by looking each up; ``before`` is the last ``seq`` that was there before."""
    new: set[str] = set()
    answers: list[str | None] = []
    for id_, source, _, _, _, dedup_key, *_ in events:
        [[stored, seq]] = rows(connection, "find_event", source, dedup_key)
        is_new = stored == id_ and seq > before and id_ not in new
        new.add(id_)
        answers.append(None if is_new else stored)
    return answers


@cache
def _insertion(size: int) -> str:
    row = f"({', '.join('?' * EVENT_COLUMNS)})"
    return SQL["add_event"].format(rows=", ".join([row] * size))


def _storable(routed: RoutedEvent) -> tuple[RoutedEvent, list[Row], Row | None]:
    """Return a decision with its rows; one that no JSON can hold becomes quarantine, so that the others go on."""
    try:
        state = entity_state_row(routed.entity_state) if routed.entity_state else None
        return routed, [delivery_row(delivery) for delivery in routed.deliveries], state
    except TypeError as error:
        refused = RoutedEvent(routed.event_id, EventState.QUARANTINED, reason=f"cannot be stored: {error}")
        return refused, [], None


def _decide(connection: apsw.Connection, routed: RoutedEvent, deliveries: list[Row], state: Row | None) -> bool:
    applied = _applies(routed, state)
    if not change(connection, "decide_event", routed.state.value, routed.reason, applied, routed.event_id):
        return False
    _add_deliveries(connection, deliveries)
    _advance(connection, state)
    return True


def _decide_late(connection: apsw.Connection, routed: RoutedEvent) -> bool:
    """Decide an event that was quarantined; return False if it was not."""
    state = entity_state_row(routed.entity_state) if routed.entity_state else None
    decision = routed.state.value, routed.reason, _applies(routed, state)
    if not change(connection, "decide_quarantined", *decision, *envelope_row(routed.envelope), routed.event_id):
        return False
    _advance(connection, state)
    return True


def _decide_anew(connection: apsw.Connection, routed: RoutedEvent) -> bool:
    """Give an event that was decided before its new decision; return False if there is nothing to give."""
    return bool(change(connection, "decide_event_anew", routed.state.value, routed.reason, routed.event_id))


def _applies(routed: RoutedEvent, state: Row | None) -> bool:
    return state is not None and routed.state in APPLYING


def _advance(connection: apsw.Connection, state: Row | None) -> None:
    if state:
        change(connection, "advance_entity", *state)


def _add_deliveries(connection: apsw.Connection, planned: Iterable[Row]) -> None:
    connection.executemany(SQL["add_delivery"], planned)


def _is_served(connection: apsw.Connection, delivery: Delivery) -> bool:
    return bool(rows(connection, "is_served", delivery.event_id, delivery.route, delivery.entry))
