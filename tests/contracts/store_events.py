"""What any store promises about events and last states."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.model import DeliveryState, Entity, EntityState, Event, EventState, RoutedEvent, StateKey
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery, EventQuery
from tests.contracts.store_steps import DEAL, a_delivery, a_state, an_event, decided
from tests.support.clock import ManualClock


class EventContract:
    """Ingest and routing."""

    async def test_an_event_comes_back_as_it_was_given(self, store: Store, clock: ManualClock) -> None:
        event = replace(an_event(clock), occurred_at=clock.now(), body=bytes(range(256)))
        assert await store.add(event) is None
        assert await store.event(event.id) == event

    async def test_the_same_dedup_key_of_a_source_is_one_event(self, store: Store, clock: ManualClock) -> None:
        first, second = an_event(clock, dedup_key="k"), an_event(clock, dedup_key="k")
        assert await store.add(first) is None
        assert await store.add(second) == first.id
        assert await store.events(EventQuery()) == [first]

    async def test_the_same_event_given_twice_is_one_event(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock)
        assert await store.add(event) is None
        assert await store.add(event) == event.id

    async def test_another_source_may_use_the_same_key(self, store: Store, clock: ManualClock) -> None:
        assert await store.add(an_event(clock, dedup_key="k")) is None
        assert await store.add(an_event(clock, dedup_key="k", source="other")) is None

    async def test_duplicates_that_arrive_at_once_are_one_event(self, store: Store, clock: ManualClock) -> None:
        copies = [an_event(clock, dedup_key=f"k{n % 3}") for n in range(60)]
        answers = await asyncio.gather(*(store.add(event) for event in copies))
        stored = {event.dedup_key: event.id for event in await store.events(EventQuery())}
        assert len(stored) == 3
        assert answers.count(None) == 3
        for event, answer in zip(copies, answers, strict=True):
            assert (answer or event.id) == stored[event.dedup_key]

    async def test_the_same_event_given_twice_at_once_is_new_once(self, store: Store, clock: ManualClock) -> None:
        stored, fresh = an_event(clock), an_event(clock)
        await store.add(stored)
        answers = await asyncio.gather(*(store.add(event) for event in (fresh, stored, fresh, an_event(clock))))
        assert answers == [None, stored.id, fresh.id, None]

    async def test_an_event_that_cannot_be_stored_fails_alone(self, store: Store, clock: ManualClock) -> None:
        good, bad = an_event(clock), an_event(clock, name="\ud800 has no encoding")
        answers = await asyncio.gather(store.add(good), store.add(bad), return_exceptions=True)
        assert answers[0] is None
        assert isinstance(answers[1], Exception)
        assert await store.events(EventQuery()) == [good]

    async def test_events_that_arrive_at_once_are_all_kept(self, store: Store, clock: ManualClock) -> None:
        arriving = [an_event(clock) for _ in range(150)]
        assert set(await asyncio.gather(*(store.add(event) for event in arriving))) == {None}
        kept = await store.events(EventQuery(limit=200))
        assert {event.id for event in kept} == {event.id for event in arriving}

    async def test_quarantined_on_arrival_is_kept_and_never_routed(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock, entity=None, state="quarantined", reason="no JSON")
        await store.add(event)
        assert await decided(store, RoutedEvent(event.id, EventState.ROUTED)) == ()
        assert await store.event(event.id) == event

    async def test_routing_sees_the_oldest_events_in_order_of_arrival(self, store: Store, clock: ManualClock) -> None:
        events = [an_event(clock) for _ in range(5)]
        for event in events:
            await store.add(event)
        seen: list[str] = []

        def plan(batch: Sequence[Event], _: Mapping[StateKey, EntityState]) -> list[RoutedEvent]:
            seen.extend(event.id for event in batch)
            return [RoutedEvent(event.id, EventState.UNMATCHED, "no route") for event in batch]

        assert len(await store.route(3, plan)) == 3
        assert len(await store.route(3, plan)) == 2
        assert await store.route(3, plan) == ()
        assert seen == [event.id for event in events]

    async def test_routing_two_batches_at_once_decides_each_event_once(self, store: Store, clock: ManualClock) -> None:
        for _ in range(6):
            await store.add(an_event(clock))
        seen: list[str] = []

        def plan(batch: Sequence[Event], _: Mapping[StateKey, EntityState]) -> list[RoutedEvent]:
            seen.extend(event.id for event in batch)
            return [RoutedEvent(event.id, EventState.UNMATCHED) for event in batch]

        await asyncio.gather(*(store.route(2, plan) for _ in range(4)))
        assert len(seen) == len(set(seen)) == 6

    async def test_a_decision_is_stored_with_deliveries_and_last_state(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock)
        await store.add(event)
        state = replace(a_state(event, 7, name="Loja Ação"), created_seen=True)
        deliveries = (a_delivery(event.id, clock), a_delivery(event.id, clock, entry=1, state="dead"))
        decision = RoutedEvent(event.id, EventState.ROUTED, "why", deliveries, state)
        assert await decided(store, decision) == [decision]
        assert await store.event(event.id) == replace(event, state=EventState.ROUTED, reason="why")
        assert await store.deliveries(DeliveryQuery()) == list(reversed(deliveries))
        assert await store.last_state("crm", DEAL) == state

    async def test_the_plan_is_given_the_last_states_of_its_entities(self, store: Store, clock: ManualClock) -> None:
        first = an_event(clock)
        await store.add(first)
        state = a_state(first, 1, status="ongoing")
        await decided(store, RoutedEvent(first.id, EventState.ROUTED, entity_state=state))
        await store.add(an_event(clock))
        await store.add(an_event(clock, entity=Entity("deal", "unknown")))
        await store.add(an_event(clock, source="other"))
        await store.add(an_event(clock, entity=None))
        given: dict[StateKey, EntityState] = {}

        def plan(_: Sequence[Event], states: Mapping[StateKey, EntityState]) -> list[RoutedEvent]:
            given.update(states)
            return []

        await store.route(10, plan)
        assert given == {("crm", DEAL): state}

    async def test_what_a_plan_leaves_undecided_is_offered_again_first(self, store: Store, clock: ManualClock) -> None:
        events = [an_event(clock) for _ in range(4)]
        for event in events:
            await store.add(event)
        seen: list[tuple[list[str], int | None]] = []

        def plan(batch: Sequence[Event], states: Mapping[StateKey, EntityState]) -> list[RoutedEvent]:
            last = states.get(("crm", DEAL))
            seen.append(([event.id for event in batch], last.version if last else None))
            version = len(seen)
            return [
                RoutedEvent(event.id, EventState.UNMATCHED, entity_state=a_state(event, version)) for event in batch[:2]
            ]

        assert [len(await store.route(3, plan)) for _ in range(3)] == [2, 2, 0]
        ids = [event.id for event in events]
        assert seen == [(ids[:3], None), (ids[2:], 1)]

    async def test_a_plan_that_fails_leaves_the_events_waiting(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock)
        await store.add(event)
        with pytest.raises(ZeroDivisionError):
            await store.route(10, lambda _events, _states: [RoutedEvent(str(1 // 0), EventState.ROUTED)])
        assert (await store.backlog()).events_received == 1

    async def test_fan_out_is_atomic(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock)
        await store.add(event)
        twice = (a_delivery(event.id, clock), a_delivery(event.id, clock))  # the same route and entry: impossible
        [written] = await decided(store, RoutedEvent(event.id, EventState.ROUTED, None, twice, a_state(event, 1)))
        assert written.state is EventState.QUARANTINED
        assert await store.deliveries(DeliveryQuery()) == []
        assert await store.last_state("crm", DEAL) is None

    @pytest.mark.parametrize(
        "broken",
        [
            {"content": {"amount": 10**30}},
            {"content": {"name": "\ud800"}},
            {"key": "\ud800"},
            {"reason": "\ud800", "state": DeliveryState.DEAD, "content": None},
            {"event_id": "evt_of_nobody"},
        ],
    )
    async def test_what_cannot_be_stored_is_quarantined_and_stops_no_other(
        self, store: Store, clock: ManualClock, broken: dict[str, Any]
    ) -> None:
        before, bad, after = events = [an_event(clock) for _ in range(3)]
        for event in events:
            await store.add(event)
        planned = [a_delivery(event.id, clock) for event in events]
        planned[1] = replace(planned[1], **broken)
        committed = await decided(
            store,
            *(
                RoutedEvent(event.id, EventState.ROUTED, None, (delivery,), a_state(event, number))
                for number, (event, delivery) in enumerate(zip(events, planned, strict=True))
            ),
        )
        assert [routed.state for routed in committed] == [EventState.ROUTED, EventState.QUARANTINED, EventState.ROUTED]
        stored = await store.event(bad.id)
        assert stored is not None
        assert stored.state is EventState.QUARANTINED
        assert "cannot be stored" in str(stored.reason)
        kept = await store.deliveries(DeliveryQuery())
        assert [delivery.event_id for delivery in kept] == [after.id, before.id]
        assert await store.last_state("crm", DEAL) == a_state(after, 2)

    @pytest.mark.parametrize(("version", "moves"), [(4, False), (5, True), (6, True)])
    async def test_a_last_state_only_moves_forward(
        self, store: Store, clock: ManualClock, version: int, *, moves: bool
    ) -> None:
        states = []
        for number, written in enumerate((5, version)):
            event = an_event(clock)
            await store.add(event)
            states.append(a_state(event, written, number=number))
            await decided(store, RoutedEvent(event.id, EventState.ROUTED, entity_state=states[-1]))
        assert await store.last_state("crm", DEAL) == states[moves]

    async def test_events_are_counted_by_the_hour_of_their_source(self, store: Store, clock: ManualClock) -> None:
        hour = int(clock.now().timestamp()) // 3600
        for minutes in (0, 59, 60):
            await store.add(replace(an_event(clock), received_at=clock.now() + timedelta(minutes=minutes)))
        await store.add(an_event(clock, source="other"))
        await store.add(replace(an_event(clock), received_at=clock.now() - timedelta(microseconds=1)))
        assert await store.hourly("crm", clock.now()) == {hour: 2, hour + 1: 1}

    async def test_how_a_last_state_was_found_is_a_part_of_it(self, store: Store, clock: ManualClock) -> None:
        for found in (True, False):
            event = an_event(clock)
            await store.add(event)
            known = replace(a_state(event, 1), found=found)
            routed = RoutedEvent(event.id, EventState.UNMATCHED, entity_state=known)
            await store.route(1, lambda *_, routed=routed: [routed])
            assert await store.last_state("crm", DEAL) == known

    async def test_a_deletion_is_part_of_the_last_state(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock)
        await store.add(event)
        gone = replace(a_state(event, 1), deleted=True)
        await decided(store, RoutedEvent(event.id, EventState.ROUTED, entity_state=gone))
        assert await store.last_state("crm", DEAL) == gone

    async def test_what_is_known_and_not_deleted_is_living(self, store: Store, clock: ManualClock) -> None:
        for source, kind, id_, deleted in (
            ("crm", "deal", "d1", False),
            ("crm", "deal", "d2", True),
            ("crm", "task", "t1", False),
            ("other", "deal", "d3", False),
        ):
            event = an_event(clock, source=source, entity=Entity(kind, id_))
            await store.add(event)
            known = EntityState(source, Entity(kind, id_), {"id": id_}, 1, event.id, deleted)
            await decided(store, RoutedEvent(event.id, EventState.ROUTED, entity_state=known))
        assert await store.living("crm", "deal") == ["d1"]
        assert await store.living("crm", "contact") == []

    async def test_a_render_failure_is_a_dead_letter_that_holds_back_nobody(
        self, store: Store, clock: ManualClock
    ) -> None:
        event = an_event(clock)
        await store.add(event)
        dead, fine = a_delivery(event.id, clock, state="dead"), a_delivery(event.id, clock, entry=1)
        await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=(dead, fine)))
        assert await store.delivery(dead.id) == dead
        assert [d.id for d in await store.deliveries(DeliveryQuery(states=(DeliveryState.PENDING,)))] == [fine.id]
