"""Every fact is logged in one line and counted; the page of metrics names them all, and nothing else."""

import inspect
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from prometheus_client import Counter
from structlog.testing import capture_logs

import bridge
from bridge import telemetry
from bridge.model import (
    Attempt,
    Breaker,
    Delivery,
    DeliveryState,
    Entity,
    Event,
    EventState,
    Outcome,
    RoutedEvent,
    TargetState,
)
from bridge.options import Place, Problem
from bridge.sources._bridge import noticed

PAGE = Path(__file__).parents[1] / "docs/reference/metrics.md"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVENT = Event("evt_1", "crm", "crm_deal_updated", Entity("deal", "65"), "k", b"{}", NOW - timedelta(seconds=2))
TROUBLE = noticed("bridge.target_paused", "sales", {"name": "sales"}, NOW)
DELIVERY = Delivery("dlv_1", "evt_1", "losses", 0, "sales", "deal:65", DeliveryState.PENDING, {}, NOW, NOW)
DEAD = Delivery("dlv_2", "evt_1", "losses", 1, "sales", "k", DeliveryState.DEAD, None, NOW, NOW, reason="no name")
PROBLEM = Problem(Place("routes.yaml", 3, 4), "unknown-key", 'unknown key "matc"')
Fact: TypeAlias = Callable[[], None]
Counted: TypeAlias = dict[tuple[str, ...], float]
Case: TypeAlias = tuple[Fact, list[str], Counted]


def attempt(outcome: Outcome) -> Attempt:
    return Attempt("att_1", "dlv_1", 2, outcome, "schedule", NOW, 0.25, 503, "busy")


def routed(state: EventState, *deliveries: Delivery) -> RoutedEvent:
    return RoutedEvent("evt_1", state, "because", deliveries)


def decided(state: EventState) -> Case:
    labels = ("source=crm", "event_name=crm_deal_updated", f"state={state.value}")
    tell = partial(telemetry.event_routed, EVENT, routed(state), NOW)
    return tell, [f"event {state.value}"], {("bridge_events_total", *labels): 1}


def tried(outcome: Outcome) -> Case:
    tell = partial(telemetry.attempt_made, DELIVERY, attempt(outcome), DeliveryState.PENDING)
    counted: Counted = {
        ("bridge_attempts_total", "target=sales", f"outcome={outcome.value}"): 1,
        ("bridge_attempt_seconds_sum", "target=sales"): 0.25,
    }
    return tell, [f"attempt {outcome.value}"], counted


def held(change: str, told: str) -> Case:
    tell = partial(telemetry.target_changed, "sales", change, "busy", 30)
    return tell, [told], {("bridge_target_changes_total", "target=sales", f"change={change}"): 1}


