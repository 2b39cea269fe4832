"""What the writer does with events and last states."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeAlias

import apsw

from bridge.errors import legible
from bridge.model import Delivery, EntityState, Event, EventState, RoutedEvent, StateKey
from bridge.store.nouns import Spread
from bridge.store.sqlite.deferrals import call_off
from bridge.store.sqlite.deliveries import add_deliveries
from bridge.store.sqlite.failure import is_its_own
from bridge.store.sqlite.queries import Row, change, change_each, rows
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
    change_each(connection, "add_event", events)
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
        known = bool(event.entity and (event.source, event.entity) in states)
        if row[EVENT_COLUMNS] and not known and (state := entity_state_of(row[EVENT_COLUMNS:])):
            states[state.source, state.entity] = state
    return events, states


def commit_decisions(connection: apsw.Connection, batch: Sequence[RoutedEvent], now: int) -> list[RoutedEvent]:
    """Write what was decided for events that are still undecided; return what was written.

    A decision that cannot be written becomes quarantine of its event, so that it never stops the others.
    """
    try:
        with connection:
            return _decide(connection, batch, now)
    except Exception as error:
        if not connection.in_transaction or not is_its_own(error):
            raise
    return [written for routed in batch for written in _decide_alone(connection, routed, now)]


def lacking(connection: apsw.Connection, routed: RoutedEvent, *, again: bool) -> list[Delivery]:
    """Return those deliveries of a new decision that the event lacks; none while it waits to be routed."""
    if not rows(connection, "is_decided", routed.event_id):
        return []
    return [each for each in routed.deliveries if again or not _is_served(connection, each)]


def replay_event(
    connection: apsw.Connection, routed: RoutedEvent, spread: Spread | None, now: int, *, again: bool
) -> list[Delivery]:
    """Give an event that was routed before its new decision and the deliveries it lacks; return these."""
    decided = (routed.state.value, routed.reason, _is_applied(routed), routed.event_id)
    if not change(connection, "decide_event_anew", *decided):
        return []
    if routed.entity_state:
        change_each(connection, "advance_entity", [entity_state_row(routed.entity_state)])
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


def _decide_alone(connection: apsw.Connection, routed: RoutedEvent, now: int) -> list[RoutedEvent]:
    """Write one decision, or set its event aside; return what was written."""
    try:
        with connection:
            return _decide(connection, [routed], now)
    except Exception as error:
        if not connection.in_transaction or not is_its_own(error):
            raise
        reason = f"cannot be stored: {legible(str(error))}"
    return _decide(connection, [RoutedEvent(routed.event_id, EventState.QUARANTINED, reason)], now)


def _decide(connection: apsw.Connection, batch: Sequence[RoutedEvent], now: int) -> list[RoutedEvent]:
    """Write decisions; of one whose event is decided already, nothing.

    Raises:
        LookupError: there are several, and that is so of some.
    """
    if change_each(connection, "decide_event", list(map(_decision_row, batch))) < len(batch):
        if len(batch) > 1:
            raise LookupError("not all of them are undecided")
        return []
    for calls, run in groupby(batch, lambda routed: bool(routed.called_off)):
        _plan(connection, list(run), now, in_turn=calls)
    states = [entity_state_row(routed.entity_state) for routed in batch if routed.entity_state]
    change_each(connection, "advance_entity", states)
    return [*batch]


def _plan(connection: apsw.Connection, decided: Sequence[RoutedEvent], now: int, *, in_turn: bool) -> None:
    """Add the deliveries of events; where one calls something off, each event in its turn."""
    if not in_turn:
        return add_deliveries(connection, [delivery for routed in decided for delivery in routed.deliveries], now)
    for routed in decided:
        call_off(connection, routed.event_id, routed.called_off)
        add_deliveries(connection, routed.deliveries, now)
    return None


def _decision_row(routed: RoutedEvent) -> Row:
    return (routed.event_id, routed.state.value, routed.reason, _is_applied(routed))


def _is_applied(routed: RoutedEvent) -> bool:
    return routed.entity_state is not None and routed.state in APPLYING


def _is_served(connection: apsw.Connection, delivery: Delivery) -> bool:
    return bool(rows(connection, "is_served", delivery.event_id, delivery.route, delivery.entry))
