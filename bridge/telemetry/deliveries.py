"""The facts of what goes out, and the targets that it goes to."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from bridge.model import Attempt, Breaker, Delivery, DeliveryState, TargetState
from bridge.telemetry import metrics

_log = structlog.get_logger("bridge")

_CHANGED = {
    "wait": "waits",
    "pause": "paused",
    "resume": "resumed",
    "open": "breaker opened",
    "close": "breaker closed",
}


def attempt_made(delivery: Delivery, attempt: Attempt, state: DeliveryState | None) -> None:
    """An attempt ended; ``state`` is what became of the delivery, None when somebody else held it by then."""
    metrics.ATTEMPTS(delivery.target, attempt.outcome.value).inc()
    metrics.ATTEMPT_SECONDS(delivery.target).observe(attempt.duration)
    _log.info(
        f"attempt {attempt.outcome.value}",
        event_id=delivery.event_id,
        delivery_id=delivery.id,
        attempt_id=attempt.id,
        number=attempt.number,
        trigger=attempt.trigger,
        route=delivery.route,
        target=delivery.target,
        key=delivery.key,
        state=state.value if state else "held by another",
        status=attempt.status,
        reason=attempt.reason,
        seconds=round(attempt.duration, 3),
    )
    if state is DeliveryState.DELIVERED:
        metrics.FINISHED(delivery.route, delivery.target, state.value).inc()
    elif state is DeliveryState.DEAD:
        delivery_dead(delivery, attempt.reason)


def delivery_ripened(delivery: Delivery) -> None:
    """The time of a deferred delivery has come."""
    if delivery.state is DeliveryState.DEAD:
        return delivery_dead(delivery, delivery.reason)
    _log.info(
        f"delivery {'due' if delivery.state is DeliveryState.PENDING else delivery.state.value}",
        event_id=delivery.event_id,
        delivery_id=delivery.id,
        route=delivery.route,
        target=delivery.target,
        key=delivery.key,
        reason=delivery.reason,
    )
    return None


def ripening_failed(delivery: Delivery, error: Exception) -> None:
    """Giving a deferred delivery its message hit a defect; it became a dead letter."""
    metrics.DEFECTS.labels("ripening").inc()
    _log.error("ripening failed", delivery_id=delivery.id, exc_info=error)


def delivery_dead(delivery: Delivery, reason: str | None) -> None:
    """A delivery became a dead letter."""
    metrics.FINISHED(delivery.route, delivery.target, DeliveryState.DEAD.value).inc()
    _log.error(
        "delivery dead",
        event_id=delivery.event_id,
        delivery_id=delivery.id,
        route=delivery.route,
        target=delivery.target,
        reason=reason,
    )


def target_failed(target: str, delivery_id: str, error: Exception) -> None:
    """A target's code hit a defect; its delivery became a dead letter."""
    metrics.DEFECTS.labels("target").inc()
    _log.error("target failed", target=target, delivery_id=delivery_id, exc_info=error)


def target_changed(target: str, change: str, reason: str | None, seconds: float | None) -> None:
    """A target was paused or resumed, was made to wait, or its circuit breaker opened or closed."""
    metrics.TARGET_CHANGES.labels(target, change).inc()
    tell = _log.info if change in {"wait", "close", "resume"} else _log.error
    tell(f"target {_CHANGED[change]}", target=target, reason=reason, seconds=seconds)


def targets_seen(targets: Sequence[TargetState]) -> None:
    """It was looked which targets are held, for ``/metrics``."""
    metrics.HELD.clear()
    for target in targets:
        whys = {"gone": not target.present, "paused": target.paused_by, "breaker": target.breaker is not Breaker.CLOSED}
        for why in (why for why, holds in whys.items() if holds):
            metrics.HELD.labels(target.name, why).set(1)


def targets_adopted(gone: Sequence[str], back: Sequence[str]) -> None:
    """Targets are not in the rules any more though deliveries wait for them, or are in them again."""
    for name in gone:
        _log.warning("target gone", target=name)
    for name in back:
        _log.info("target back", target=name)


def lease_rescued(delivery: Delivery) -> None:
    """A delivery that a killed or stuck worker held is due again."""
    metrics.RESCUED.labels(delivery.target).inc()
    _log.warning("lease rescued", delivery_id=delivery.id, event_id=delivery.event_id, target=delivery.target)


def backlog_growing(events: int, deliveries: int, threshold: int) -> None:
    """More waits than is usual."""
    _log.warning("backlog growing", events=events, deliveries=deliveries, threshold=threshold)


def backlog_seen(
    events: int, oldest: datetime | None, deliveries: Mapping[tuple[str, DeliveryState], int], now: datetime
) -> None:
    """What waits was counted, for ``/metrics``."""
    metrics.EVENTS_WAITING.set(events)
    metrics.OLDEST_WAITING.set((now - oldest).total_seconds() if oldest else 0)
    metrics.DELIVERIES_WAITING.clear()
    for (target, state), count in deliveries.items():
        metrics.DELIVERIES_WAITING.labels(target, state.value).set(count)
