"""The nouns as JSON: one shape for the API, its client and ``--format json``. Times are ISO 8601 in UTC."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import orjson

from bridge.model import Attempt, Delivery, EntityState, Event, Json, Link
from bridge.store.nouns import Backlog

Shape: TypeAlias = dict[str, Any]
"""A plain JSON object with the keys of its kind; docs/reference/cli.md lists them."""


def moment(time: datetime | None) -> str | None:
    """Return a time as text."""
    return time.isoformat() if time else None


def event_shape(event: Event) -> Shape:
    """Return an event without its body, as lists show it."""
    entity: Json = {"kind": event.entity.kind, "id": event.entity.id} if event.entity else None
    return {
        "id": event.id,
        "source": event.source,
        "name": event.name,
        "origin": event.origin,
        "entity": entity,
        "state": event.state,
        "reason": event.reason,
        "received_at": moment(event.received_at),
        "occurred_at": moment(event.occurred_at),
    }


def body_shape(body: bytes) -> Json:
    """Return the body of a webhook: as JSON if it is that, else as text; None if it is not kept any more."""
    if not body:
        return None
    try:
        parsed: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")
    return body.decode() if too_deep(parsed) else parsed


def too_deep(value: Json) -> bool:
    """Tell whether a value is nested too deeply to be written as JSON within an answer; more can be read than that."""
    try:
        orjson.dumps([[[[value]]]])
    except (orjson.JSONEncodeError, RecursionError):
        return True
    return False


def delivery_shape(delivery: Delivery) -> Shape:
    """Return a delivery without its message, as lists show it."""
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "route": delivery.route,
        "entry": delivery.entry,
        "target": delivery.target,
        "key": delivery.key,
        "state": delivery.state,
        "reason": delivery.reason,
        "attempt_count": delivery.attempts,
        "failures": delivery.failures,
        "uncertain": delivery.uncertain,
        "replay": delivery.replay,
        "created_at": moment(delivery.created_at),
        "due_at": moment(delivery.due_at),
        "give_up_at": moment(delivery.give_up_at),
    }


def attempt_shape(attempt: Attempt) -> Shape:
    """Return one attempt."""
    return {
        "id": attempt.id,
        "number": attempt.number,
        "outcome": attempt.outcome,
        "trigger": attempt.trigger,
        "started_at": moment(attempt.started_at),
        "duration": round(attempt.duration, 6),
        "status": attempt.status,
        "reason": attempt.reason,
        "excerpt": attempt.excerpt,
    }


def history_shape(delivery: Delivery, attempts: Sequence[Attempt]) -> Shape:
    """Return a delivery with its attempts, oldest first."""
    return {**delivery_shape(delivery), "attempts": [attempt_shape(attempt) for attempt in attempts]}


def state_shape(state: EntityState) -> Shape:
    """Return an entity's last state."""
    return {
        "source": state.source,
        "entity": {"kind": state.entity.kind, "id": state.entity.id},
        "event_id": state.event_id,
        "version": state.version,
        "deleted": state.deleted,
        "created_seen": state.created_seen,
        "document": state.document,
    }


def link_shape(link: Link) -> Shape:
    """Return what a target made for a key."""
    return {"key": link.key, "external_id": link.external_id, **link.data}


def backlog_shape(backlog: Backlog) -> Shape:
    """Return what waits; deliveries are counted under ``target/state``."""
    return {
        "events_received": backlog.events_received,
        "oldest_received_at": moment(backlog.oldest_received_at),
        "deliveries": {f"{target}/{state}": count for (target, state), count in sorted(backlog.deliveries.items())},
    }
