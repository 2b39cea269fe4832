"""The dispatcher against a real store: batches, a defect on one event, a store that cannot write."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.delivery.announcer import Announcer
from bridge.delivery.dispatcher import Dispatcher
from bridge.errors import StoreUnavailableError
from bridge.model import (
    Delivery,
    DeliveryState,
    Entity,
    EntityState,
    Event,
    EventState,
    Reach,
    Related,
    RoutedEvent,
    Want,
    new_id,
)
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery, EventQuery
from tests.support.clock import ManualClock


class CountingRouter:
    """Decides on one delivery per event, counts in the entity's state, and fails on events named ``poison``."""

    reaches = False

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def decide(self, event: Event, last: EntityState | None, _: Related) -> RoutedEvent:
        if event.name == "poison":
            raise ZeroDivisionError
        assert event.entity
        count = last.version + 1 if last else 1
        state = EntityState(event.source, event.entity, {"count": count}, count, event.id)
        return RoutedEvent(event.id, EventState.ROUTED, deliveries=(self._delivery(event),), entity_state=state)

    def _delivery(self, event: Event) -> Delivery:
        now = self._clock.now()
        return Delivery(
            new_id("dlv"), event.id, "r", 0, "sales", str(event.entity), DeliveryState.PENDING, {}, now, now
        )


async def add(store: Store, clock: ManualClock, *names: str) -> None:
    for name in names:
        event = Event(new_id("evt"), "crm", name, Entity("deal", "1"), new_id("evt"), b"{}", clock.now())
        await store.add(event)


def dispatcher(store: Store, clock: ManualClock, rung: list[set[str]]) -> Dispatcher:
    ruleset: Any = SimpleNamespace(router=CountingRouter(clock))
    return Dispatcher(store, lambda: ruleset, rung.append, clock)


async def states_of(store: Store) -> list[EventState]:
    return [event.state for event in reversed(await store.events(EventQuery()))]


async def test_events_are_decided_in_order_and_their_targets_rung_for(store: Store, clock: ManualClock) -> None:
    rung: list[set[str]] = []
    await add(store, clock, "a", "b", "c")
    assert await dispatcher(store, clock, rung).step() == 3
    assert rung == [{"sales"}]
    assert await states_of(store) == [EventState.ROUTED] * 3
    last = await store.last_state("crm", Entity("deal", "1"))
    assert last is not None
    assert last.document == {"count": 3}


class Undertaker(Announcer):
    """Remembers who died."""

    def __init__(self) -> None:
        self.dead: list[str | None] = []

    def delivery_dead(self, delivery: Delivery, reason: str | None) -> None:
        self.dead.append(reason)


async def test_what_cannot_be_rendered_is_told(store: Store, clock: ManualClock) -> None:
    def decide(event: Event, last: EntityState | None, _: Related) -> RoutedEvent:
        routed = CountingRouter(clock).decide(event, last, {})
        return unnamed(routed) if event.name == "a" else routed

    def unnamed(routed: RoutedEvent) -> RoutedEvent:
        dead = [replace(each, state=DeliveryState.DEAD, reason="no name") for each in routed.deliveries]
        return replace(routed, deliveries=tuple(dead))

    ruleset: Any = SimpleNamespace(router=SimpleNamespace(decide=decide, reaches=False))
    undertaker = Undertaker()
    await add(store, clock, "a", "b")
    await Dispatcher(store, lambda: ruleset, lambda _: None, clock, announce=undertaker).step()
    assert undertaker.dead == ["no name"]


