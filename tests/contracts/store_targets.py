"""What any store promises about targets: limits, fairness, holds, and what they do to the deliveries that wait."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from bridge.model import (
    Breaker,
    Delivery,
    DeliveryState,
    EventState,
    Limits,
    Outcome,
    Rate,
    RoutedEvent,
    TargetState,
    Terms,
)
from bridge.store.base import Store
from bridge.store.nouns import Claim, DeliveryQuery, Settlement, TargetChange
from tests.contracts.store_steps import (
    DELIVERED,
    LEASE,
    MANY,
    a_delivery,
    an_event,
    attempt_at,
    claimed,
    decided,
    planned,
    settled,
    the,
)
from tests.support.clock import ManualClock

PENDING, PARKED = DeliveryState.PENDING, DeliveryState.PARKED
OPEN = TargetChange("open", "500 again", seconds=30, most=100)


async def sent_to(store: Store, clock: ManualClock, *routes: str, bucket: str = "") -> list[str]:
    """Plan a delivery for each route, each with a key of its own, all counted in one bucket."""
    event = an_event(clock)
    await store.add(event)
    deliveries = [a_delivery(event.id, clock, f"{event.id}/{n}", route=name, entry=n) for n, name in enumerate(routes)]
    planned = tuple(replace(delivery, bucket=bucket) for delivery in deliveries)
    await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=planned))
    return [delivery.id for delivery in planned]


async def upsert(store: Store, clock: ManualClock, key: str = "deal:1", **changes: str) -> Delivery:
    """Plan a delivery that supersedes."""
    event = an_event(clock)
    await store.add(event)
    delivery = replace(a_delivery(event.id, clock, key, **changes), terms=Terms(supersedes=True))
    await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=(delivery,)))
    return delivery


async def taught(store: Store, clock: ManualClock, change: TargetChange, *, failure: bool = True) -> Claim:
    """Claim one delivery and let its attempt teach something about the target; it waits on."""
    [claim] = await store.claim("sales", Limits(1), LEASE)
    due = Settlement(PENDING, due_at=clock.now(), failure=failure, target=change)
    recorded = await store.record(claim, attempt_at(claim, clock, Outcome.TRANSIENT), due)
    assert recorded.held
    return claim


async def target(store: Store, name: str = "sales") -> TargetState:
    return next(state for state in await store.targets() if state.name == name)


async def states(store: Store, ids: Sequence[str]) -> set[DeliveryState]:
    return {(await the(store, id_)).state for id_ in ids}


class TargetContract:
    """Limits, lanes, breakers, pauses, targets that are gone."""

    async def test_no_more_are_under_way_than_the_limit_whoever_claims(self, store: Store, clock: ManualClock) -> None:
        await planned(store, clock, *(f"deal:{n}" for n in range(9)))
        assert len(await claimed(store, limit=2)) == 2
        assert len(await claimed(store, limit=3)) == 1
        assert await claimed(store, limit=3) == []

    async def test_a_rate_lets_so_many_go_in_a_time(self, store: Store, clock: ManualClock) -> None:
        await planned(store, clock, *(f"deal:{n}" for n in range(9)))
        limits = Limits(100, Rate(2, 10, burst=1))
        times = []
        for _ in range(40):
            times += [clock.now()] * len(await store.claim("sales", limits, LEASE))
            clock.advance(seconds=1)
        gaps = [(later - sooner).total_seconds() for sooner, later in pairwise(times)]
        assert (gaps, len(times)) == ([5.0] * 7, 8)

    async def test_after_a_burst_no_stretch_of_time_holds_more_than_the_rate(
        self, store: Store, clock: ManualClock
    ) -> None:
        await planned(store, clock, *(f"deal:{n}" for n in range(60)))
        limits, times = Limits(100, Rate(10, 10, burst=4)), []
        for _ in range(300):
            times += [clock.now()] * len(await store.claim("sales", limits, LEASE))
            clock.advance(milliseconds=100)
        assert times.count(times[0]) == 4
        most = max(sum(begin <= time < begin + timedelta(seconds=10) for time in times) for begin in times)
        assert most == 10

    async def test_each_bucket_has_the_rate_for_itself(self, store: Store, clock: ManualClock) -> None:
        one = await sent_to(store, clock, "r", "r", bucket="C1")
        two = await sent_to(store, clock, "r", "r", bucket="C2")
        limits = Limits(100, Rate(1, 1.0))
        first = [claim.delivery for claim in await store.claim("sales", limits, LEASE)]
        assert [delivery.id for delivery in first] == [one[0], two[0]]
        assert [delivery.bucket for delivery in first] == ["C1", "C2"]
        assert await store.claim("sales", limits, LEASE) == []
        assert await store.next_due("sales", limits) == clock.now() + timedelta(seconds=1)
        clock.advance(seconds=1)
        assert [claim.delivery.id for claim in await store.claim("sales", limits, LEASE)] == [one[1], two[1]]

    async def test_a_bulk_of_one_route_does_not_hold_up_another(self, store: Store, clock: ManualClock) -> None:
        bulk = await sent_to(store, clock, *["bulk"] * 50)
        first = [claim.delivery.id for claim in await store.claim("sales", Limits(2), LEASE)]
        [urgent] = await sent_to(store, clock, "urgent")
        assert first == bulk[:2]
        assert urgent in await claimed(store, limit=4)

    async def test_one_at_a_time_routes_take_turns(self, store: Store, clock: ManualClock) -> None:
        bulk = await sent_to(store, clock, *["bulk"] * 4)
        urgent = await sent_to(store, clock, *["urgent"] * 2)
        order = [id_ for n in range(1, 7) for id_ in await claimed(store, limit=n)]
        assert order == [bulk[0], urgent[0], bulk[1], urgent[1], bulk[2], bulk[3]]

    async def test_a_long_queue_does_not_go_before_the_others(self, store: Store, clock: ManualClock) -> None:
        long = await planned(store, clock, *["deal:1"] * 3)
        clock.advance(seconds=1)
        [other] = await planned(store, clock, "deal:2")
        order = []
        for _ in range(4):
            [claim] = await store.claim("sales", Limits(1), LEASE)
            clock.advance(seconds=1)
            await store.record(claim, attempt_at(claim, clock), DELIVERED)
            order.append(claim.delivery.id)
        assert order == [long[0], other, long[1], long[2]]

    async def test_without_order_nothing_waits_for_another_of_its_key(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock)
        await store.add(event)
        free = tuple(
            replace(a_delivery(event.id, clock, "deal:1", entry=n), terms=Terms(ordered=False)) for n in range(3)
        )
        await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=free))
        assert await claimed(store) == [delivery.id for delivery in free]

    async def test_the_terms_of_a_delivery_are_kept(self, store: Store, clock: ManualClock) -> None:
        event = an_event(clock)
        await store.add(event)
        terms = Terms({"attempts": 3, "first": 1.5}, "park", ordered=False, supersedes=True)
        delivery = replace(a_delivery(event.id, clock), terms=terms, bucket="C1")
        await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=(delivery,)))
        assert await store.delivery(delivery.id) == delivery

    # superseding

    async def test_a_newer_upsert_takes_the_place_of_one_that_waits(self, store: Store, clock: ManualClock) -> None:
        old, new = await upsert(store, clock), await upsert(store, clock)
        superseded = await the(store, old.id)
        assert (superseded.state, superseded.reason) == (DeliveryState.CANCELLED, f"superseded by {new.id}")
        assert await claimed(store) == [new.id]

    async def test_what_is_under_way_is_not_superseded(self, store: Store, clock: ManualClock) -> None:
        old = await upsert(store, clock)
        [claim] = await store.claim("sales", MANY, LEASE)
        middle, new = await upsert(store, clock), await upsert(store, clock)
        assert (await the(store, old.id)).state is DeliveryState.DELIVERING
        assert (await the(store, middle.id)).state is DeliveryState.CANCELLED
        assert await claimed(store) == []
        await store.record(claim, attempt_at(claim, clock), DELIVERED)
        assert await claimed(store) == [new.id]

    @pytest.mark.parametrize("changes", [{"route": "other"}, {"entry": "1"}, {"target": "billing"}, {"key": "deal:2"}])
    async def test_nothing_else_is_superseded(self, store: Store, clock: ManualClock, changes: dict[str, str]) -> None:
        other = await upsert(store, clock, **changes)
        message = await planned(store, clock, "deal:1")
        await upsert(store, clock, route="new")
        assert await states(store, [other.id, *message]) == {PENDING}

    async def test_order_is_kept_where_the_head_is_superseded(self, store: Store, clock: ManualClock) -> None:
        old = await upsert(store, clock)
        message = await upsert(store, clock, route="another")
        new = await upsert(store, clock)
        assert (await the(store, old.id)).state is DeliveryState.CANCELLED
        assert [await settled(store, clock) for _ in range(3)] == [[message.id], [new.id], []]

    # targets that are gone

    async def test_the_deliveries_of_a_target_that_is_gone_are_parked_until_it_is_back(
        self, store: Store, clock: ManualClock
    ) -> None:
        ids = await planned(store, clock, "deal:1", "deal:1", "deal:2")
        before = [await the(store, id_) for id_ in ids]
        assert await store.adopt(["billing"]) == (["sales"], [])
        assert (await claimed(store), await store.next_due("sales", MANY)) == ([], None)
        assert {((await the(store, id_)).state, (await the(store, id_)).reason) for id_ in ids} == {
            (PARKED, "the target is not in the rules any more")
        }
        assert await store.adopt(["billing"]) == ([], []), "told once"
        assert await store.adopt(["billing", "sales"]) == ([], ["sales"])
        assert [await the(store, id_) for id_ in ids] == before
        assert await claimed(store) == [ids[0], ids[2]]

    async def test_what_is_planned_for_a_target_that_is_gone_waits_too(self, store: Store, clock: ManualClock) -> None:
        await store.adopt(["billing"])
        [id_] = await planned(store, clock, "deal:1")
        await store.adopt(["billing"])
        assert (await the(store, id_)).state is PARKED

    async def test_a_target_without_work_goes_silently(self, store: Store, clock: ManualClock) -> None:
        await store.adopt(["sales", "billing"])
        assert await store.adopt(["billing"]) == ([], [])

    async def test_losing_a_target_leaves_alone_what_is_under_way(self, store: Store, clock: ManualClock) -> None:
        await planned(store, clock, "deal:1", "deal:1")
        [claim] = await store.claim("sales", MANY, LEASE)
        await store.adopt([])
        assert (await store.record(claim, attempt_at(claim, clock), DELIVERED)).held
        assert await claimed(store) == []

    # pauses

    async def test_a_paused_target_is_not_claimed_and_what_waits_for_it_is_parked(
        self, store: Store, clock: ManualClock
    ) -> None:
        ids = await planned(store, clock, "deal:1", "deal:2")
        assert await store.pause("sales", "the service moves")
        assert not await store.pause("sales", "again")
        assert (await claimed(store), await store.next_due("sales", MANY)) == ([], None)
        assert {(await the(store, id_)).reason for id_ in ids} == {"the target is paused: the service moves"}
        assert await target(store) == TargetState(
            "sales", paused_by="person", reason="the service moves", since=clock.now()
        )
        assert await store.resume("sales")
        assert not await store.resume("sales")
        assert await claimed(store) == ids

    async def test_parked_deliveries_are_found_and_counted_as_parked(self, store: Store, clock: ManualClock) -> None:
        ids = await planned(store, clock, "deal:1", "deal:2")
        [theirs] = await planned(store, clock, "deal:1", target="billing")
        await store.pause("sales", "x")
        found = {
            state: [d.id for d in reversed(await store.deliveries(DeliveryQuery(states=(state,))))]
            for state in (PENDING, PARKED)
        }
        assert found == {PENDING: [theirs], PARKED: ids}
        both = await store.deliveries(DeliveryQuery(states=(PENDING, PARKED, DeliveryState.DEAD)))
        assert len(both) == 3
        assert (await store.backlog()).deliveries == {("sales", PARKED): 2, ("billing", PENDING): 1}

    async def test_an_attempt_can_pause_its_target(self, store: Store, clock: ManualClock) -> None:
        await planned(store, clock, "deal:1")
        await taught(store, clock, TargetChange("pause", "invalid_auth"), failure=False)
        state = await target(store)
        assert (state.paused_by, state.reason, state.held) == ("bridge", "invalid_auth", True)
        assert await claimed(store) == []

    async def test_a_pause_outlives_the_absence_of_its_target(self, store: Store, clock: ManualClock) -> None:
        await store.pause("sales", "x")
        await store.adopt([])
        await store.adopt(["sales"])
        assert (await target(store)).paused_by == "person"

    # waiting

    async def test_a_target_waits_as_long_as_its_service_asked(self, store: Store, clock: ManualClock) -> None:
        first, second = await planned(store, clock, "deal:1", "deal:2")
        await taught(store, clock, TargetChange("wait", "429", seconds=60), failure=False)
        assert await claimed(store) == []
        assert await store.next_due("sales", MANY) == clock.now() + timedelta(seconds=60)
        assert await states(store, [first, second]) == {PENDING}
        clock.advance(seconds=60)
        assert await claimed(store) == [first, second]

    async def test_a_shorter_wait_does_not_end_a_longer_one(self, store: Store, clock: ManualClock) -> None:
        await planned(store, clock, "deal:1", "deal:2")
        claims = await store.claim("sales", MANY, LEASE)
        for claim, seconds in zip(claims, (60, 5), strict=True):
            wait = Settlement(PENDING, due_at=clock.now(), target=TargetChange("wait", seconds=seconds))
            recorded = await store.record(claim, attempt_at(claim, clock), wait)
            assert recorded.target_changed is (seconds == 60)
        assert await store.next_due("sales", MANY) == clock.now() + timedelta(seconds=60)

    # circuit breakers that open and close

    async def test_an_open_breaker_lets_one_probe_through_when_its_time_has_come(
        self, store: Store, clock: ManualClock
    ) -> None:
        ids = await planned(store, clock, "deal:1", "deal:2", "deal:3")
        await taught(store, clock, OPEN)
        assert await claimed(store) == []
        assert await states(store, ids) == {PARKED}
        assert await store.next_due("sales", MANY) == clock.now() + timedelta(seconds=30)
        clock.advance(seconds=30)
        [probe] = await store.claim("sales", MANY, LEASE)
        assert probe.probe
        assert await claimed(store) == []
        assert await store.next_due("sales", MANY) is None, "the outcome of the probe decides"
        closing = Settlement(DeliveryState.DELIVERED, target=TargetChange("close"))
        assert (await store.record(probe, attempt_at(probe, clock), closing)).target_changed
        assert len(await claimed(store)) == 2
        assert await target(store) == TargetState("sales")

    async def test_a_breaker_opens_for_longer_each_time_in_a_row(self, store: Store, clock: ManualClock) -> None:
        await planned(store, clock, "deal:1")
        spans = []
        for _ in range(4):
            await taught(store, clock, OPEN)
            due = await store.next_due("sales", MANY)
            assert due
            spans.append((due - clock.now()).total_seconds())
            clock.advance(seconds=spans[-1])
        assert spans == [30, 60, 100, 100]

    async def test_only_the_probe_opens_a_half_open_breaker_again(self, store: Store, clock: ManualClock) -> None:
        await planned(store, clock, "deal:1", "deal:2", "deal:3")
        late, _ = await store.claim("sales", Limits(2), LEASE)
        [claim] = [c for c in await store.claim("sales", MANY, LEASE) if c.delivery.id != late.delivery.id]
        failed = Settlement(PENDING, due_at=clock.now(), failure=True, target=OPEN)
        assert (await store.record(claim, attempt_at(claim, clock), failed)).target_changed
        clock.advance(seconds=30)
        recorded = await store.record(late, attempt_at(late, clock), failed)
        assert recorded == (True, False)
        assert (await target(store)).breaker is Breaker.OPEN

    async def test_a_person_resumes_an_open_breaker_too(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        await taught(store, clock, OPEN)
        assert await store.resume("sales")
        assert await claimed(store) == [id_]

    @pytest.mark.parametrize("hold", ["pause", "open", "gone", "wait"])
    async def test_time_in_which_nothing_could_be_sent_is_not_taken_from_the_schedule(
        self, store: Store, clock: ManualClock, hold: str
    ) -> None:
        [id_] = await planned(store, clock, "deal:1")
        end = clock.now() + timedelta(hours=24)
        [claim] = await store.claim("sales", MANY, LEASE)
        change = {"open": OPEN, "wait": TargetChange("wait", seconds=7200)}.get(hold)
        failed = Settlement(PENDING, due_at=clock.now(), failure=True, give_up_at=end, target=change)
        await store.record(claim, attempt_at(claim, clock), failed)
        if hold == "pause":
            await store.pause("sales", "x")
        elif hold == "gone":
            await store.adopt([])
        clock.advance(hours=2)
        await (store.adopt(["sales"]) if hold == "gone" else store.resume("sales"))
        assert (await the(store, id_)).give_up_at == end + timedelta(hours=2)

    # people

    async def test_what_is_parked_by_itself_holds_back_its_key_until_a_person_decides(
        self, store: Store, clock: ManualClock
    ) -> None:
        parked, behind = await planned(store, clock, "deal:1", "deal:1")
        await settled(store, clock, Settlement(PARKED, reason="it may have arrived"))
        assert await claimed(store) == []
        assert await store.retry([parked]) == [parked]
        [claim] = await store.claim("sales", MANY, LEASE)
        assert (claim.delivery.id, claim.trigger) == (parked, "person")
        await store.record(claim, attempt_at(claim, clock), Settlement(PARKED))
        assert await store.discard([parked], "seen in the channel") == [parked]
        assert ((await the(store, parked)).state, (await the(store, parked)).reason) == (
            DeliveryState.CANCELLED,
            "seen in the channel",
        )
        assert await claimed(store) == [behind]

    async def test_what_is_delivered_or_under_way_is_not_discarded(self, store: Store, clock: ManualClock) -> None:
        done, under_way = await planned(store, clock, "deal:1", "deal:2")
        claims = await store.claim("sales", MANY, LEASE)
        await store.record(claims[0], attempt_at(claims[0], clock), DELIVERED)
        assert await store.discard([done, under_way, "dlv_none"], "x") == []

    async def test_a_retry_begins_the_schedule_anew(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        failed = Settlement(PENDING, due_at=clock.now(), failure=True, give_up_at=clock.now() + timedelta(hours=24))
        await settled(store, clock, failed)
        await store.retry([id_])
        delivery = await the(store, id_)
        assert (delivery.attempts, delivery.failures, delivery.give_up_at) == (1, 0, None)