FACTS: list[Case] = [
    (
        lambda: telemetry.event_received(EVENT, NOW),
        [],
        {
            ("bridge_webhooks_total", "source=crm", "result=stored"): 1,
            ("bridge_webhook_stored_after_seconds_sum",): 2,
        },
    ),
    (
        lambda: telemetry.event_repeated(EVENT, "evt_0"),
        ["webhook repeated"],
        {("bridge_webhooks_total", "source=crm", "result=duplicate"): 1},
    ),
    (
        lambda: telemetry.event_quarantined(EVENT),
        ["webhook quarantined"],
        {("bridge_webhooks_total", "source=crm", "result=quarantined"): 1},
    ),
    (
        lambda: telemetry.webhook_refused("crm", "wrong secret"),
        ["webhook refused"],
        {("bridge_webhooks_total", "source=crm", "result=refused"): 1},
    ),
    (
        lambda: telemetry.webhook_refused(None, "no such source"),
        ["webhook refused"],
        {("bridge_webhooks_total", "source=unknown", "result=refused"): 1},
    ),
    (
        lambda: telemetry.webhook_probed("crm"),
        ["webhook address probed"],
        {("bridge_webhooks_total", "source=crm", "result=probe"): 1},
    ),
    (
        lambda: telemetry.webhook_not_stored("crm", OSError("full")),
        ["webhook not stored"],
        {
            ("bridge_webhooks_total", "source=crm", "result=unavailable"): 1,
            ("bridge_store_failures_total",): 1,
        },
    ),
    (
        lambda: telemetry.webhook_turned_away("crm", "disk"),
        [],
        {
            ("bridge_webhooks_total", "source=crm", "result=unavailable"): 1,
            ("bridge_webhooks_turned_away_total", "limit=disk"): 1,
            ("bridge_store_failures_total",): 0,
        },
    ),
    (
        lambda: telemetry.room_ended("store", "the store has reached its limit"),
        ["no room"],
        {("bridge_no_room", "limit=store"): 1},
    ),
    (lambda: telemetry.room_again("store"), ["room again"], {("bridge_no_room", "limit=store"): -1}),
    (
        lambda: telemetry.pruned(1, 2, 3),
        ["pruned"],
        {("bridge_pruned_total", f"what={what}"): n for what, n in (("events", 1), ("deliveries", 2), ("bodies", 3))},
    ),
    (lambda: telemetry.pruned(0, 0, 0), [], {}),
    (
        lambda: telemetry.reading_failed("crm", ValueError()),
        ["reading failed"],
        {("bridge_defects_total", "where=reading"): 1},
    ),
    (
        lambda: telemetry.state_unreadable("crm", Entity("deal", "1"), "evt_1"),
        ["state unreadable"],
        {("bridge_defects_total", "where=state"): 1},
    ),
    (
        lambda: telemetry.former_unreadable("losses", "evt_1"),
        ["former unreadable"],
        {("bridge_defects_total", "where=former"): 1},
    ),
    (
        lambda: telemetry.log_lines_lost(3),
        ["log lines lost"],
        {("bridge_log_lines_lost_total",): 3},
    ),
    (
        lambda: telemetry.dispatching_failed(ValueError()),
        ["dispatching failed"],
        {("bridge_defects_total", "where=dispatching"): 1},
    ),
    (
        lambda: telemetry.loading_failed(ValueError()),
        ["loading failed"],
        {("bridge_defects_total", "where=loading"): 1},
    ),
    (
        lambda: telemetry.event_routed(EVENT, routed(EventState.ROUTED, DELIVERY), NOW),
        ["event routed"],
        {
            ("bridge_events_total", "source=crm", "event_name=crm_deal_updated", "state=routed"): 1,
            ("bridge_event_decided_after_seconds_sum",): 2,
        },
    ),
    (
        lambda: telemetry.event_routed(EVENT, routed(EventState.ROUTED, DEAD), NOW),
        ["event routed", "delivery dead"],
        {("bridge_deliveries_finished_total", "route=losses", "target=sales", "state=dead"): 1},
    ),
    decided(EventState.UNMATCHED),
    decided(EventState.DUPLICATE),
    decided(EventState.STALE),
    decided(EventState.QUARANTINED),
    (
        lambda: telemetry.routing_failed(EVENT, ValueError()),
        ["routing failed"],
        {("bridge_defects_total", "where=routing"): 1},
    ),
    tried(Outcome.TRANSIENT),
    tried(Outcome.UNKNOWN),
    (
        lambda: telemetry.attempt_made(DELIVERY, attempt(Outcome.DELIVERED), DeliveryState.DELIVERED),
        ["attempt delivered"],
        {("bridge_deliveries_finished_total", "route=losses", "target=sales", "state=delivered"): 1},
    ),
    (
        lambda: telemetry.attempt_made(DELIVERY, attempt(Outcome.PERMANENT), DeliveryState.DEAD),
        ["attempt permanent", "delivery dead"],
        {("bridge_deliveries_finished_total", "route=losses", "target=sales", "state=dead"): 1},
    ),
    (
        lambda: telemetry.attempt_made(DELIVERY, attempt(Outcome.DELIVERED), None),
        ["attempt delivered"],
        {("bridge_deliveries_finished_total", "route=losses", "target=sales", "state=delivered"): 0},
    ),
    (
        lambda: telemetry.target_failed("sales", "dlv_1", ValueError()),
        ["target failed"],
        {("bridge_defects_total", "where=target"): 1},
    ),
    (
        lambda: telemetry.lease_rescued(DELIVERY),
        ["lease rescued"],
        {("bridge_leases_rescued_total", "target=sales"): 1},
    ),
    (lambda: telemetry.targets_adopted(["billing"], ["sales"]), ["target gone", "target back"], {}),
    (lambda: telemetry.targets_adopted([], []), [], {}),
    held("wait", "target waits"),
    held("pause", "target paused"),
    held("resume", "target resumed"),
    held("open", "target breaker opened"),
    held("close", "target breaker closed"),
    (
        lambda: telemetry.operator_event(TROUBLE, kept=True),
        ["operator event"],
        {("bridge_operator_events_total", "event_name=bridge.target_paused"): 1},
    ),
    (
        lambda: telemetry.operator_event(TROUBLE, kept=False),
        ["operator event lost"],
        {("bridge_operator_events_total", "event_name=bridge.target_paused"): 1},
    ),
    (lambda: telemetry.source_silent("crm", NOW, 90000), ["source silent"], {}),
    (lambda: telemetry.source_silent("crm", None, 90000), ["source silent"], {}),
    (lambda: telemetry.webhooks_subscribed("crm", {"create": 3}), ["webhooks subscribed"], {}),
    (lambda: telemetry.gap_repaired("crm", "repair", {"deal": 3}, 2, {}, None), ["gap repaired"], {}),
    (lambda: telemetry.gap_repaired("crm", "repair", {}, 0, {"deal": 1}, "no"), ["repair failed"], {}),
    (lambda: telemetry.source_suspended("crm", ["crm_deal_updated"], []), ["source suspended"], {}),
    (lambda: telemetry.source_resumed("crm"), ["source resumed"], {}),
    (lambda: telemetry.watching_failed("crm", "no"), ["watching failed"], {}),
    (lambda: telemetry.subscribing_failed("crm", ["no"], 30), ["subscribing failed"], {}),
    (lambda: telemetry.backlog_growing(3, 4, 5), ["backlog growing"], {}),
    (
        lambda: telemetry.ruleset_loaded("r1", ["losses"], [PROBLEM]),
        ["rules loaded", "rules warning"],
        {("bridge_reloads_total", "result=loaded"): 1},
    ),
    (
        lambda: telemetry.ruleset_refused([PROBLEM]),
        ["rules refused"],
        {("bridge_reloads_total", "result=refused"): 1},
    ),
    (
        lambda: telemetry.store_unavailable(OSError("full")),
        ["store unavailable"],
        {("bridge_store_failures_total",): 1},
    ),
    (
        lambda: telemetry.store_unavailable(OSError("full"), again=True),
        [],
        {("bridge_store_failures_total",): 1},
    ),
    (lambda: telemetry.connections_full(87_500), ["connections full"], {}),
    (telemetry.no_files_left, ["no files left"], {}),
    (lambda: telemetry.watch_failed("templates", OSError("limit")), ["watch failed"], {}),
    (telemetry.certificate_loaded, ["certificate loaded"], {}),
    (lambda: telemetry.certificate_refused(OSError("half")), ["certificate refused"], {}),
    (lambda: telemetry.strange_setting("BRIDGE_X is no setting"), ["strange setting"], {}),
    (lambda: telemetry.daemon_started("http://b", "r1"), ["started"], {}),
    (telemetry.daemon_stopping, ["stopping"], {}),
    (telemetry.daemon_stopped, ["stopped"], {}),
]