async def test_a_defect_on_one_event_keeps_it_aside_and_routes_the_others(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.dispatcher.TURN", 60)  # telling of it may well take longer than a turn
    await add(store, clock, "a", "poison", "b")
    assert await dispatcher(store, clock, []).step() == 3
    assert await states_of(store) == [EventState.ROUTED, EventState.QUARANTINED, EventState.ROUTED]
    [kept] = await store.events(EventQuery(states=(EventState.QUARANTINED,)))
    assert kept.reason == "routing failed: ZeroDivisionError"
    last = await store.last_state("crm", Entity("deal", "1"))
    assert last is not None
    assert last.document == {"count": 2}, "the events around it still build on each other"


async def test_slow_events_are_committed_before_the_next_ones_are_begun(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(store, clock, *"abc")
    seconds = iter([0.0, 0.04, 0.06, 1.0, 1.01])
    monkeypatch.setattr("bridge.delivery.dispatcher.monotonic", lambda: next(seconds))
    routed = dispatcher(store, clock, [])
    assert await routed.step() == 2, "the second took it beyond its turn"
    assert await states_of(store) == [EventState.ROUTED, EventState.ROUTED, EventState.RECEIVED]
    assert await routed.step() == 1
    last = await store.last_state("crm", Entity("deal", "1"))
    assert last is not None
    assert last.document == {"count": 3}, "what is taken later builds on what was committed"


async def test_an_event_that_takes_longer_than_a_turn_is_decided_all_the_same(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.dispatcher.TURN", 0)
    await add(store, clock, *"ab")
    routed = dispatcher(store, clock, [])
    assert [await routed.step() for _ in range(3)] == [1, 1, 0]


async def test_a_store_that_cannot_write_is_asked_again(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    route, failures = store.route, [StoreUnavailableError("disk full")]

    async def failing(*arguments: Any) -> Sequence[RoutedEvent]:
        if failures:
            raise failures.pop()
        return await route(*arguments)

    monkeypatch.setattr(store, "route", failing)
    monkeypatch.setattr("bridge.delivery.dispatcher.POLL", 0.01)
    await add(store, clock, "a")
    done = asyncio.Event()
    ruleset: Any = SimpleNamespace(router=CountingRouter(clock))
    running = asyncio.create_task(Dispatcher(store, lambda: ruleset, lambda _: done.set(), clock).run())
    await asyncio.wait_for(done.wait(), 5)
    running.cancel()
    assert len(await store.deliveries(DeliveryQuery())) == 1


async def test_a_defect_beyond_one_event_does_not_end_the_routing(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.dispatcher.POLL", 0.01)
    await add(store, clock, "a")
    done, defects, route = asyncio.Event(), [ZeroDivisionError(), KeyError()], store.route

    async def failing(*arguments: Any) -> Sequence[RoutedEvent]:
        if defects:
            raise defects.pop()
        return await route(*arguments)

    monkeypatch.setattr(store, "route", failing)
    ruleset: Any = SimpleNamespace(router=CountingRouter(clock))
    running = asyncio.create_task(Dispatcher(store, lambda: ruleset, lambda _: done.set(), clock).run())
    with capture_logs() as lines:
        await asyncio.wait_for(done.wait(), 5)
    running.cancel()
    assert [line["event"] for line in lines[:-1]] == ["dispatching failed"] * 2
    assert await states_of(store) == [EventState.ROUTED]


async def test_it_steps_aside_while_webhooks_are_answered_but_not_for_ever(store: Store, clock: ManualClock) -> None:
    await add(store, clock, *"abc")
    asked = 0

    def busy() -> bool:
        nonlocal asked
        asked += 1
        return True

    done = asyncio.Event()
    ruleset: Any = SimpleNamespace(router=CountingRouter(clock))
    routed = Dispatcher(store, lambda: ruleset, lambda targets: done.set() if not targets else None, clock, busy)
    running = asyncio.create_task(routed.run())
    await asyncio.wait_for(done.wait(), 5)
    running.cancel()
    assert asked > 1


async def test_what_messages_say_of_others_is_looked_up_before_they_are_decided(
    store: Store, clock: ManualClock
) -> None:
    want = Want(Reach("crm", Entity("deal", "1"), "contacts"), "contact", (), "contact_ids", many=True)
    asked: list[Sequence[Want]] = []
    given: list[Related] = []

    async def look_up(wants: Sequence[Want]) -> Related:
        asked.append(wants)
        return {want.reach: ["somebody"]}

    def decide(event: Event, last: EntityState | None, related: Related) -> RoutedEvent:
        given.append(related)
        return CountingRouter(clock).decide(event, last, related)

    reaching = SimpleNamespace(decide=decide, reaches=True, wanted=lambda *_: (want,))
    ruleset: Any = SimpleNamespace(router=reaching)
    await add(store, clock, "a", "b")
    await Dispatcher(store, lambda: ruleset, lambda _: None, clock, look_up=look_up).step()
    assert asked == [(want,)]
    assert given == [{want.reach: ["somebody"]}] * 2


async def test_a_defect_of_looking_up_keeps_no_message_from_going(store: Store, clock: ManualClock) -> None:
    async def look_up(_: Sequence[Want]) -> Related:
        raise ZeroDivisionError

    counting = CountingRouter(clock)
    reaching = SimpleNamespace(decide=counting.decide, reaches=True, wanted=lambda *_: ("anything",))
    ruleset: Any = SimpleNamespace(router=reaching)
    await add(store, clock, "a")
    assert await Dispatcher(store, lambda: ruleset, lambda _: None, clock, look_up=look_up).step() == 1
    assert await states_of(store) == [EventState.ROUTED]
