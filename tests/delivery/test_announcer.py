"""The announcer against a real store: what becomes an event, what does not, and that none is lost while it cannot."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock

import orjson
import pytest
from structlog.testing import capture_logs

from bridge.delivery.announcer import MOST, Announcer, EventAnnouncer
from bridge.errors import StoreUnavailableError
from bridge.model import Breaker, Delivery, DeliveryState, Event, TargetState
from bridge.sources._bridge import noticed
from bridge.store.base import Store
from bridge.store.nouns import Backlog, EventQuery, TargetChange
from tests.contracts.store_steps import a_delivery, an_event
from tests.support.clock import ManualClock

BACKLOG = Backlog(
    events_received=3,
    deliveries={
        ("sales", DeliveryState.PARKED): 4,
        ("sales", DeliveryState.DEAD): 50,
        ("billing", DeliveryState.PENDING): 2,
        ("billing", DeliveryState.DELIVERING): 1,
    },
)
PAUSE = TargetChange("pause", "invalid_auth")
OPEN = TargetChange("open", "HTTP 503", seconds=30, most=900)
CLOSE = TargetChange("close")


@pytest.fixture
def announcer(clock: ManualClock) -> EventAnnouncer:
    return EventAnnouncer(clock, lambda: BACKLOG)


async def told(store: Store) -> list[tuple[str, Any]]:
    """Return the names and documents of all events about bridge, oldest first."""
    events = await store.events(EventQuery(source="bridge", oldest_first=True))
    return [(event.name.removeprefix("bridge."), orjson.loads(event.body)["document"]) for event in events]


async def names(store: Store) -> list[str]:
    return [name for name, _ in await told(store)]


def dead(event: Event, clock: ManualClock, target: str = "sales") -> Delivery:
    return a_delivery(event.id, clock, target=target, state="dead")


async def test_a_target_that_a_service_refuses_is_an_event(
    announcer: EventAnnouncer, store: Store, clock: ManualClock
) -> None:
    announcer.target_changed("sales", PAUSE)
    assert await announcer.step(store) == 1
    facts = {"name": "sales", "state": "paused", "reason": "invalid_auth", "by": "bridge", "waiting": 4}
    assert await told(store) == [("target_paused", {**facts, "at": clock.now().isoformat()})]


async def test_what_a_person_does_with_a_target_is_an_event(announcer: EventAnnouncer, store: Store) -> None:
    announcer.target_held("billing", "pause", "they migrate")
    announcer.target_held("billing", "resume", None)
    await announcer.step(store)
    [(paused, why), (resumed, how)] = await told(store)
    assert (paused, why["by"], why["reason"], why["waiting"]) == ("target_paused", "person", "they migrate", 3)
    assert (resumed, how["by"], how["state"]) == ("target_resumed", "person", "ready")


async def test_a_breaker_is_told_when_it_opens_first_and_when_it_closes(
    announcer: EventAnnouncer, store: Store, clock: ManualClock
) -> None:
    for change in (OPEN, OPEN, OPEN, CLOSE, OPEN):
        announcer.target_changed("sales", change)
    await announcer.step(store)
    assert await names(store) == ["breaker_opened", "breaker_closed", "breaker_opened"]
    [(_, opened), *_] = await told(store)
    assert (opened["state"], opened["until"]) == ("open", (clock.now() + timedelta(seconds=30)).isoformat())


async def test_a_breaker_that_a_person_closed_is_told_when_it_opens_anew(
    announcer: EventAnnouncer, store: Store
) -> None:
    announcer.target_changed("sales", OPEN)
    announcer.target_held("sales", "resume", None)
    announcer.target_changed("sales", OPEN)
    await announcer.step(store)
    assert await names(store) == ["breaker_opened", "target_resumed", "breaker_opened"]


async def test_a_breaker_that_was_open_at_the_start_was_told_before(announcer: EventAnnouncer, store: Store) -> None:
    announcer.target_changed("sales", OPEN)
    await announcer.step(store)
    stand(store, TargetState("billing"), TargetState("sales", breaker=Breaker.HALF_OPEN))
    await announcer.start(store)
    announcer.target_changed("sales", OPEN)
    await announcer.step(store)
    assert await names(store) == ["breaker_opened"]


def stand(store: Store, *states: TargetState) -> None:
    """Let targets stand so, as a kill has left them."""
    store.targets = AsyncMock(return_value=states)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("before", "state", "expected"),
    [
        (None, TargetState("sales", paused_by="bridge", reason="invalid_auth"), ("target_paused", "invalid_auth")),
        (CLOSE, TargetState("sales", paused_by="bridge", reason="invalid_auth"), ("target_paused", "invalid_auth")),
        (None, TargetState("sales", breaker=Breaker.OPEN, reason="HTTP 503"), ("breaker_opened", "HTTP 503")),
        (OPEN, TargetState("sales"), ("breaker_closed", None)),
    ],
)
async def test_what_a_kill_kept_from_being_told_of_a_target_is_told_at_the_next_start_and_once(
    clock: ManualClock, store: Store, before: TargetChange | None, state: TargetState, expected: tuple[str, str | None]
) -> None:
    killed = EventAnnouncer(clock, lambda: BACKLOG)
    if before:
        killed.target_changed("sales", before)
        await killed.step(store)
    stand(store, state)
    for _ in range(2):
        next_run = EventAnnouncer(clock, lambda: BACKLOG)
        await next_run.start(store)
        await next_run.step(store)
    name, document = (await told(store))[-1]
    assert (name, document.get("reason"), document["by"], document["waiting"]) == (*expected, "bridge", 4)
    assert len(await told(store)) == (2 if before else 1)


@pytest.mark.parametrize(
    ("before", "state"),
    [
        (None, TargetState("sales")),
        (PAUSE, TargetState("sales", paused_by="bridge")),
        (PAUSE, TargetState("sales")),
        (None, TargetState("sales", paused_by="person")),
        (None, TargetState("sales", present=False, paused_by="bridge")),
    ],
)
async def test_what_was_told_or_is_a_persons_doing_is_not_told_at_a_start(
    clock: ManualClock, store: Store, before: TargetChange | None, state: TargetState
) -> None:
    announcer = EventAnnouncer(clock, lambda: BACKLOG)
    if before:
        announcer.target_changed("sales", before)
        await announcer.step(store)
    stand(store, state)
    await announcer.start(store)
    assert await announcer.step(store) == 0


async def test_a_service_that_asks_for_time_is_no_event(announcer: EventAnnouncer, store: Store) -> None:
    announcer.target_changed("sales", TargetChange("wait", "429", seconds=5))
    assert await announcer.step(store) == 0
    assert await told(store) == []


async def test_a_dead_letter_is_told_at_once_and_those_after_it_together(
    announcer: EventAnnouncer, store: Store, clock: ManualClock
) -> None:
    event = an_event(clock)
    await store.add(event)
    announcer.delivery_dead(dead(event, clock), "channel_not_found")
    await announcer.step(store)
    for reason in ("b", "c", "d"):
        announcer.delivery_dead(dead(event, clock), reason)
    last = dead(event, clock)
    announcer.delivery_dead(last, "e")
    await announcer.step(store)
    assert await names(store) == ["delivery_dead"]
    clock.advance(minutes=1)
    await announcer.step(store)
    [(_, first), (_, second)] = await told(store)
    assert (first["count"], first["reason"], first["target"]) == (1, "channel_not_found", "sales")
    assert (second["count"], second["reason"], second["delivery_id"]) == (4, "e", last.id)
    assert (second["event_id"], second["event_name"]) == (event.id, "crm_deal_updated")


async def test_a_dead_letter_of_an_event_about_bridge_makes_no_other(
    announcer: EventAnnouncer, store: Store, clock: ManualClock
) -> None:
    own, other = noticed("bridge.target_paused", "sales", {"name": "sales"}, clock.now()), an_event(clock)
    await store.add(own)
    await store.add(other)
    announcer.delivery_dead(dead(own, clock), "channel_not_found")
    assert await announcer.step(store) == 0
    announcer.delivery_dead(dead(own, clock), "channel_not_found")
    announcer.delivery_dead(dead(other, clock), "too long")
    announcer.delivery_dead(dead(own, clock), "channel_not_found")
    await announcer.step(store)
    [_, (name, document)] = await told(store)
    assert (name, document["count"], document["event_id"]) == ("delivery_dead", 1, other.id)


async def test_what_would_be_told_later_is_told_before_the_end(
    announcer: EventAnnouncer, store: Store, clock: ManualClock
) -> None:
    event = an_event(clock)
    await store.add(event)
    for _ in range(2):
        announcer.delivery_dead(dead(event, clock), "gone")
        await announcer.step(store, early=True)
    assert await names(store) == ["delivery_dead"] * 2


async def test_refused_rules_are_told_once_and_told_again_when_they_are_mended(
    announcer: EventAnnouncer, store: Store
) -> None:
    announcer.rules_loaded("routes.yaml", "r1")
    problems = [f"routes.yaml:{line}:1: unknown-key: no" for line in range(12)]
    announcer.rules_refused("routes.yaml", "r1", problems)
    announcer.rules_refused("routes.yaml", "r1", problems)
    announcer.rules_refused("routes.yaml", "r1", problems[:1])
    announcer.rules_loaded("routes.yaml", "r2")
    announcer.rules_loaded("routes.yaml", "r3")
    await announcer.step(store)
    assert await names(store) == ["reload_refused", "reload_refused", "reload_recovered"]
    [(_, refused), _, (_, mended)] = await told(store)
    assert (refused["count"], len(refused["problems"]), refused["problem"]) == (12, 10, problems[0])
    assert (refused["state"], refused["revision"]) == ("refused", "r1")
    assert (mended["state"], mended["revision"]) == ("in_force", "r2")


async def test_a_growing_backlog_is_told_with_the_target_for_which_most_waits(
    announcer: EventAnnouncer, store: Store
) -> None:
    with capture_logs() as lines:
        announcer.backlog_growing(BACKLOG, 5)
    await announcer.step(store)
    [(name, document)] = await told(store)
    del document["at"]
    facts = {"waiting": 10, "events": 3, "deliveries": 7, "threshold": 5, "target": "sales", "target_waiting": 4}
    assert (name, document) == ("backlog_growing", facts)
    assert lines[0] == {"event": "backlog growing", "log_level": "warning", **_counts(3, 7, 5)}


def _counts(events: int, deliveries: int, threshold: int) -> dict[str, int]:
    return {"events": events, "deliveries": deliveries, "threshold": threshold}


async def test_a_backlog_of_events_alone_has_no_target(announcer: EventAnnouncer, store: Store) -> None:
    announcer.backlog_growing(Backlog(events_received=9), 5)
    await announcer.step(store)
    [(_, document)] = await told(store)
    assert (document["waiting"], document["target"], document["target_waiting"]) == (9, None, 0)


async def test_a_silent_source_is_told_with_what_was_heard_last(
    announcer: EventAnnouncer, store: Store, clock: ManualClock
) -> None:
    announcer.source_silent("crm", timedelta(days=1), clock.now(), timedelta(hours=25))
    announcer.source_silent("shop", timedelta(hours=1), None, timedelta(hours=1.26))
    await announcer.step(store)
    [(_, crm), (_, shop)] = await told(store)
    assert (crm["name"], crm["silence"], crm["hours"]) == ("crm", "1d", 25)
    assert crm["last_event_at"] == clock.now().isoformat()
    assert (shop["hours"], shop["last_event_at"]) == (1.3, None)


async def test_what_the_store_cannot_take_is_kept_in_order_until_it_can(
    announcer: EventAnnouncer, store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.announcer.AGAIN", 0.01)
    event = an_event(clock)
    await store.add(event)
    add, tries = store.add, [StoreUnavailableError("disk full"), None, StoreUnavailableError("disk full"), None, None]

    async def failing(event: Event) -> str | None:
        if failure := tries.pop(0):
            raise failure
        return await add(event)

    monkeypatch.setattr(store, "add", failing)
    done = asyncio.Event()
    running = asyncio.create_task(announcer.run(store, done.set))
    announcer.target_changed("sales", PAUSE)
    announcer.delivery_dead(dead(event, clock), "gone")
    announcer.target_held("sales", "resume", None)
    async with asyncio.timeout(5):
        while tries:
            await done.wait()
            done.clear()
    running.cancel()
    assert await names(store) == ["target_paused", "target_resumed", "delivery_dead"]


async def test_whoever_routes_is_told(announcer: EventAnnouncer, store: Store) -> None:
    rung = asyncio.Event()
    running = asyncio.create_task(announcer.run(store, rung.set))
    announcer.target_changed("sales", PAUSE)
    await asyncio.wait_for(rung.wait(), 5)
    running.cancel()
    assert await names(store) == ["target_paused"]


async def test_what_is_too_much_to_be_kept_is_in_the_log(announcer: EventAnnouncer, store: Store) -> None:
    with capture_logs() as lines:
        for _ in range(MOST + 2):
            announcer.target_changed("sales", PAUSE)
    assert [line["event"] for line in lines].count("operator event lost") == 2
    assert await announcer.step(store) == MOST


SAYINGS: list[tuple[Callable[[Announcer], None], str | None]] = [
    (lambda announcer: announcer.target_changed("sales", PAUSE), "target paused"),
    (lambda announcer: announcer.target_held("sales", "resume", None), "target resumed"),
    (lambda announcer: announcer.source_suspended("crm", ["crm_deal_updated"], []), "source suspended"),
    (lambda announcer: announcer.source_resumed("crm"), "source resumed"),
    (lambda announcer: announcer.source_silent("crm", timedelta(days=1), None, timedelta(days=2)), "source silent"),
    (lambda announcer: announcer.backlog_growing(BACKLOG, 5), "backlog growing"),
    (lambda announcer: announcer.rules_refused("routes.yaml", "r1", ["no"]), None),
    (lambda announcer: announcer.rules_loaded("routes.yaml", "r1"), None),
]


@pytest.mark.parametrize(("say", "line"), SAYINGS)
def test_without_a_store_it_is_logged_all_the_same(say: Callable[[Announcer], None], line: str | None) -> None:
    with capture_logs() as lines:
        say(Announcer())
    assert [each["event"] for each in lines] == ([line] if line else [])
