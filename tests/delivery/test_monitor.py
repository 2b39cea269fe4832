"""The monitor: a silence is told once, a backlog when it has grown, and what is held is shown."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import AsyncMock

import orjson
import pytest

from bridge import telemetry
from bridge.component import AnySource
from bridge.delivery.announcer import Announcer, EventAnnouncer
from bridge.delivery.monitor import Growth, Monitor, Silences
from bridge.errors import StoreUnavailableError
from bridge.model import DeliveryState
from bridge.routing.router import Router, in_order
from bridge.sources._bridge import NAME, OWN
from bridge.sources.rdstation_crm import RdStationCrm, RdStationCrmOptions
from bridge.store.base import Store
from bridge.store.nouns import Backlog, EventQuery
from tests.contracts.store_steps import an_event
from tests.support.clock import ManualClock

DAY = timedelta(days=1)


class Remembering(Announcer):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def backlog_growing(self, backlog: Backlog, threshold: int) -> None:
        self.told.append(backlog.events_received + backlog.deliveries_waiting)

    def source_silent(self, source: str, silence: timedelta, last: datetime | None, quiet: timedelta) -> None:
        self.told.append((source, last, quiet))


def sources(**silences: timedelta | None) -> Mapping[str, AnySource]:
    return {name: RdStationCrm(name, RdStationCrmOptions(silence=silence)) for name, silence in silences.items()}


@pytest.fixture
def announce() -> Remembering:
    return Remembering()


def silences(store: Store, clock: ManualClock, announce: Announcer, **named: timedelta | None) -> Silences:
    return Silences(store, clock, announce, lambda: sources(**named))


async def test_a_silence_is_told_once_and_the_next_one_again(
    store: Store, clock: ManualClock, announce: Remembering
) -> None:
    looking = silences(store, clock, announce, crm=DAY)
    await looking.look()
    for _ in range(2):
        heard = clock.now()
        await store.add(an_event(clock))
        clock.advance(hours=23, minutes=59)
        await looking.look()
        assert announce.told == []
        clock.advance(minutes=1)
        for _ in range(3):
            await looking.look()
            clock.advance(minutes=5)
        assert announce.told == [("crm", heard, DAY)]
        announce.told.clear()


async def test_a_silence_that_was_told_before_a_restart_is_not_told_again(store: Store, clock: ManualClock) -> None:
    announcer = EventAnnouncer(clock, Backlog)
    await store.add(an_event(clock))
    router = Router({NAME: OWN}, (), lambda *_: {}, clock)
    for _ in range(2):
        looking = silences(store, clock, announcer, crm=DAY)
        await looking.look()
        clock.advance(days=2)
        await looking.look()
        await announcer.step(store)
        await store.route(10, lambda *taken: list(in_order(router.decide, *taken)))
    [event] = await store.events(EventQuery(source="bridge"))
    assert orjson.loads(event.body)["document"]["hours"] == 48


async def test_a_source_that_was_never_heard_is_silent_since_it_is_known(
    store: Store, clock: ManualClock, announce: Remembering
) -> None:
    looking = silences(store, clock, announce, crm=DAY)
    await looking.look()
    clock.advance(hours=23)
    await looking.look()
    assert announce.told == []
    clock.advance(hours=1)
    await looking.look()
    assert announce.told == [("crm", None, DAY)]


@pytest.mark.parametrize(("silence", "minutes"), [(DAY, 60), (timedelta(minutes=5), 5)])
async def test_after_a_start_there_is_time_for_what_could_not_be_sent_meanwhile(
    store: Store, clock: ManualClock, announce: Remembering, silence: timedelta, minutes: int
) -> None:
    await store.add(an_event(clock))
    clock.advance(days=3)
    looking = silences(store, clock, announce, crm=silence)
    await looking.look()
    clock.advance(minutes=minutes - 1)
    await looking.look()
    assert announce.told == []
    clock.advance(minutes=1)
    await looking.look()
    assert len(announce.told) == 1


async def test_of_a_source_without_the_option_nothing_is_told(
    store: Store, clock: ManualClock, announce: Remembering
) -> None:
    looking = silences(store, clock, announce, crm=None)
    await looking.look()
    clock.advance(days=365)
    await looking.look()
    assert announce.told == []


async def a_month(store: Store, clock: ManualClock, each_hour: int = 12) -> None:
    """Let four weeks go by in which every hour but those of a weekend brings events."""
    for _ in range(28 * 24):
        if clock.now().weekday() < 5:
            for _ in range(each_hour):
                await store.add(an_event(clock))
        clock.advance(hours=1)


async def test_a_silence_that_is_unusual_for_the_hour_is_told_where_none_was_set(
    store: Store, clock: ManualClock, announce: Remembering
) -> None:
    await a_month(store, clock)
    looking = silences(store, clock, announce, crm=None)
    await looking.look()
    await store.add(an_event(clock))
    heard = clock.now()
    for _ in range(99):
        clock.advance(minutes=1)
        await looking.look()
    assert announce.told == []
    for _ in range(60):
        clock.advance(minutes=1)
        await looking.look()
    assert announce.told == [("crm", heard, timedelta(minutes=100))], "20 events are missing, of 12 in an hour"


async def test_a_weekend_and_what_is_not_known_for_long_are_no_unusual_silence(
    store: Store, clock: ManualClock, announce: Remembering
) -> None:
    clock.advance(days=3, hours=11)
    await a_month(store, clock)
    assert clock.now().weekday() == 4
    looking = silences(store, clock, announce, crm=None, new=None)
    await store.add(an_event(clock, source="new"))
    for _ in range(49):
        await looking.look()
        clock.advance(hours=1)
    assert announce.told == []


async def test_another_source_breaks_no_silence(store: Store, clock: ManualClock, announce: Remembering) -> None:
    looking = silences(store, clock, announce, crm=DAY, shop=DAY)
    await looking.look()
    clock.advance(days=1)
    await store.add(an_event(clock, source="shop"))
    await looking.look()
    assert [name for name, *_ in announce.told] == ["crm"]


async def test_the_store_is_asked_only_when_a_silence_may_have_passed(
    store: Store, clock: ManualClock, announce: Remembering
) -> None:
    await store.add(an_event(clock))
    asked = AsyncMock(wraps=store.events)
    store.events = asked  # type: ignore[method-assign]
    looking = silences(store, clock, announce, crm=DAY)
    for _ in range(99):
        await looking.look()
        clock.advance(minutes=10)
    assert asked.await_count == 1


async def test_a_shorter_silence_counts_at_once(store: Store, clock: ManualClock, announce: Remembering) -> None:
    named = {"crm": DAY}
    looking = Silences(store, clock, announce, lambda: sources(**named))
    await looking.look()
    clock.advance(hours=2)
    named["crm"] = timedelta(hours=1)
    await looking.look()
    assert len(announce.told) == 1


def test_a_backlog_is_told_at_the_threshold_and_each_time_it_has_doubled(announce: Remembering) -> None:
    waiting = 0
    growth = Growth(announce, lambda: Backlog(events_received=waiting), 100)
    for waiting in (99, 100, 150, 99, 100, 199, 250, 399, 5000, 6000):  # noqa: B007 (the growth sees it)
        growth.look()
    assert announce.told == [100, 250, 5000]


def test_a_backlog_that_fell_below_half_may_grow_anew(announce: Remembering) -> None:
    waiting = 0
    growth = Growth(announce, lambda: Backlog(events_received=waiting), 100)
    for waiting in (100, 50, 100, 49, 100):  # noqa: B007 (the growth sees it)
        growth.look()
    assert announce.told == [100, 100]


def test_dead_letters_are_no_backlog(announce: Remembering) -> None:
    counts = {("sales", DeliveryState.DEAD): 500, ("sales", DeliveryState.PARKED): 99}
    Growth(announce, lambda: Backlog(deliveries=counts), 100).look()
    assert announce.told == []


async def test_what_is_held_is_shown(store: Store, clock: ManualClock, announce: Remembering) -> None:
    await store.adopt(["sales", "billing"])
    await store.pause("sales", "they migrate")
    await monitor(store, clock, announce).step()
    assert _held("sales", "paused") == 1
    assert _held("billing", "paused") is None
    await store.resume("sales")
    await monitor(store, clock, announce).step()
    assert _held("sales", "paused") is None


def monitor(store: Store, clock: ManualClock, announce: Announcer) -> Monitor:
    growth = Growth(announce, lambda: Backlog(events_received=100), 100)
    return Monitor(store, growth, silences(store, clock, announce, crm=DAY))


def _held(target: str, why: str) -> float | None:
    return telemetry.REGISTRY.get_sample_value("bridge_target_held", {"target": target, "why": why})


async def test_a_store_that_fails_is_asked_again(
    store: Store, clock: ManualClock, announce: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.monitor.EVERY", 0.01)
    done = asyncio.Event()
    targets, failures = store.targets, [StoreUnavailableError("disk full")]

    async def failing() -> Any:
        if failures:
            raise failures.pop()
        done.set()
        return await targets()

    monkeypatch.setattr(store, "targets", failing)
    running = asyncio.create_task(monitor(store, clock, announce).run())
    await asyncio.wait_for(done.wait(), 5)
    running.cancel()
    assert announce.told == [100], "the backlog is told whatever the store says"
