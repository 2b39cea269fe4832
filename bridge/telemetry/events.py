"""The facts of what comes in, and what routing decides of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal

import structlog

from bridge.errors import StoreError
from bridge.model import DeliveryState, Entity, Event, RoutedEvent
from bridge.telemetry import metrics
from bridge.telemetry.deliveries import delivery_dead

_log = structlog.get_logger("bridge")


def event_received(event: Event, now: datetime) -> None:
    """A webhook was stored. What became of its event is told when it is routed."""
    metrics.WEBHOOKS(event.source, "stored").inc()
    metrics.STORED_AFTER.observe((now - event.received_at).total_seconds())


def event_repeated(event: Event, known: str) -> None:
    """A webhook came that is stored already, under the id ``known``."""
    metrics.WEBHOOKS(event.source, "duplicate").inc()
    _log.info("webhook repeated", event_id=known, event_name=event.name, source=event.source)


def event_quarantined(event: Event) -> None:
    """A webhook could not be understood, and was kept."""
    metrics.WEBHOOKS(event.source, "quarantined").inc()
    _log.warning("webhook quarantined", event_id=event.id, source=event.source, reason=event.reason)


def webhook_refused(source: str | None, reason: str) -> None:
    """A webhook was refused; ``source`` is None where no configured source was named."""
    metrics.WEBHOOKS(source or "unknown", "refused").inc()
    tell = _log.warning if source else _log.info
    tell("webhook refused", source=source, reason=reason)


def webhook_probed(source: str) -> None:
    """The sender asked whether the address answers."""
    metrics.WEBHOOKS(source, "probe").inc()
    _log.info("webhook address probed", source=source)


def webhook_not_stored(source: str, error: Exception) -> None:
    """A webhook was answered 503: the sender will try again."""
    metrics.WEBHOOKS(source, "unavailable").inc()
    metrics.STORE_FAILURES.inc()
    defect = None if isinstance(error, StoreError) else error  # a full disk needs no trace for every webhook
    _log.error("webhook not stored", source=source, reason=str(error), exc_info=defect)


def webhook_turned_away(source: str, limit: str) -> None:
    """A webhook was answered 503 because there is no room: its limit is told once, when it is reached."""
    metrics.WEBHOOKS(source, "unavailable").inc()
    metrics.TURNED_AWAY.labels(limit).inc()


def feed_asked(target: str | None, result: str) -> None:
    """A calendar asked for a feed; ``target`` is None where it knew no secret of any."""
    metrics.FEEDS.labels(target or "unknown", result).inc()


def reading_failed(source: str, error: Exception) -> None:
    """Reading a webhook hit a defect; the webhook was set aside."""
    metrics.DEFECTS.labels("reading").inc()
    _log.error("reading failed", source=source, exc_info=error)


def event_routed(event: Event, routed: RoutedEvent, now: datetime) -> None:
    """An event was decided."""
    seconds = (now - event.received_at).total_seconds()
    metrics.EVENTS(event.source, event.name, routed.state.value).inc()
    metrics.DECIDED_AFTER.observe(seconds)
    _log.info(
        f"event {routed.state.value}",
        event_id=event.id,
        event_name=event.name,
        source=event.source,
        entity=str(event.entity) if event.entity else None,
        reason=routed.reason,
        routes=sorted({delivery.route for delivery in routed.deliveries}),
        deliveries=[delivery.id for delivery in routed.deliveries],
        seconds=round(seconds, 3),
    )
    for delivery in routed.deliveries:
        if delivery.state is DeliveryState.DEAD:
            delivery_dead(delivery, delivery.reason)


def routing_failed(event: Event, error: Exception) -> None:
    """Routing an event hit a defect; the event was set aside."""
    metrics.DEFECTS.labels("routing").inc()
    _log.error("routing failed", event_id=event.id, event_name=event.name, exc_info=error)


@lru_cache(maxsize=1024)
def state_unreadable(source: str, entity: Entity, event_id: str) -> None:
    """The last state of an entity, left by an event, is damaged; told once, though it is read more often."""
    metrics.DEFECTS.labels("state").inc()
    _log.error("state unreadable", source=source, entity=str(entity), event_id=event_id)


def former_unreadable(route: str, event_id: str) -> None:
    """What a digest told of an event is damaged: the next digest is compared with nothing."""
    metrics.DEFECTS.labels("former").inc()
    _log.error("former unreadable", route=route, event_id=event_id)


def dispatching_failed(error: Exception) -> None:
    """A batch of events hit a defect beyond any one of them; it is taken again a moment later."""
    metrics.DEFECTS.labels("dispatching").inc()
    _log.error("dispatching failed", exc_info=error)


def source_suspended(source: str, suspended: Sequence[str], deleted: Sequence[str]) -> None:
    """Webhooks of these events are posted no more."""
    _log.error("source suspended", source=source, suspended=list(suspended), deleted=list(deleted))


def source_resumed(source: str) -> None:
    """All webhooks of a source are posted again."""
    _log.info("source resumed", source=source)


def watching_failed(source: str, reason: str) -> None:
    """It could not be seen whether the webhooks of a source are posted."""
    _log.warning("watching failed", source=source, reason=reason)


def webhooks_subscribed(source: str, acts: Mapping[str, int]) -> None:
    """Webhooks of a source were registered, or are as they should be: how often each was done."""
    _log.info("webhooks subscribed", source=source, **acts)


def subscribing_failed(source: str, reasons: Sequence[str], seconds: float) -> None:
    """Webhooks of a source could not be registered; it is tried again after so long."""
    _log.warning("subscribing failed", source=source, reasons=list(reasons), again_in=round(seconds))


def gap_repaired(
    source: str, purpose: str, looked: Mapping[str, int], added: int, unsure: Mapping[str, int], error: str | None
) -> None:
    """What was missed was looked for, or a baseline imported; ``looked`` counts by kind, ``added`` what was new.

    ``unsure`` counts by kind what may be deleted.
    """
    facts = {"source": source, "purpose": purpose, "looked": dict(looked), "added": added, "unsure": dict(unsure)}
    if error is None:
        _log.info("gap repaired", **facts)
    else:
        _log.warning("repair failed", **facts, reason=error)


def operator_event(event: Event, *, kept: bool) -> None:
    """Something about bridge itself is an event for the routes; without ``kept`` too many wait, and it is none."""
    metrics.TOLD.labels(event.name).inc()
    facts = {"event_id": event.id, "event_name": event.name, "entity": str(event.entity)}
    if kept:
        _log.info("operator event", **facts)
    else:
        _log.error("operator event lost", **facts)


def source_silent(source: str, last: datetime | None, seconds: float) -> None:
    """A source has sent nothing for longer than is usual; ``last`` is when it did."""
    _log.warning("source silent", source=source, last_event_at=last and last.isoformat(), seconds=round(seconds))


def looked_up(source: str, place: Literal["state", "memory", "api", "nowhere"]) -> None:
    """Something was looked up for a message: among the last states, in what an API said before, or by asking it."""
    metrics.LOOKED_UP.labels(source, place).inc()


def look_up_failed(source: str, what: str, error: BaseException | None) -> None:
    """The API of a source did not tell what was asked for, or not in time; messages go without for a while."""
    metrics.LOOKED_UP.labels(source, "nowhere").inc()
    _log.warning("look-up failed", source=source, what=what, reason=str(error) if error else "it took too long")
