"""What any store promises about digests: what they gather, what the one before told, and the place of the next."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bridge.model import Deferral, Delivery, DeliveryState, Event, EventState, Ripe, Ripened, RoutedEvent, Unreadable
from bridge.store.base import Store
from bridge.store.nouns import Retention
from tests.contracts.store_steps import a_delivery, an_event, decided, the
from tests.support.clock import ManualClock

DAY = timedelta(days=1)


async def gathered(store: Store, clock: ManualClock, turn: datetime, group: str = "", entry: int = 0) -> Event:
    """Store an event that a digest is to tell of at a turn."""
    event = an_event(clock)
    await store.add(event)
    deferral = Deferral("digest", group, before={"of": event.id}, latest=turn)
    delivery = replace(a_delivery(event.id, clock, entry=entry), content=None, state=DeliveryState.DEFERRED)
    delivery = replace(delivery, due_at=turn, deferral=deferral)
    await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=(delivery,)))
    return event


def told(ripe: Ripe, state: DeliveryState = DeliveryState.PENDING, following: Delivery | None = None) -> Ripened:
    return Ripened(replace(ripe.delivery, content={"text": "x"}, state=state, deferral=None), following)


def held_place(ripe: Ripe, turn: datetime) -> Delivery:
    """Return what holds the place of the next digest."""
    deferral = Deferral("digest", latest=turn, vacant=True)
    delivery = replace(ripe.delivery, id=f"{ripe.delivery.id[:-4]}next", deferral=deferral, due_at=turn)
    return replace(delivery, content=None, state=DeliveryState.DEFERRED)


class Turns:
    """Tells what is due, and keeps what it was given to tell."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store = store
        self.clock = clock
        self.ripe: list[Ripe] = []

    async def pass_by(self, state: DeliveryState = DeliveryState.PENDING, next_turn: datetime | None = None) -> None:
        """Let a day pass, and tell what is due by then."""
        self.clock.advance(days=1)

        def ripen(ripe: Ripe) -> Ripened:
            self.ripe.append(ripe)
            return told(ripe, state, held_place(ripe, next_turn) if next_turn else None)

        while await self.store.ripen(10, ripen):
            pass

    def former(self) -> list[str] | None:
        """Return the ids of the events that the digest before told, as the last one was given them."""
        former = self.ripe[-1].former
        return None if former is None else [item.event.id for item in former.items]


class DigestContract:
    """Kept by reference until the one after the next."""

    @pytest.fixture
    def turns(self, store: Store, clock: ManualClock) -> Turns:
        return Turns(store, clock)

    async def test_a_digest_gathers_what_is_due_of_its_entry_and_group(
        self, store: Store, clock: ManualClock, turns: Turns
    ) -> None:
        turn = clock.now() + DAY
        first, second = [await gathered(store, clock, turn, "a") for _ in range(2)]
        await gathered(store, clock, turn, "b")
        await gathered(store, clock, turn, "a", entry=1)
        await gathered(store, clock, turn + DAY, "a")
        await turns.pass_by()
        assert [len(ripe.items) for ripe in turns.ripe] == [2, 1, 1]
        assert [(item.event.id, item.before) for item in turns.ripe[0].items] == [
            (first.id, {"of": first.id}),
            (second.id, {"of": second.id}),
        ]
        assert (await the(store, turns.ripe[0].others[0])).state is DeliveryState.CANCELLED

    async def test_whoever_waits_gets_a_turn_between_what_is_told(self, store: Store, clock: ManualClock) -> None:
        for group in "ab":
            await gathered(store, clock, clock.now() + DAY, group)
        clock.advance(days=1)
        done: list[str] = []

        def ripen(ripe: Ripe) -> Ripened:
            asyncio.get_running_loop().call_soon(done.append, "a webhook")
            done.append("a digest")
            return told(ripe)

        await store.ripen(10, ripen)
        assert done == ["a digest", "a webhook", "a digest", "a webhook"]

    async def test_what_is_found_unreadable_dies_and_the_others_are_told_without_it(
        self, store: Store, clock: ManualClock, turns: Turns
    ) -> None:
        lost, other = [await gathered(store, clock, clock.now() + DAY) for _ in range(2)]
        clock.advance(days=1)

        def ripen(ripe: Ripe) -> Unreadable:
            [id_] = [item.delivery_id for item in ripe.items if item.event.id == lost.id]
            return Unreadable({id_: "it is damaged"}, held_place(ripe, clock.now() + DAY))

        [dead] = await store.ripen(10, ripen)
        assert (dead.event_id, dead.state, dead.reason) == (lost.id, DeliveryState.DEAD, "it is damaged")
        assert (await the(store, dead.id)).state is DeliveryState.DEAD
        await store.ripen(10, told)
        await turns.pass_by()
        [place] = turns.ripe
        assert (place.items, place.delivery.event_id) == ((), other.id)
        former = place.former
        assert former is not None
        assert [item.event.id for item in former.items] == [other.id]

    async def test_it_brings_what_the_one_before_told_of_the_group(
        self, store: Store, clock: ManualClock, turns: Turns
    ) -> None:
        first = await gathered(store, clock, clock.now() + DAY, "a")
        await turns.pass_by()
        assert turns.former() is None
        await gathered(store, clock, clock.now() + DAY, "a")
        await turns.pass_by()
        assert turns.former() == [first.id]
        former = turns.ripe[-1].former
        assert former is not None
        assert (former.turn, former.items[0].before) == (clock.now() - DAY, {"of": first.id})
        await gathered(store, clock, clock.now() + DAY, "b")
        await turns.pass_by()
        assert turns.former() == [], "others were told of"

    async def test_what_was_not_told_is_not_brought(self, store: Store, clock: ManualClock, turns: Turns) -> None:
        await gathered(store, clock, clock.now() + DAY)
        await turns.pass_by(DeliveryState.DEAD)
        await gathered(store, clock, clock.now() + DAY)
        await turns.pass_by()
        assert turns.former() is None

    async def test_the_place_of_the_next_is_held_once(self, store: Store, clock: ManualClock, turns: Turns) -> None:
        event = await gathered(store, clock, clock.now() + DAY)
        later = clock.now() + 5 * DAY
        await turns.pass_by(next_turn=later)
        assert await store.next_ripe() == later
        await gathered(store, clock, clock.now() + DAY)
        await turns.pass_by(next_turn=later + DAY)
        assert await store.next_ripe() == later, "its place was held already"
        for _ in range(3):
            await turns.pass_by()
        last = turns.ripe[-1]
        assert (last.items, last.delivery.event_id, last.turn) == ((), event.id, later)
        assert turns.former() is not None
        assert await store.next_ripe() is None

    async def test_what_the_next_is_compared_with_stays_whole_and_no_longer(
        self, store: Store, clock: ManualClock, turns: Turns
    ) -> None:
        events = []
        for _ in range(3):
            events.append(await gathered(store, clock, clock.now() + DAY))
            await turns.pass_by()
            await store.discard([turns.ripe[-1].delivery.id], "enough")
        clock.advance(days=60)
        gone = await store.prune(Retention(events=clock.now(), bodies=clock.now()))
        while gone.next is not None:
            gone = await store.prune(Retention(events=clock.now(), bodies=clock.now()), gone.next)
        kept = [await store.event(event.id) for event in events]
        assert [event and bool(event.body) for event in kept] == [None, True, True]
