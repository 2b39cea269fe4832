"""What the writer does with events and last states."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import TypeAlias

import apsw

from bridge.errors import legible
from bridge.model import Delivery, EntityState, Event, EventState, RoutedEvent, StateKey
from bridge.store.base import Spread
from bridge.store.sqlite.deliveries import add_deliveries
from bridge.store.sqlite.failure import is_its_own
from bridge.store.sqlite.queries import SQL, Row, change, rows
from bridge.store.sqlite.rows import entity_state_of, entity_state_row, event_of

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


def commit_decisions(connection: apsw.Connection, batch: Sequence[RoutedEvent], now: int) -> list[RoutedEvent]:
    """Write what was decided for events that are still undecided; return what was written.

    A decision that cannot be written becomes quarantine of its event, so that it never stops the others.
    """
    try:
        with connection:
            return [routed for routed in batch if _decide(connection, routed, now)]
    except Exception as error:
        if not connection.in_transaction or not is_its_own(error):
            raise
    return [written for routed in batch if (written := _decide_alone(connection, routed, now))]


def lacking(connection: apsw.Connection, routed: RoutedEvent, *, again: bool) -> list[Delivery]:
    """Return those deliveries of a new decision that the event lacks; none while it waits to be routed."""
    if not rows(connection, "is_decided", routed.event_id):
        return []
    return [each for each in routed.deliveries if again or not _is_served(connection, each)]


def replay_event(
    connection: apsw.Connection, routed: RoutedEvent, spread: Spread | None, now: int, *, again: bool
) -> list[Delivery]:
    """Give an event that was routed before its new decision and the deliveries it lacks; return these."""
    state = routed.entity_state
    applied = state is not None and routed.state in APPLYING
    if not change(connection, "decide_event_anew", routed.state.value, routed.reason, applied, routed.event_id):
        return []
    if state:
        change(connection, "advance_entity", *entity_state_row(state))
    [[number]] = rows(connection, "next_replay", routed.event_id)
    missing = enumerate(lacking(connection, routed, again=again))
    added = [replace(each, replay=number, due_at=spread.due(turn) if spread else each.due_at) for turn, each in missing]
    add_deliveries(connection, added, now)
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


def _decide_alone(connection: apsw.Connection, routed: RoutedEvent, now: int) -> RoutedEvent | None:
    """Write one decision, or set its event aside; return what was written."""
    try:
        with connection:
            return routed if _decide(connection, routed, now) else None
    except Exception as error:
        if not connection.in_transaction or not is_its_own(error):
            raise
        reason = f"cannot be stored: {legible(str(error))}"
    refused = RoutedEvent(routed.event_id, EventState.QUARANTINED, reason)
    return refused if _decide(connection, refused, now) else None


def _decide(connection: apsw.Connection, routed: RoutedEvent, now: int) -> bool:
    state = routed.entity_state
    applied = state is not None and routed.state in APPLYING
    if not change(connection, "decide_event", routed.state.value, routed.reason, applied, routed.event_id):
        return False
    add_deliveries(connection, routed.deliveries, now)
    if state:
        change(connection, "advance_entity", *entity_state_row(state))
    return True


def _is_served(connection: apsw.Connection, delivery: Delivery) -> bool:
    return bool(rows(connection, "is_served", delivery.event_id, delivery.route, delivery.entry))
