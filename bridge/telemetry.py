"""The facts of a running bridge: one function each, which logs it in one wide line and counts it.

Nothing here decides anything. Labels come from the configuration and the catalog alone, so that their number is
bounded; no secret, address, id or piece of a customer's data is ever one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from bridge.errors import StoreError
from bridge.model import Attempt, Breaker, Delivery, DeliveryState, Event, RoutedEvent, TargetState
from bridge.options import Problem

REGISTRY = CollectorRegistry()
"""What ``/metrics`` shows."""

_log = structlog.get_logger("bridge")

ProcessCollector(registry=REGISTRY)

DEADLINE = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Bounds for what must be quick: the CRM waits five seconds for an answer."""

_WEBHOOKS = Counter("bridge_webhooks", "Webhooks, by how they were answered.", ["source", "result"], registry=REGISTRY)
_STORED_AFTER = Histogram(
    "bridge_webhook_stored_after_seconds",
    "Seconds from reading a webhook to its event being durable.",
    buckets=DEADLINE,
    registry=REGISTRY,
)
_EVENTS = Counter(
    "bridge_events", "Events, by what routing decided.", ["source", "event_name", "state"], registry=REGISTRY
)
_DECIDED_AFTER = Histogram(
    "bridge_event_decided_after_seconds", "Seconds from receiving an event to routing it.", registry=REGISTRY
)
_ATTEMPTS = Counter("bridge_attempts", "Attempts, by outcome.", ["target", "outcome"], registry=REGISTRY)
_ATTEMPT_SECONDS = Histogram("bridge_attempt_seconds", "Seconds one attempt took.", ["target"], registry=REGISTRY)
_FINISHED = Counter(
    "bridge_deliveries_finished", "Deliveries delivered or dead.", ["route", "target", "state"], registry=REGISTRY
)
_TARGET_CHANGES = Counter(
    "bridge_target_changes", "Times a target was held, delayed or let go.", ["target", "change"], registry=REGISTRY
)
_CHANGED = {
    "wait": "waits",
    "pause": "paused",
    "resume": "resumed",
    "open": "breaker opened",
    "close": "breaker closed",
}
_HELD = Gauge("bridge_target_held", "1 while nothing is sent to a target.", ["target", "why"], registry=REGISTRY)
_TOLD = Counter("bridge_operator_events", "Events about bridge itself.", ["event_name"], registry=REGISTRY)
_RESCUED = Counter("bridge_leases_rescued", "Leases that a killed worker left.", ["target"], registry=REGISTRY)
_RELOADS = Counter("bridge_reloads", "Loads of the rules, by result.", ["result"], registry=REGISTRY)
_REFUSED = Gauge("bridge_rules_refused", "1 while the files hold rules that were refused.", registry=REGISTRY)
_REVISION = Gauge("bridge_rules_info", "The revision of the rules in force.", ["revision"], registry=REGISTRY)
_STORE_FAILURES = Counter("bridge_store_failures", "Times the store could not be written.", registry=REGISTRY)
_DEFECTS = Counter("bridge_defects", "Defects of bridge itself that were contained.", ["where"], registry=REGISTRY)
_LINES_LOST = Counter("bridge_log_lines_lost", "Lines of the log that nobody read in time.", registry=REGISTRY)
_EVENTS_WAITING = Gauge("bridge_events_waiting", "Events received and not yet routed.", registry=REGISTRY)
_OLDEST_WAITING = Gauge("bridge_oldest_event_waiting_seconds", "Age of the oldest of them.", registry=REGISTRY)
_DELIVERIES_WAITING = Gauge(
    "bridge_deliveries_waiting", "Deliveries that are not delivered.", ["target", "state"], registry=REGISTRY
)
_TURNED_AWAY = Counter(
    "bridge_webhooks_turned_away", "Webhooks answered 503 because a limit is reached.", ["limit"], registry=REGISTRY
)
_NO_ROOM = Gauge("bridge_no_room", "1 while a limit is reached.", ["limit"], registry=REGISTRY)
_STORE_BYTES = Gauge("bridge_store_bytes", "Bytes that the store holds.", registry=REGISTRY)
_DISK_FREE = Gauge("bridge_disk_free_bytes", "Bytes that are free where the data is.", registry=REGISTRY)
_PRUNED = Counter("bridge_pruned", "What retention let go.", ["what"], registry=REGISTRY)

# Ingest is the hot path: a child that was looked up once costs a tenth of a look-up.
_stored: dict[str, Any] = {}


def event_received(event: Event, now: datetime) -> None:
    """A webhook was stored. What became of its event is told when it is routed."""
    child = _stored.get(event.source)
    if child is None:
        child = _stored[event.source] = _WEBHOOKS.labels(event.source, "stored")
    child.inc()
    _STORED_AFTER.observe((now - event.received_at).total_seconds())


def event_repeated(event: Event, known: str) -> None:
    """A webhook came that is stored already, under the id ``known``."""
    _WEBHOOKS.labels(event.source, "duplicate").inc()
    _log.info("webhook repeated", event_id=known, event_name=event.name, source=event.source)