def value(sample: tuple[str, ...]) -> float:
    name, *labels = sample
    return telemetry.REGISTRY.get_sample_value(name, dict(label.split("=") for label in labels)) or 0


@pytest.mark.parametrize(("fact", "told", "counted"), FACTS)
def test_a_fact_is_told_and_counted(fact: Fact, told: list[str], counted: Counted) -> None:
    before = {sample: value(sample) for sample in counted}
    with capture_logs() as lines:
        fact()
    assert [line["event"] for line in lines] == told
    assert {sample: value(sample) - before[sample] for sample in counted} == pytest.approx(counted)


def test_one_event_can_be_followed_by_its_ids() -> None:
    with capture_logs() as lines:
        telemetry.event_routed(EVENT, routed(EventState.ROUTED, DELIVERY), NOW)
        telemetry.attempt_made(DELIVERY, attempt(Outcome.DELIVERED), DeliveryState.DELIVERED)
    assert {line["event_id"] for line in lines} == {"evt_1"}
    assert lines[0]["deliveries"] == [lines[1]["delivery_id"]]
    assert lines[0]["seconds"] == 2


def test_a_revision_replaces_the_one_before() -> None:
    telemetry.ruleset_loaded("old", [], [])
    telemetry.ruleset_loaded("new", [], [])
    assert value(("bridge_rules_info", "revision=new")) == 1
    assert telemetry.REGISTRY.get_sample_value("bridge_rules_info", {"revision": "old"}) is None


