"""What the readers answer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

import apsw

from bridge.model import Attempt, Delivery, DeliveryState, Entity, EntityState, Event, Link, TargetState
from bridge.store.nouns import Backlog, DeliveryQuery, EventQuery
from bridge.store.sqlite.queries import SQL, Row, first, rows
from bridge.store.sqlite.rows import (
    attempt_of,
    delivery_of,
    entity_state_of,
    event_of,
    link_of,
    microseconds,
    moment_of,
    target_of,
)

LIST_DELIVERIES = f"{SQL['get_delivery']} ORDER BY d.seq {{order}} LIMIT ?"
UNFINISHED = (DeliveryState.PENDING, DeliveryState.DELIVERING, DeliveryState.PARKED)


class Condition(NamedTuple):
    """One term of a WHERE clause and the value it binds, if it applies.

    Lists are read from one end on. Where few rows of many are wanted, a term says ``seq IN (…)`` and lets an index
    name them; where an index would name nearly all, a ``+`` keeps it away.
    """

    sql: str
    value: str | int | None


def list_events(connection: apsw.Connection, query: EventQuery) -> list[Event]:
    """List events."""
    kind, id_ = (query.entity.kind, query.entity.id) if query.entity else (None, None)
    conditions = [
        Condition("+source = ?", query.source),
        Condition("name = ?", query.name),
        Condition("entity_kind = ?", kind),
        Condition("entity_id = ?", id_),
        Condition("seq IN (SELECT seq FROM event WHERE received_at >= ?)", _bound(query.since)),
        Condition("received_at < ?", _bound(query.until)),
    ]
    found = _listed(connection, SQL["list_events"], query, _state(query.states), conditions)
    return [event_of(row) for row in found]


def list_deliveries(connection: apsw.Connection, query: DeliveryQuery) -> list[Delivery]:
    """List deliveries."""
    conditions = [
        Condition("d.target = ?", query.target),
        Condition("d.route = ?", query.route),
        Condition("d.event_id = ?", query.event_id),
        Condition("d.created_at >= ?", _bound(query.since)),
        Condition("d.created_at < ?", _bound(query.until)),
    ]
    found = _listed(connection, LIST_DELIVERIES, query, _seen_states(query.states), conditions)
    return [delivery_of(row) for row in found]


def _seen_states(states: Sequence[DeliveryState]) -> str:
    """Return the term for the states that deliveries are seen in: what is pending for a held target is parked."""
    wanted, waiting = set(states), {DeliveryState.PENDING, DeliveryState.PARKED}
    stored = tuple(state for state in DeliveryState if state in (wanted | waiting if wanted & waiting else wanted))
    term = _state(stored).replace("state ", "d.state ", 1)
    if wanted and wanted <= set(UNFINISHED):
        term = SQL["unfinished_only"].format(unfinished=_state(UNFINISHED), states=_state(stored))
    if len(wanted & waiting) == 1:
        parked = "(d.state = 'parked' OR d.state = 'pending' AND coalesce(t.held, 0))"
        other = f"d.state NOT IN ('pending', 'parked') OR {'' if DeliveryState.PARKED in wanted else 'NOT '}{parked}"
        term = f"{term} AND ({other})"
    return term


def find_event(connection: apsw.Connection, id_: str) -> Event | None:
    """Return one event."""
    row = first(connection, "get_event", id_)
    return event_of(row) if row else None


def preceding_event(connection: apsw.Connection, event: Event) -> Event | None:
    """Return the newest earlier event that became the last state of the same entity."""
    if event.entity is None:
        return None
    row = first(connection, "preceding_event", event.entity.kind, event.entity.id, event.source, event.id)
    return event_of(row) if row else None


def find_entity_state(connection: apsw.Connection, source: str, entity: Entity) -> EntityState | None:
    """Return an entity's last state."""
    row = first(connection, "get_entity_state", source, entity.kind, entity.id)
    return entity_state_of(row) if row else None


def living_entities(connection: apsw.Connection, source: str, kind: str) -> list[str]:
    """Return the ids of the entities of a kind whose last state is no deletion."""
    return [id_ for [id_] in rows(connection, "living_entities", source, kind)]


def count_by_hour(connection: apsw.Connection, source: str, since: int) -> dict[int, int]:
    """Return how many events of a source came in each hour since 1970."""
    return dict(rows(connection, "count_by_hour", source, since))


def find_delivery(connection: apsw.Connection, id_: str) -> Delivery | None:
    """Return one delivery."""
    found = connection.execute(SQL["get_delivery"].format(conditions="d.id = ?"), (id_,)).fetchall()
    return delivery_of(found[0]) if found else None


def attempts_of(connection: apsw.Connection, delivery_id: str) -> list[Attempt]:
    """Return a delivery's attempts, oldest first."""
    return [attempt_of(row) for row in rows(connection, "attempts_of", delivery_id)]


def find_link(connection: apsw.Connection, target: str, key: str) -> Link | None:
    """Return the link of a target's key."""
    row = first(connection, "get_link", target, key)
    return link_of(row) if row else None


def links_not_over(connection: apsw.Connection, target: str, over_since: datetime, most: int) -> list[Link]:
    """Return a target's links that are not over by then, by their keys."""
    since = over_since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [link_of(row) for row in rows(connection, "links_not_over", target, since, most)]


def list_targets(connection: apsw.Connection) -> list[TargetState]:
    """List targets by name."""
    return [target_of(row) for row in rows(connection, "list_targets")]


def count_backlog(connection: apsw.Connection) -> Backlog:
    """Count what waits."""
    [[received, oldest]] = rows(connection, "count_received")
    counts = [row for name in ("unfinished", "dead", "deferred") for row in rows(connection, f"count_{name}")]
    return Backlog(
        events_received=received,
        oldest_received_at=None if oldest is None else moment_of(oldest),
        deliveries={(target, DeliveryState(state)): count for target, state, count in counts},
        size=_size(connection),
    )


def _size(connection: apsw.Connection) -> int:
    """Return what the file holds, without the pages that are free again."""
    [[pages, free, size]] = rows(connection, "count_pages")
    return int((pages - free) * size)


def _listed(
    connection: apsw.Connection, sql: str, query: EventQuery | DeliveryQuery, states: str, conditions: list[Condition]
) -> list[Row]:
    applied = [condition for condition in conditions if condition.value is not None]
    clause = " AND ".join([states, *(condition.sql for condition in applied)])
    values = (*(condition.value for condition in applied), query.limit)
    order = "ASC" if query.oldest_first else "DESC"
    return connection.execute(sql.format(conditions=clause, order=order), values).fetchall()


def _bound(moment: datetime | None) -> int | None:
    return None if moment is None else microseconds(moment)


def _state(states: Sequence[StrEnum]) -> str:
    """Return the term for these states, written out, because a partial index serves only the text it was made for."""
    if not states:
        return "TRUE"
    if len(states) == 1:
        return f"state = '{states[0].value}'"
    return f"state IN ({', '.join(repr(state.value) for state in states)})"