def event_quarantined(event: Event) -> None:
    """A webhook could not be understood, and was kept."""
    _WEBHOOKS.labels(event.source, "quarantined").inc()
    _log.warning("webhook quarantined", event_id=event.id, source=event.source, reason=event.reason)


def webhook_refused(source: str | None, reason: str) -> None:
    """A webhook was refused; ``source`` is None where no configured source was named."""
    _WEBHOOKS.labels(source or "unknown", "refused").inc()
    tell = _log.warning if source else _log.info
    tell("webhook refused", source=source, reason=reason)


def webhook_probed(source: str) -> None:
    """The sender asked whether the address answers."""
    _WEBHOOKS.labels(source, "probe").inc()
    _log.info("webhook address probed", source=source)


def webhook_not_stored(source: str, error: Exception) -> None:
    """A webhook was answered 503: the sender will try again."""
    _WEBHOOKS.labels(source, "unavailable").inc()
    _STORE_FAILURES.inc()
    defect = None if isinstance(error, StoreError) else error  # a full disk needs no trace for every webhook
    _log.error("webhook not stored", source=source, reason=str(error), exc_info=defect)


def webhook_turned_away(source: str, limit: str) -> None:
    """A webhook was answered 503 because there is no room: its limit is told once, when it is reached."""
    _WEBHOOKS.labels(source, "unavailable").inc()
    _TURNED_AWAY.labels(limit).inc()


def reading_failed(source: str, error: Exception) -> None:
    """Reading a webhook hit a defect; the webhook was set aside."""
    _DEFECTS.labels("reading").inc()
    _log.error("reading failed", source=source, exc_info=error)


def event_routed(event: Event, routed: RoutedEvent, now: datetime) -> None:
    """An event was decided."""
    seconds = (now - event.received_at).total_seconds()
    _EVENTS.labels(event.source, event.name, routed.state.value).inc()
    _DECIDED_AFTER.observe(seconds)
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
    _DEFECTS.labels("routing").inc()
    _log.error("routing failed", event_id=event.id, event_name=event.name, exc_info=error)


def delivery_ripened(delivery: Delivery) -> None:
    """The time of a deferred delivery has come."""
    _log.info(
        f"delivery {'due' if delivery.state is DeliveryState.PENDING else delivery.state.value}",
        event_id=delivery.event_id,
        delivery_id=delivery.id,
        route=delivery.route,
        target=delivery.target,
        key=delivery.key,
        reason=delivery.reason,
    )
    if delivery.state is DeliveryState.DEAD:
        delivery_dead(delivery, delivery.reason)


def ripening_failed(delivery: Delivery, error: Exception) -> None:
    """Giving a deferred delivery its message hit a defect; it became a dead letter."""
    _DEFECTS.labels("ripening").inc()
    _log.error("ripening failed", delivery_id=delivery.id, exc_info=error)


def dispatching_failed(error: Exception) -> None:
    """A batch of events hit a defect beyond any one of them; it is taken again a moment later."""
    _DEFECTS.labels("dispatching").inc()
    _log.error("dispatching failed", exc_info=error)


def attempt_made(delivery: Delivery, attempt: Attempt, state: DeliveryState | None) -> None:
    """An attempt ended; ``state`` is what became of the delivery, None when somebody else held it by then."""
    _ATTEMPTS.labels(delivery.target, attempt.outcome.value).inc()
    _ATTEMPT_SECONDS.labels(delivery.target).observe(attempt.duration)
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
        _FINISHED.labels(delivery.route, delivery.target, state.value).inc()
    elif state is DeliveryState.DEAD:
        delivery_dead(delivery, attempt.reason)


def delivery_dead(delivery: Delivery, reason: str | None) -> None:
    """A delivery became a dead letter."""
    _FINISHED.labels(delivery.route, delivery.target, DeliveryState.DEAD.value).inc()
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
    _DEFECTS.labels("target").inc()
    _log.error("target failed", target=target, delivery_id=delivery_id, exc_info=error)


def target_changed(target: str, change: str, reason: str | None, seconds: float | None) -> None:
    """A target was paused or resumed, was made to wait, or its circuit breaker opened or closed."""
    _TARGET_CHANGES.labels(target, change).inc()
    tell = _log.info if change in {"wait", "close", "resume"} else _log.error
    tell(f"target {_CHANGED[change]}", target=target, reason=reason, seconds=seconds)


def targets_seen(targets: Sequence[TargetState]) -> None:
    """It was looked which targets are held, for ``/metrics``."""
    _HELD.clear()
    for target in targets:
        whys = {"gone": not target.present, "paused": target.paused_by, "breaker": target.breaker is not Breaker.CLOSED}
        for why in (why for why, holds in whys.items() if holds):
            _HELD.labels(target.name, why).set(1)


