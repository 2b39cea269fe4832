"""Rows as nouns and nouns as rows. Times are microseconds since 1970, JSON is text."""

from datetime import UTC, datetime, timedelta

import orjson

from bridge import telemetry
from bridge.model import (
    Attempt,
    Breaker,
    Deferred,
    Delivery,
    DeliveryState,
    Entity,
    EntityState,
    Event,
    EventState,
    Json,
    JsonObject,
    Link,
    Outcome,
    TargetState,
    Terms,
)
from bridge.store.sqlite.queries import Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SEPARATOR = "\n"
"""Between the bucket and the route in a lane."""
USUAL = Terms()
EVENT_STATES = {state.value: state for state in EventState}
DELIVERY_STATES = {state.value: state for state in DeliveryState}
"""By their values: calling an enumeration looks the same up, ten times as slowly."""


def microseconds(moment: datetime) -> int:
    """Return an aware datetime as microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(value: int) -> datetime:
    """Return the aware datetime in UTC of so many microseconds since 1970."""
    return EPOCH + value * MICROSECOND


def json_text(value: Json) -> str:
    """Return a value as JSON text.

    Raises:
        TypeError: it holds what JSON cannot, such as an integer of more than 64 bits.
    """
    return orjson.dumps(value).decode()


def event_row(event: Event) -> Row:
    """Return an event in the order of ``add_event``."""
    entity = event.entity
    return (
        event.id,
        event.source,
        event.name,
        entity.kind if entity else None,
        entity.id if entity else None,
        event.dedup_key,
        microseconds(event.received_at),
        microseconds(event.occurred_at) if event.occurred_at else None,
        event.state.value,
        event.reason,
        event.body,
    )


def event_of(row: Row) -> Event:
    """Return the event of a row in the order of ``get_event``; a body that retention dropped is empty."""
    id_, source, name, kind, entity_id, dedup_key, received_at, occurred_at, state, reason, body = row
    return Event(
        id=id_,
        source=source,
        name=name,
        entity=None if kind is None else Entity(kind, entity_id),
        dedup_key=dedup_key,
        body=body or b"",
        received_at=moment_of(received_at),
        occurred_at=None if occurred_at is None else moment_of(occurred_at),
        state=EVENT_STATES[state],
        reason=reason,
    )


def entity_state_row(state: EntityState) -> Row:
    """Return a last state in the order of ``advance_entity``."""
    return (
        state.source,
        state.entity.kind,
        state.entity.id,
        state.version,
        state.event_id,
        state.deleted,
        state.created_seen,
        state.found,
        json_text(state.document),
    )


def entity_state_of(row: Row) -> EntityState | None:
    """Return the last state of a row in the order of ``get_entity_state``; None, and told, if it cannot be read.

    One state that was damaged must not stop the routing of all events, so its entity is as if never seen.
    """
    source, kind, id_, version, event_id, deleted, created_seen, found, document = row
    entity, known = Entity(kind, id_), object_of(document)
    if known is None:
        telemetry.state_unreadable(source, entity, event_id)
        return None
    return EntityState(source, entity, known, version, event_id, bool(deleted), bool(created_seen), bool(found))


def object_of(text: bytes | None) -> JsonObject | None:
    """Return a JSON object; None if there is no text, or it is damaged, for which it need not even be UTF-8."""
    if text is None:
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def delivery_row(delivery: Delivery) -> Row:
    """Return a delivery in the order of ``add_delivery``."""
    return (
        delivery.id,
        delivery.event_id,
        delivery.route,
        delivery.entry,
        delivery.replay,
        delivery.target,
        delivery.key,
        delivery.state.value,
        microseconds(delivery.due_at),
        microseconds(delivery.created_at),
        delivery.attempts,
        delivery.reason,
        None if delivery.content is None else json_text(delivery.content),
        terms_text(delivery.terms),
        delivery.queue,
        lane_of(delivery),
    )


def lane_of(delivery: Delivery) -> str:
    """Return the lane that a delivery waits in."""
    return f"{delivery.bucket}{SEPARATOR}{delivery.route}"


def deferred_of(row: Row, before: bytes | None, delivery_id: str = "") -> Deferred:
    """Return what a deferred delivery tells of: the event of a row, beside what it is compared with."""
    document = object_of(before)
    return Deferred(event_of(row), document, delivery_id, damaged=before is not None and document is None)


def ripened_row(delivery: Delivery) -> Row:
    """Return what became of a deferred delivery, in the order of ``ripen_delivery``."""
    return (
        delivery.id,
        delivery.state.value,
        delivery.key,
        delivery.queue,
        lane_of(delivery),
        None if delivery.content is None else json_text(delivery.content),
        terms_text(delivery.terms),
        delivery.reason,
        microseconds(delivery.due_at),
    )


def delivery_of(row: Row) -> Delivery:
    """Return the delivery of a row in the order of ``get_delivery``; one whose content is damaged has none."""
    id_, event_id, route, entry, replay, target, key, state, due_at, created_at, *rest = row
    attempts, failures, give_up_at, uncertain, reason, terms, lane, content = rest
    return Delivery(
        id=id_,
        event_id=event_id,
        route=route,
        entry=entry,
        target=target,
        key=key,
        state=DELIVERY_STATES[state],
        content=object_of(content),
        due_at=moment_of(due_at),
        created_at=moment_of(created_at),
        attempts=attempts,
        failures=failures,
        give_up_at=None if give_up_at is None else moment_of(give_up_at),
        uncertain=bool(uncertain),
        replay=replay,
        reason=reason,
        bucket=lane.partition(SEPARATOR)[0],
        terms=USUAL if terms is None else _terms_of(terms),
    )


def _terms_of(text: str) -> Terms:
    """Return terms that are written as JSON; the usual ones where these are damaged."""
    try:
        return Terms(**orjson.loads(text))
    except (ValueError, TypeError):
        return USUAL


def terms_text(terms: Terms) -> str | None:
    """Return terms as JSON text; None for the usual ones."""
    if terms == USUAL:
        return None
    parts: dict[str, Json] = {
        "retry": dict(terms.retry),
        "on_unknown": terms.on_unknown,
        "ordered": terms.ordered,
        "supersedes": terms.supersedes,
        "quiet": terms.quiet,
    }
    return json_text(parts)


def target_of(row: Row) -> TargetState:
    """Return the target of a row in the order of ``list_targets``."""
    name, present, paused_by, breaker, reason, since, retry_at, wait_until = row
    return TargetState(
        name=name,
        present=bool(present),
        paused_by=paused_by,
        breaker=Breaker(breaker),
        reason=reason,
        since=None if since is None else moment_of(since),
        retry_at=None if retry_at is None else moment_of(retry_at),
        wait_until=moment_of(wait_until) if wait_until else None,
    )


def attempt_row(attempt: Attempt) -> Row:
    """Return an attempt in the order of ``add_attempt``."""
    return (
        attempt.id,
        attempt.delivery_id,
        attempt.number,
        attempt.outcome.value,
        attempt.trigger,
        microseconds(attempt.started_at),
        attempt.duration,
        attempt.status,
        attempt.reason,
        attempt.excerpt,
    )


def attempt_of(row: Row) -> Attempt:
    """Return the attempt of a row in the order of ``attempts_of``."""
    id_, delivery_id, number, outcome, trigger, started_at, duration, status, reason, excerpt = row
    started = moment_of(started_at)
    return Attempt(id_, delivery_id, number, Outcome(outcome), trigger, started, duration, status, reason, excerpt)


def link_row(link: Link, now: int) -> Row:
    """Return a link in the order of ``put_link``."""
    return (link.target, link.key, link.external_id, json_text(link.data), now)


def link_of(row: Row) -> Link:
    """Return the link of a row in the order of ``get_link``."""
    target, key, external_id, data = row
    return Link(target, key, external_id, orjson.loads(data))