def test_refused_rules_show_until_others_are_loaded() -> None:
    telemetry.ruleset_refused([PROBLEM])
    assert value(("bridge_rules_refused",)) == 1
    telemetry.ruleset_loaded("r1", [], [])
    assert value(("bridge_rules_refused",)) == 0


def test_the_backlog_shows_what_waits_now_and_no_longer_what_waited_then() -> None:
    telemetry.backlog_seen(3, NOW - timedelta(minutes=1), {("gone", DeliveryState.PARKED): 2}, NOW)
    assert value(("bridge_events_waiting",)) == 3
    assert value(("bridge_oldest_event_waiting_seconds",)) == 60
    assert value(("bridge_deliveries_waiting", "target=gone", "state=parked")) == 2
    telemetry.backlog_seen(0, None, {}, NOW)
    assert value(("bridge_oldest_event_waiting_seconds",)) == 0
    gone = {"target": "gone", "state": "parked"}
    assert telemetry.REGISTRY.get_sample_value("bridge_deliveries_waiting", gone) is None


def test_a_target_shows_as_held_for_every_reason_that_holds_it_and_no_longer() -> None:
    paused = TargetState("sales", paused_by="person", breaker=Breaker.HALF_OPEN)
    telemetry.targets_seen([paused, TargetState("gone", present=False), TargetState("billing")])
    held = {
        (sample.labels["target"], sample.labels["why"]): sample.value
        for metric in telemetry.REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "bridge_target_held"
    }
    assert held == {("sales", "paused"): 1, ("sales", "breaker"): 1, ("gone", "gone"): 1}
    telemetry.targets_seen([TargetState("sales")])
    assert telemetry.REGISTRY.get_sample_value("bridge_target_held", {"target": "sales", "why": "paused"}) is None


def test_what_is_free_is_shown() -> None:
    telemetry.space_seen(4096, 8192)
    assert (value(("bridge_store_bytes",)), value(("bridge_disk_free_bytes",))) == (4096, 8192)


def test_a_stranger_s_mistake_is_no_warning() -> None:
    with capture_logs() as lines:
        telemetry.webhook_refused(None, "no such source")
        telemetry.webhook_refused("crm", "wrong secret")
    assert [line["log_level"] for line in lines] == ["info", "warning"]


# the page, and the code that tells


def rows(section: str) -> list[list[str]]:
    text = PAGE.read_text("utf-8").partition(section)[2].partition("\n## ")[0]
    return [re.split(r" \| ", line.strip("| ")) for line in text.splitlines() if line.startswith("| `")]


def metrics() -> dict[str, tuple[str, list[str]]]:
    """Return per metric its type and labels, as Prometheus shows them."""
    found: dict[str, tuple[str, list[str]]] = {}
    for collector in set(telemetry.REGISTRY._collector_to_names) - {None}:
        if not (name := getattr(collector, "_name", "")):
            continue
        shown = f"{name}_total" if isinstance(collector, Counter) else name
        found[shown] = (type(collector).__name__.lower(), list(collector._labelnames))  # type: ignore[attr-defined]
    return found


def test_the_page_names_every_metric_with_its_type_and_labels() -> None:
    documented = {
        name.strip("`"): (kind, re.findall(r"`(\w+)`", labels))
        for name, kind, labels, *_ in rows("# Metrics and log lines")
    }
    assert documented == metrics()


def test_names_carry_their_unit_and_their_owner() -> None:
    for name, (kind, _) in metrics().items():
        assert name.startswith("bridge_")
        assert (kind == "histogram") <= name.endswith("_seconds")


def test_the_page_names_every_line_of_the_log() -> None:
    documented = {name for first, *_ in rows("## Log lines") for name in re.findall(r"`([a-z ]+)`", first)} - {"event"}
    assert documented == {line for _, told, _ in FACTS for line in told}


def facts() -> list[str]:
    members: list[tuple[str, Any]] = inspect.getmembers(telemetry, inspect.isfunction)
    return [name for name, function in members if function.__module__.startswith(telemetry.__name__)]


@pytest.mark.parametrize("fact", facts())
def test_every_fact_is_told_by_something(fact: str) -> None:
    package = Path(bridge.__file__).parent
    callers = [path for path in package.rglob("*.py") if f"telemetry.{fact}(" in path.read_text("utf-8")]
    own = "".join(path.read_text("utf-8") for path in (package / "telemetry").glob("*.py"))
    assert callers or len(re.findall(rf"\b{fact}\(", own)) > 1