def operator_event(event: Event, *, kept: bool) -> None:
    """Something about bridge itself is an event for the routes; without ``kept`` too many wait, and it is none."""
    _TOLD.labels(event.name).inc()
    facts = {"event_id": event.id, "event_name": event.name, "entity": str(event.entity)}
    if kept:
        _log.info("operator event", **facts)
    else:
        _log.error("operator event lost", **facts)


def source_silent(source: str, last: datetime | None, seconds: float) -> None:
    """A source has sent nothing for longer than is usual; ``last`` is when it did."""
    _log.warning("source silent", source=source, last_event_at=last and last.isoformat(), seconds=round(seconds))


def backlog_growing(events: int, deliveries: int, threshold: int) -> None:
    """More waits than is usual."""
    _log.warning("backlog growing", events=events, deliveries=deliveries, threshold=threshold)


def lease_rescued(delivery: Delivery) -> None:
    """A delivery that a killed or stuck worker held is due again."""
    _RESCUED.labels(delivery.target).inc()
    _log.warning("lease rescued", delivery_id=delivery.id, event_id=delivery.event_id, target=delivery.target)


def targets_adopted(gone: Sequence[str], back: Sequence[str]) -> None:
    """Targets are not in the rules any more though deliveries wait for them, or are in them again."""
    for name in gone:
        _log.warning("target gone", target=name)
    for name in back:
        _log.info("target back", target=name)


def ruleset_loaded(revision: str, routes: Sequence[str], warnings: Sequence[Problem]) -> None:
    """Rules came into force."""
    _RELOADS.labels("loaded").inc()
    _REFUSED.set(0)
    _REVISION.clear()
    _REVISION.labels(revision).set(1)
    _log.info("rules loaded", revision=revision, routes=list(routes))
    for problem in warnings:
        _log.warning("rules warning", problem=str(problem))


def ruleset_refused(problems: Sequence[Problem | Exception]) -> None:
    """Changed rules are broken; those in force stay."""
    _RELOADS.labels("refused").inc()
    _REFUSED.set(1)
    _log.error("rules refused", problems=[str(problem) for problem in problems])


def loading_failed(error: Exception) -> None:
    """Loading rules hit a defect; they are refused, and those in force stay."""
    _DEFECTS.labels("loading").inc()
    _log.error("loading failed", exc_info=error)


def watch_failed(folder: str, error: Exception) -> None:
    """A folder cannot be watched; changes are found by comparing content every few seconds."""
    _log.warning("watch failed", folder=folder, reason=str(error))


def store_unavailable(error: Exception) -> None:
    """The store could not be written just now; nothing was lost by it."""
    _STORE_FAILURES.inc()
    _log.error("store unavailable", reason=str(error))


def backlog_seen(
    events: int, oldest: datetime | None, deliveries: Mapping[tuple[str, DeliveryState], int], now: datetime
) -> None:
    """What waits was counted, for ``/metrics``."""
    _EVENTS_WAITING.set(events)
    _OLDEST_WAITING.set((now - oldest).total_seconds() if oldest else 0)
    _DELIVERIES_WAITING.clear()
    for (target, state), count in deliveries.items():
        _DELIVERIES_WAITING.labels(target, state.value).set(count)


def log_lines_lost(count: int) -> None:
    """Lines were not printed, because nobody read the log; by now there is room again."""
    _LINES_LOST.inc(count)
    _log.error("log lines lost", count=count)


def space_seen(size: int, free: int) -> None:
    """The store and its disk were measured, for ``/metrics``."""
    _STORE_BYTES.set(size)
    _DISK_FREE.set(free)


def room_ended(limit: str, reason: str) -> None:
    """A limit is reached: webhooks are answered 503 until there is room again."""
    _NO_ROOM.labels(limit).set(1)
    _log.error("no room", limit=limit, reason=reason)


def room_again(limit: str) -> None:
    """A limit that was reached is so no more."""
    _NO_ROOM.labels(limit).set(0)
    _log.info("room again", limit=limit)


def pruned(events: int, deliveries: int, bodies: int) -> None:
    """Retention let go of what was kept for long enough."""
    counts = {"events": events, "deliveries": deliveries, "bodies": bodies}
    for what, count in counts.items():
        _PRUNED.labels(what).inc(count)
    if any(counts.values()):
        _log.info("pruned", **counts)


def certificate_loaded() -> None:
    """A new certificate serves new connections."""
    _log.info("certificate loaded")


def certificate_refused(error: Exception) -> None:
    """Renewed certificate files cannot be used; the former certificate stays."""
    _log.error("certificate refused", reason=str(error))


def strange_setting(sentence: str) -> None:
    """A variable looks like a setting and is none."""
    _log.warning("strange setting", problem=sentence)


def daemon_started(url: str, revision: str) -> None:
    """The daemon takes webhooks."""
    _log.info("started", url=url, revision=revision)


def daemon_stopping() -> None:
    """The daemon was told to stop, and finishes what it has begun."""
    _log.info("stopping")


def daemon_stopped() -> None:
    """The daemon has finished."""
    _log.info("stopped")
