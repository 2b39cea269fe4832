"""What is counted, and the registry that ``/metrics`` shows.

Labels come from the configuration and the catalog alone, so that their number is bounded; no secret, address, id or
piece of a customer's data is ever one.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

MetricT = TypeVar("MetricT", Counter, Histogram)


def _remembered(metric: MetricT) -> Callable[..., MetricT]:
    """Return what gives a metric's child for its labels: of what is counted at each delivery each is made once."""
    return lru_cache(maxsize=1024)(metric.labels)


REGISTRY = CollectorRegistry()
"""What ``/metrics`` shows."""

ProcessCollector(registry=REGISTRY)

DEADLINE = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Bounds for what must be quick: the CRM waits five seconds for an answer."""

WEBHOOKS = _remembered(
    Counter("bridge_webhooks", "Webhooks, by how they were answered.", ["source", "result"], registry=REGISTRY)
)
FEEDS = Counter(
    "bridge_feeds", "Requests for feeds, by how they were answered.", ["target", "result"], registry=REGISTRY
)
STORED_AFTER = Histogram(
    "bridge_webhook_stored_after_seconds",
    "Seconds from reading a webhook to its event being durable.",
    buckets=DEADLINE,
    registry=REGISTRY,
)
EVENTS = _remembered(
    Counter("bridge_events", "Events, by what routing decided.", ["source", "event_name", "state"], registry=REGISTRY)
)
DECIDED_AFTER = Histogram(
    "bridge_event_decided_after_seconds", "Seconds from receiving an event to routing it.", registry=REGISTRY
)
ATTEMPTS = _remembered(Counter("bridge_attempts", "Attempts, by outcome.", ["target", "outcome"], registry=REGISTRY))
ATTEMPT_SECONDS = _remembered(
    Histogram("bridge_attempt_seconds", "Seconds one attempt took.", ["target"], registry=REGISTRY)
)
FINISHED = _remembered(
    Counter(
        "bridge_deliveries_finished", "Deliveries delivered or dead.", ["route", "target", "state"], registry=REGISTRY
    )
)
TARGET_CHANGES = Counter(
    "bridge_target_changes", "Times a target was held, delayed or let go.", ["target", "change"], registry=REGISTRY
)
HELD = Gauge("bridge_target_held", "1 while nothing is sent to a target.", ["target", "why"], registry=REGISTRY)
TOLD = Counter("bridge_operator_events", "Events about bridge itself.", ["event_name"], registry=REGISTRY)
RESCUED = Counter("bridge_leases_rescued", "Leases that a killed worker left.", ["target"], registry=REGISTRY)
RELOADS = Counter("bridge_reloads", "Loads of the rules, by result.", ["result"], registry=REGISTRY)
REFUSED = Gauge("bridge_rules_refused", "1 while the files hold rules that were refused.", registry=REGISTRY)
REVISION = Gauge("bridge_rules_info", "The revision of the rules in force.", ["revision"], registry=REGISTRY)
STORE_FAILURES = Counter("bridge_store_failures", "Times the store could not be written.", registry=REGISTRY)
DEFECTS = Counter("bridge_defects", "Defects of bridge itself that were contained.", ["where"], registry=REGISTRY)
LINES_LOST = Counter("bridge_log_lines_lost", "Lines of the log that nobody read in time.", registry=REGISTRY)
EVENTS_WAITING = Gauge("bridge_events_waiting", "Events received and not yet routed.", registry=REGISTRY)
OLDEST_WAITING = Gauge("bridge_oldest_event_waiting_seconds", "Age of the oldest of them.", registry=REGISTRY)
DELIVERIES_WAITING = Gauge(
    "bridge_deliveries_waiting", "Deliveries that are not delivered.", ["target", "state"], registry=REGISTRY
)
TURNED_AWAY = Counter(
    "bridge_webhooks_turned_away", "Webhooks answered 503 because a limit is reached.", ["limit"], registry=REGISTRY
)
NO_ROOM = Gauge("bridge_no_room", "1 while a limit is reached.", ["limit"], registry=REGISTRY)
STORE_BYTES = Gauge("bridge_store_bytes", "Bytes that the store holds.", registry=REGISTRY)
DISK_FREE = Gauge("bridge_disk_free_bytes", "Bytes that are free where the data is.", registry=REGISTRY)
LOOKED_UP = Counter(
    "bridge_look_ups", "Names looked up for messages, by where they were found.", ["source", "place"], registry=REGISTRY
)
PRUNED = Counter("bridge_pruned", "What retention let go.", ["what"], registry=REGISTRY)
