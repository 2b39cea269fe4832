"""What any store promises of what is deferred: with what it would be told, if its time came now."""

from dataclasses import replace
from datetime import timedelta

from bridge.model import CallOff, Deferral, Delivery, DeliveryState, Event, EventState, RoutedEvent
from bridge.store.base import Store
from tests.contracts.store_steps import a_delivery, an_event, decided
from tests.support.clock import ManualClock

HOUR = timedelta(hours=1)


def deferred(event: Event, clock: ManualClock, deferral: Deferral, entry: int = 0) -> Delivery:
    """Return a delivery of an event that is due in an hour."""
    delivery = replace(a_delivery(event.id, clock, entry=entry), content=None, state=DeliveryState.DEFERRED)
    return replace(delivery, due_at=clock.now() + HOUR, deferral=deferral)


def digest(clock: ManualClock, group: str = "") -> Deferral:
    return Deferral("digest", group, latest=clock.now() + HOUR)


class WaitingContract:
    """Asked by people, of what is planned and of what is not."""

    async def plan(
        self, store: Store, clock: ManualClock, deferral: Deferral, entry: int = 0
    ) -> tuple[Event, Delivery]:
        event = an_event(clock)
        await store.add(event)
        delivery = deferred(event, clock, deferral, entry)
        await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=(delivery,)))
        return event, delivery

    async def test_a_digest_is_told_with_what_waits_of_its_entry_and_group(
        self, store: Store, clock: ManualClock
    ) -> None:
        first, waits = await self.plan(store, clock, digest(clock, "a"))
        await self.plan(store, clock, digest(clock, "b"))
        await self.plan(store, clock, digest(clock, "a"), entry=1)
        event = an_event(clock)
        asked = deferred(event, clock, digest(clock, "a"))
        found = await store.waiting(event, asked)
        assert [item.event.id for item in found.items] == [first.id, event.id]
        assert (found.others, found.delivery) == ((waits.id,), asked)

    async def test_what_waits_itself_is_told_once(self, store: Store, clock: ManualClock) -> None:
        first, _ = await self.plan(store, clock, digest(clock))
        _, other = await self.plan(store, clock, digest(clock))
        found = await store.waiting(first, deferred(first, clock, digest(clock)))
        assert (len(found.items), found.others) == (2, (other.id,))

    async def test_a_change_joins_the_one_that_is_held(self, store: Store, clock: ManualClock) -> None:
        latest = clock.now() + HOUR
        _, held = await self.plan(store, clock, Deferral("debounce", before={"stage": 1}, latest=latest))
        clock.advance(minutes=30)
        event = an_event(clock)
        mine = Deferral("debounce", before={"stage": 2}, latest=clock.now() + 10 * HOUR)
        found = await store.waiting(event, deferred(event, clock, mine))
        assert (found.delivery.due_at, found.others) == (latest, (held.id,))
        assert [(item.event.id, item.before) for item in found.items] == [(event.id, {"stage": 1})]

    async def test_what_is_held_already_is_returned_as_it_is(self, store: Store, clock: ManualClock) -> None:
        for entry, kind in enumerate(("debounce", "delay")):
            deferral = Deferral("debounce" if kind == "debounce" else "delay", before={"stage": 1})
            event, held = await self.plan(store, clock, deferral, entry)
            clock.advance(minutes=1)
            found = await store.waiting(event, deferred(event, clock, Deferral(deferral.kind), entry))
            assert (found.delivery.id, found.delivery.due_at) == (held.id, held.due_at)
            assert found.items[0].before == {"stage": 1}

    async def test_where_nothing_waits_it_is_alone(self, store: Store, clock: ManualClock) -> None:
        for entity in (None, an_event(clock).entity):
            event = an_event(clock, entity=entity)
            for deferral in (digest(clock), Deferral("debounce"), Deferral("delay")):
                asked = deferred(event, clock, deferral)
                found = await store.waiting(event, asked)
                assert (found.delivery, found.others, found.former) == (asked, (), None)
                assert [item.event for item in found.items] == [event]

    async def test_what_an_event_would_call_off_is_what_waits_and_what_it_has_is_what_it_ended(
        self, store: Store, clock: ManualClock
    ) -> None:
        first, waits = await self.plan(store, clock, Deferral("delay"))
        _, other = await self.plan(store, clock, Deferral("delay"), entry=1)
        event = an_event(clock)
        entries = [CallOff(waits.route, entry) for entry in (0, 1, 2)]
        assert await store.called_off(event, entries) == [[waits.id], [other.id], []], "it is not stored yet"
        await store.add(event)
        await decided(store, RoutedEvent(event.id, EventState.UNMATCHED, called_off=tuple(entries[:1])))
        stored = await store.event(event.id)
        assert stored is not None
        assert await store.called_off(stored, entries) == [[waits.id], [], []]
        decided_before = await store.event(first.id)
        assert decided_before is not None
        assert await store.called_off(decided_before, entries) == [[], [], []], "another did"
