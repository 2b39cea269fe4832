"""What any store promises about retention: what goes, what stays, and what that must never change."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.model import DeliveryState, Entity, Event, EventState, Link, RoutedEvent
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery, EventQuery, Retention, Settlement
from tests.contracts.store_steps import (
    DEAD,
    DEAL,
    DELIVERED,
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

WEEK, MONTH = timedelta(days=7), timedelta(days=30)


async def pruned(store: Store, clock: ManualClock, bodies: timedelta = WEEK, events: timedelta = MONTH) -> list[int]:
    """Make one whole pass; return how many bodies, events and deliveries went."""
    retention = Retention(events=clock.now() - events, bodies=clock.now() - bodies)
    steps = [await store.prune(retention)]
    while steps[-1].next is not None:
        steps.append(await store.prune(retention, steps[-1].next))
    return [sum(step.bodies for step in steps), sum(step.events for step in steps), sum(s.deliveries for s in steps)]


async def routed(
    store: Store, clock: ManualClock, entity: Entity = DEAL, state: str = "unmatched", *, applied: bool = True
) -> Event:
    """Store and decide an event without deliveries."""
    event = an_event(clock, entity=entity)
    await store.add(event)
    version = int(clock.now().timestamp())
    decision = RoutedEvent(event.id, EventState(state), entity_state=a_state(event, version) if applied else None)
    assert await decided(store, decision)
    clock.advance(seconds=1)
    return replace(event, state=EventState(state))


async def bodies_of(store: Store, events: Sequence[Event]) -> list[bytes | None]:
    """Return the body of each event, or None where the event itself is gone."""
    stored = [await store.event(event.id) for event in events]
    return [event.body if event else None for event in stored]


class PruningContract:
    """Bodies for a while, events for longer, last states for ever."""

    async def test_an_event_goes_with_its_deliveries_and_attempts(self, store: Store, clock: ManualClock) -> None:
        [first, second] = await planned(store, clock, "deal:1", "deal:2")
        await settled(store, clock, Settlement(DeliveryState.PENDING, due_at=clock.now()))
        await settled(store, clock)
        clock.advance(days=31)
        assert await pruned(store, clock) == [1, 1, 2]
        assert await store.events(EventQuery()) == []
        assert await store.deliveries(DeliveryQuery()) == []
        assert [await store.attempts(id_) for id_ in (first, second)] == [[], []]

    async def test_what_is_young_stays_as_it_is(self, store: Store, clock: ManualClock) -> None:
        await planned(store, clock, "deal:1")
        await settled(store, clock)
        before = await store.events(EventQuery())
        clock.advance(days=6)
        assert await pruned(store, clock) == [0, 0, 0]
        assert await store.events(EventQuery()) == before

    async def test_a_body_goes_first_and_leaves_all_else(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        await settled(store, clock)
        [event] = await store.events(EventQuery())
        clock.advance(days=8)
        assert await pruned(store, clock) == [1, 0, 0]
        assert await store.events(EventQuery()) == [replace(event, body=b"")]
        assert len(await store.attempts(id_)) == 1
        assert await pruned(store, clock) == [0, 0, 0], "it went once"

    async def test_what_waits_is_kept_however_old_it_is(self, store: Store, clock: ManualClock) -> None:
        await store.add(received := an_event(clock))
        ids = [(await planned(store, clock, "deal:1", target=target))[0] for target in ("busy", "idle", "paused")]
        assert await claimed(store, "busy") == [ids[0]]
        await store.pause("paused", "for as long as it takes")
        before = await store.events(EventQuery())
        clock.advance(days=400)
        assert await pruned(store, clock) == [0, 0, 0]
        assert await store.events(EventQuery()) == before
        assert await store.event(received.id) == received
        states = [(await the(store, id_)).state for id_ in ids]
        assert states == [DeliveryState.DELIVERING, DeliveryState.PENDING, DeliveryState.PARKED]

    async def test_one_unfinished_delivery_keeps_the_whole_event(self, store: Store, clock: ManualClock) -> None:
        [done, waiting] = await planned(store, clock, "deal:1", "deal:2")
        claims = {claim.delivery.id: claim for claim in await store.claim("sales", MANY, LEASE)}
        await store.record(claims[done], attempt_at(claims[done], clock), DELIVERED)
        clock.advance(days=400)
        assert await pruned(store, clock) == [0, 0, 0]
        await store.record(claims[waiting], attempt_at(claims[waiting], clock), DELIVERED)
        assert await pruned(store, clock) == [1, 0, 0], "it was tried just now"
        clock.advance(days=31)
        assert await pruned(store, clock) == [0, 1, 2]

    async def test_a_dead_letter_and_what_it_needs_stay_until_events_go(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        clock.advance(days=60)
        await settled(store, clock, DEAD)
        clock.advance(days=29)
        assert await pruned(store, clock) == [0, 0, 0], "it died 29 days ago"
        assert (await the(store, id_)).state is DeliveryState.DEAD
        clock.advance(days=2)
        assert await pruned(store, clock) == [1, 1, 1]

    async def test_what_is_quarantined_keeps_its_body_until_events_go(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock, entity=None, state="quarantined", reason="no JSON")
        await store.add(event)
        clock.advance(days=29)
        assert await pruned(store, clock) == [0, 0, 0]
        assert await store.event(event.id) == event
        clock.advance(days=2)
        assert await pruned(store, clock) == [0, 1, 0]

    async def test_what_a_replay_planned_since_keeps_its_event(self, store: Store, clock: ManualClock) -> None:
        [old] = await planned(store, clock, "deal:1")
        await settled(store, clock)
        event_id = (await the(store, old)).event_id
        clock.advance(days=31)
        anew = RoutedEvent(event_id, EventState.ROUTED, deliveries=(a_delivery(event_id, clock),))
        await store.replay(anew, again=True)
        await settled(store, clock)
        assert await pruned(store, clock) == [1, 0, 0]
        clock.advance(days=31)
        assert await pruned(store, clock) == [0, 1, 2]

    async def test_what_had_no_entity_goes_though_a_replay_applied_it(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock, entity=None, state="quarantined")
        await store.add(event)
        state = a_state(replace(event, entity=DEAL), 1)
        await store.replay(RoutedEvent(event.id, EventState.UNMATCHED, entity_state=state), again=False)
        clock.advance(days=31)
        assert await pruned(store, clock) == [1, 1, 0]
        assert await store.last_state("crm", DEAL) == state

    @pytest.mark.parametrize("count", [1, 127, 128, 129, 400])
    async def test_a_pass_reaches_everything_in_its_steps(self, store: Store, clock: ManualClock, count: int) -> None:
        for _ in range(count):
            await store.add(an_event(clock, entity=None, state="quarantined"))
        await store.add(waiting := an_event(clock))
        clock.advance(days=31)
        assert await pruned(store, clock) == [0, count, 0]
        assert await store.events(EventQuery()) == [waiting]

    # what the next event is compared with

    async def test_last_states_and_links_stay(self, store: Store, clock: ManualClock) -> None:
        await planned(store, clock, "deal:1")
        await settled(store, clock, DELIVERED, Link("sales", "deal:1", "1732.0001"))
        first, last = await routed(store, clock), await routed(store, clock)
        clock.advance(days=400)
        await pruned(store, clock)
        await pruned(store, clock)
        assert await bodies_of(store, [first]) == [b""]
        state = await store.last_state("crm", DEAL)
        assert state is not None
        assert state.event_id == last.id
        link = await store.find_link("sales", "deal:1")
        assert link is not None
        assert link.external_id == "1732.0001"

    async def test_the_last_event_of_an_entity_stays_whole(self, store: Store, clock: ManualClock) -> None:
        events = [await routed(store, clock) for _ in range(4)]
        other = await routed(store, clock, Entity("deal", "other"))
        clock.advance(days=400)
        await pruned(store, clock)
        assert await bodies_of(store, events) == [None, None, b"", events[3].body]
        assert await bodies_of(store, [other]) == [other.body]
        arrived = await routed(store, clock)
        assert await store.preceding(arrived) == events[3], "so it can be explained"

    async def test_what_a_kept_event_was_compared_with_stays_with_its_body(
        self, store: Store, clock: ManualClock
    ) -> None:
        old, before, late = [await routed(store, clock) for _ in range(3)]
        clock.advance(days=8)
        young = await routed(store, clock)
        assert await pruned(store, clock) == [2, 0, 0]
        assert await bodies_of(store, [old, before, late, young]) == [b"", b"", late.body, young.body]
        assert await store.preceding(young) == late

    async def test_what_a_dead_letter_was_compared_with_stays_with_its_body(
        self, store: Store, clock: ManualClock
    ) -> None:
        before = await routed(store, clock)
        event = an_event(clock)
        await store.add(event)
        failed = RoutedEvent(
            event.id, EventState.ROUTED, None, (a_delivery(event.id, clock, state="dead"),), a_state(event, 2**40)
        )
        await decided(store, failed)
        await routed(store, clock)
        clock.advance(days=29)
        assert await pruned(store, clock) == [0, 0, 0]
        assert await bodies_of(store, [before, event]) == [before.body, event.body]

    async def test_an_event_is_never_said_to_follow_another_than_it_did(self, store: Store, clock: ManualClock) -> None:
        [waiting] = await planned(store, clock, "deal:1")
        events = [await routed(store, clock) for _ in range(3)]
        parked = (await the(store, waiting)).event_id
        clock.advance(days=400)
        await pruned(store, clock)
        await pruned(store, clock)
        assert await bodies_of(store, events) == [None, b"", events[2].body]
        preceding = await store.preceding(events[2])
        assert preceding is not None
        assert preceding.id == events[1].id, f"and not {parked}, which is older and waits"

    async def test_duplicates_and_what_came_late_go_by_their_age_alone(self, store: Store, clock: ManualClock) -> None:
        last = await routed(store, clock)
        others = [await routed(store, clock, state=state, applied=False) for state in ("duplicate", "stale")]
        clock.advance(days=8)
        assert await pruned(store, clock) == [2, 0, 0]
        clock.advance(days=30)
        assert await pruned(store, clock) == [0, 2, 0]
        assert await bodies_of(store, [last, *others]) == [last.body, None, None]

    async def test_bodies_may_be_kept_as_long_as_events(self, store: Store, clock: ManualClock) -> None:
        events = [await routed(store, clock) for _ in range(4)]
        clock.advance(days=29)
        assert await pruned(store, clock, MONTH, MONTH) == [0, 0, 0]
        clock.advance(days=2)
        assert await pruned(store, clock, MONTH, MONTH) == [3, 2, 0]
        assert await bodies_of(store, events) == [None, None, b"", events[3].body]
