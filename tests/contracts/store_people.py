"""What any store promises to people: lists, retry, replay, and counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.errors import StoreError
from bridge.model import DeliveryState, Entity, Event, EventState, RoutedEvent, Terms, new_id
from bridge.store.base import Store
from bridge.store.nouns import Backlog, DeliveryQuery, EventQuery, Settlement, Spread
from tests.contracts.store_steps import (
    DEAD,
    DEAL,
    LEASE,
    MANY,
    a_delivery,
    a_state,
    an_event,
    attempt_at,
    claimed,
    decided,
    planned,
    settled,
    the,
)
from tests.support.clock import ManualClock


class PeopleContract:
    """What the command line and the console ask for."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (EventQuery(), [3, 2, 1, 0]),
            (EventQuery(limit=2), [3, 2]),
            (EventQuery(limit=2, oldest_first=True), [0, 1]),
            (EventQuery(source="other"), [1]),
            (EventQuery(name="crm_task_created"), [2]),
            (EventQuery(entity=Entity("task", "t1")), [2]),
            (EventQuery(states=(EventState.QUARANTINED,)), [3]),
            (EventQuery(states=(EventState.QUARANTINED, EventState.RECEIVED)), [3, 2, 1, 0]),
            (EventQuery(states=(EventState.STALE,)), []),
            (EventQuery(source="crm", name="crm_deal_updated", entity=DEAL), [0]),
        ],
    )
    async def test_events_are_listed_newest_first_by_what_is_asked(
        self, store: Store, clock: ManualClock, query: EventQuery, expected: list[int]
    ) -> None:
        events = [
            an_event(clock),
            an_event(clock, source="other"),
            an_event(clock, name="crm_task_created", entity=Entity("task", "t1")),
            an_event(clock, entity=None, state="quarantined", reason="no JSON"),
        ]
        for event in events:
            await store.add(event)
        assert await store.events(query) == [events[n] for n in expected]

    async def test_events_are_listed_from_a_time_up_to_a_time(self, store: Store, clock: ManualClock) -> None:
        times = []
        for _ in range(3):
            times.append(clock.now())
            await store.add(an_event(clock))
            clock.advance(seconds=1)
        found = await store.events(EventQuery(since=times[1], until=times[2]))
        assert [event.received_at for event in found] == [times[1]]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (DeliveryQuery(), [2, 1, 0]),
            (DeliveryQuery(limit=1), [2]),
            (DeliveryQuery(limit=2, oldest_first=True), [0, 1]),
            (DeliveryQuery(states=(DeliveryState.PENDING,), limit=1, oldest_first=True), [0]),
            (DeliveryQuery(target="billing"), [1]),
            (DeliveryQuery(route="deal-won"), [2]),
            (DeliveryQuery(states=(DeliveryState.DEAD,)), [2]),
            (DeliveryQuery(states=(DeliveryState.PENDING, DeliveryState.PARKED)), [1, 0]),
            (DeliveryQuery(event_id="evt_none"), []),
        ],
    )
    async def test_deliveries_are_listed_newest_first_by_what_is_asked(
        self, store: Store, clock: ManualClock, query: DeliveryQuery, expected: list[int]
    ) -> None:
        event = an_event(clock)
        await store.add(event)
        deliveries = (
            a_delivery(event.id, clock),
            a_delivery(event.id, clock, entry=1, target="billing"),
            a_delivery(event.id, clock, route="deal-won", state="dead"),
        )
        await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=deliveries))
        assert await store.deliveries(query) == [deliveries[n] for n in expected]

    async def test_deliveries_are_listed_by_when_they_were_planned(self, store: Store, clock: ManualClock) -> None:
        await planned(store, clock, "deal:1")
        clock.advance(hours=1)
        [young] = await planned(store, clock, "deal:2")
        found = await store.deliveries(DeliveryQuery(since=clock.now()))
        assert [delivery.id for delivery in found] == [young]

    async def test_what_does_not_exist_is_none(self, store: Store, clock: ManualClock) -> None:
        assert await store.event("evt_none") is None
        assert await store.delivery("dlv_none") is None
        assert await store.last_state("crm", DEAL) is None
        assert await store.find_link("sales", "deal:1") is None
        assert await store.attempts("dlv_none") == []
        assert await store.preceding(an_event(clock)) is None

    async def test_the_preceding_event_is_the_newest_earlier_one_that_was_applied(
        self, store: Store, clock: ManualClock
    ) -> None:
        async def routed(state: EventState, *, source: str = "crm", applied: bool = True) -> Event:
            event = an_event(clock, source=source)
            await store.add(event)
            entity_state = a_state(event, 1) if applied else None
            await decided(store, RoutedEvent(event.id, state, entity_state=entity_state))
            return replace(event, state=state)

        first = await routed(EventState.ROUTED)
        second = await routed(EventState.UNMATCHED)
        await routed(EventState.ROUTED, source="other")
        stale = await routed(EventState.STALE)
        await routed(EventState.DUPLICATE, applied=False)
        third = await routed(EventState.ROUTED)
        assert await store.preceding(first) is None
        assert await store.preceding(second) == first
        assert await store.preceding(third) == second
        await store.replay(RoutedEvent(stale.id, EventState.ROUTED), again=False)
        assert await store.preceding(third) == second, "a replay applies nothing"

    async def test_a_dead_letter_that_is_retried_is_due_at_once_and_by_a_person(
        self, store: Store, clock: ManualClock
    ) -> None:
        [id_] = await planned(store, clock, "deal:1")
        await settled(store, clock, DEAD)
        clock.advance(hours=5)
        assert await store.retry([id_, "dlv_none"]) == [id_]
        [claim] = await store.claim("sales", MANY, LEASE)
        assert (claim.delivery.id, claim.trigger, claim.delivery.attempts) == (id_, "person", 1)
        again = Settlement(DeliveryState.PENDING, due_at=clock.now())
        await store.record(claim, attempt_at(claim, clock), again)
        [claim] = await store.claim("sales", MANY, LEASE)
        assert claim.trigger == "schedule"
        assert [attempt.trigger for attempt in await store.attempts(id_)] == ["schedule", "person"]

    async def test_a_waiting_delivery_that_is_retried_is_due_at_once(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        await settled(store, clock, Settlement(DeliveryState.PENDING, due_at=clock.now() + timedelta(hours=1)))
        assert await claimed(store) == []
        assert await store.retry([id_]) == [id_]
        assert await claimed(store) == [id_]

    async def test_a_spread_makes_those_that_are_retried_due_one_after_another(
        self, store: Store, clock: ManualClock
    ) -> None:
        dead = await planned(store, clock, "deal:1", "deal:2")
        await settled(store, clock, DEAD)
        waiting = await planned(store, clock, "deal:3")
        begin = clock.now() + timedelta(seconds=1)
        ids = [*dead, "dlv_none", *waiting]
        assert await store.retry(ids, Spread(begin, timedelta(seconds=6))) == [*dead, *waiting]
        due = [((await the(store, id_)).due_at - begin).total_seconds() for id_ in (*dead, *waiting)]
        assert due == [0, 6, 12], "in the order of the ids, none left out, and not sooner where it was due already"
        assert await claimed(store) == []
        clock.advance(seconds=7)
        assert await claimed(store) == dead

    async def test_what_is_under_way_or_done_is_not_retried(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        [claim] = await store.claim("sales", MANY, LEASE)
        assert await store.retry([id_]) == []
        await store.record(claim, attempt_at(claim, clock), Settlement(DeliveryState.DELIVERED))
        assert await store.retry([id_]) == []
        assert (await the(store, id_)).state is DeliveryState.DELIVERED

    async def test_what_failed_to_render_is_not_retried(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock)
        await store.add(event)
        dead = a_delivery(event.id, clock, state="dead")
        await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=(dead,)))
        assert await store.retry([dead.id]) == []
        assert await store.delivery(dead.id) == dead

    async def test_an_older_letter_brought_back_goes_first_but_waits_for_what_is_under_way(
        self, store: Store, clock: ManualClock
    ) -> None:
        old, middle, young = await planned(store, clock, "deal:1", "deal:1", "deal:1")
        assert await settled(store, clock, DEAD) == [old]
        [under_way] = await store.claim("sales", MANY, LEASE)
        assert under_way.delivery.id == middle
        await store.retry([old])
        assert await claimed(store) == []
        again = Settlement(DeliveryState.PENDING, due_at=clock.now())
        await store.record(under_way, attempt_at(under_way, clock), again)
        assert [await settled(store, clock) for _ in range(4)] == [[old], [middle], [young], []]

    @pytest.mark.parametrize(
        ("settle", "again", "added"),
        [
            (Settlement(DeliveryState.DELIVERED), False, False),
            (Settlement(DeliveryState.DELIVERED), True, True),
            (DEAD, False, True),
            (Settlement(DeliveryState.CANCELLED), False, True),
            (None, False, False),
            (None, True, True),
        ],
    )
    async def test_a_replay_adds_what_was_not_served(
        self, store: Store, clock: ManualClock, settle: Settlement | None, *, again: bool, added: bool
    ) -> None:
        [id_] = await planned(store, clock, "deal:1")
        event_id = (await the(store, id_)).event_id
        if settle:
            await settled(store, clock, settle)
        anew = a_delivery(event_id, clock)
        routed = RoutedEvent(event_id, EventState.ROUTED, deliveries=(anew,))
        assert await store.lacking(routed, again=again) == ([anew] if added else [])
        result = await store.replay(routed, again=again)
        assert result == ([replace(anew, replay=1)] if added else [])
        assert await store.delivery(anew.id) == (replace(anew, replay=1) if added else None)

    async def test_a_replay_does_not_undo_what_has_superseded_a_delivery(
        self, store: Store, clock: ManualClock
    ) -> None:
        events = [an_event(clock) for _ in range(2)]
        planned = [replace(a_delivery(event.id, clock), terms=Terms(supersedes=True)) for event in events]
        for event, delivery in zip(events, planned, strict=True):
            await store.add(event)
            await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=(delivery,)))
        assert (await the(store, planned[0].id)).state is DeliveryState.CANCELLED
        anew = RoutedEvent(events[0].id, EventState.ROUTED, deliveries=(a_delivery(events[0].id, clock),))
        assert await store.replay(anew, again=False) == []
        assert len(await store.replay(anew, again=True)) == 1

    async def test_a_replay_adds_what_was_superseded_by_another_replay_of_the_event_that_came_to_nothing(
        self, store: Store, clock: ManualClock
    ) -> None:
        [id_] = await planned(store, clock, "deal:1")
        event_id = (await the(store, id_)).event_id
        first, second = (replace(a_delivery(event_id, clock), terms=Terms(supersedes=True)) for _ in range(2))
        await store.replay(RoutedEvent(event_id, EventState.ROUTED, deliveries=(first,)), again=True)
        assert (await the(store, id_)).state is DeliveryState.CANCELLED
        await settled(store, clock, DEAD)
        again = RoutedEvent(event_id, EventState.ROUTED, deliveries=(second,))
        assert [each.id for each in await store.replay(again, again=False)] == [second.id]

    async def test_a_spread_makes_what_a_replay_adds_due_one_after_another(
        self, store: Store, clock: ManualClock
    ) -> None:
        event = an_event(clock)
        await store.add(event)
        entries = tuple(a_delivery(event.id, clock, entry=entry) for entry in range(3))
        await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=entries[1:2]))
        anew = tuple(replace(each, id=new_id("dlv")) for each in entries)
        begin = clock.now() + timedelta(minutes=1)
        routed = RoutedEvent(event.id, EventState.ROUTED, deliveries=anew)
        added = await store.replay(routed, again=False, spread=Spread(begin, timedelta(seconds=6)))
        assert [(each.id, each.due_at - begin) for each in added] == [
            (anew[0].id, timedelta(0)),
            (anew[2].id, timedelta(seconds=6)),
        ]
        assert [await the(store, each.id) for each in added] == added

    async def test_each_replay_has_its_number(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        event_id = (await the(store, id_)).event_id
        for number in (1, 2):
            routed = RoutedEvent(event_id, EventState.ROUTED, deliveries=(a_delivery(event_id, clock),))
            [delivery] = await store.replay(routed, again=True)
            assert delivery.replay == number

    async def test_a_replay_gives_the_event_its_new_state_and_moves_a_last_state_forward_only(
        self, store: Store, clock: ManualClock
    ) -> None:
        event, late = (an_event(clock, state="quarantined", reason="source gone") for _ in range(2))
        for each, version in ((event, 2), (late, 1)):
            await store.add(each)
            state = a_state(each, version)
            await store.replay(RoutedEvent(each.id, EventState.UNMATCHED, "no route", (), state), again=False)
        assert await store.event(event.id) == replace(event, state=EventState.UNMATCHED, reason="no route")
        assert await store.last_state("crm", DEAL) == a_state(event, 2)

    async def test_a_replay_without_a_last_state_leaves_them_alone(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock, state="quarantined", reason="source gone")
        await store.add(event)
        await store.replay(RoutedEvent(event.id, EventState.UNMATCHED), again=False)
        assert await store.last_state("crm", DEAL) is None

    async def test_an_event_that_waits_to_be_routed_is_not_replayed(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock)
        await store.add(event)
        routed = RoutedEvent(event.id, EventState.ROUTED, deliveries=(a_delivery(event.id, clock),))
        assert await store.lacking(routed, again=True) == []
        assert await store.replay(routed, again=True) == []
        assert await store.event(event.id) == event

    async def test_the_backlog_counts_what_waits(self, store: Store, clock: ManualClock) -> None:
        assert replace(await store.backlog(), size=0) == Backlog()
        await planned(store, clock, "deal:1", "deal:2")
        await claimed(store, limit=1)
        await planned(store, clock, "deal:3", target="billing")
        await planned(store, clock, "deal:4", target="gone")
        await store.adopt(["sales", "billing"])
        arrived = clock.now()
        await store.add(an_event(clock))
        clock.advance(minutes=1)
        await store.add(an_event(clock))
        assert replace(await store.backlog(), size=0) == Backlog(
            events_received=2,
            oldest_received_at=arrived,
            deliveries={
                ("sales", DeliveryState.DELIVERING): 1,
                ("sales", DeliveryState.PENDING): 1,
                ("billing", DeliveryState.PENDING): 1,
                ("gone", DeliveryState.PARKED): 1,
            },
        )
        assert (await store.backlog()).deliveries_waiting == 4

    @pytest.mark.parametrize(
        ("settlement", "counted"),
        [
            (DEAD, {("sales", DeliveryState.DEAD): 1}),
            (Settlement(DeliveryState.DELIVERED), {}),
            (Settlement(DeliveryState.CANCELLED), {}),
        ],
    )
    async def test_the_backlog_counts_the_dead_and_not_the_finished(
        self,
        store: Store,
        clock: ManualClock,
        settlement: Settlement,
        counted: dict[tuple[str, DeliveryState], int],
    ) -> None:
        await planned(store, clock, "deal:1")
        await settled(store, clock, settlement)
        backlog = await store.backlog()
        assert backlog.deliveries == counted
        assert (backlog.deliveries_waiting, backlog.deliveries_dead) == (0, len(counted)), "the dead do not wait"

    async def test_a_closed_store_refuses_and_can_be_closed_again(self, store: Store, clock: ManualClock) -> None:
        await store.close()
        await store.close()
        with pytest.raises(StoreError):
            await store.add(an_event(clock))
        with pytest.raises(StoreError):
            await store.events(EventQuery())
