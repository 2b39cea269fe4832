"""What any store promises about deliveries, attempts and links."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.errors import StoreError
from bridge.model import DeliveryState, Limits, Link, Outcome
from bridge.store.base import Store
from bridge.store.nouns import Recorded, Settlement
from tests.contracts.store_steps import (
    DEAD,
    DELIVERED,
    LEASE,
    MANY,
    attempt_at,
    claimed,
    planned,
    settled,
    the,
)
from tests.support.clock import ManualClock


def waiting(clock: ManualClock, **wait: float) -> Settlement:
    """Return what becomes of a delivery that is tried again after so long."""
    return Settlement(DeliveryState.PENDING, due_at=clock.now() + timedelta(**wait), reason="busy")


class DeliveryContract:
    """Claims, outcomes, order, leases."""

    async def test_due_deliveries_are_claimed_oldest_first(self, store: Store, clock: ManualClock) -> None:
        ids = await planned(store, clock, *(f"deal:{n}" for n in range(5)))
        assert await claimed(store, limit=3) == ids[:3]
        assert await claimed(store, limit=3) == [], "three are under way, and no more may be"
        assert await claimed(store, limit=5) == ids[3:]
        assert await claimed(store) == []

    async def test_a_claim_shows_the_delivery_under_way(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        [claim] = await store.claim("sales", Limits(1), LEASE)
        assert claim.delivery == await the(store, id_)
        assert claim.delivery.state is DeliveryState.DELIVERING
        assert claim.delivery.message.content == {"text": "Negócio perdido", "count": 3}
        assert (claim.leased_until, claim.trigger) == (clock.now() + LEASE, "schedule")

    async def test_a_target_is_given_its_own_deliveries_only(self, store: Store, clock: ManualClock) -> None:
        [mine] = await planned(store, clock, "deal:1")
        [theirs] = await planned(store, clock, "deal:1", target="billing")
        assert await claimed(store) == [mine]
        assert await claimed(store, "billing") == [theirs]

    async def test_claimers_at_once_share_no_delivery(self, store: Store, clock: ManualClock) -> None:
        ids = await planned(store, clock, *(f"deal:{n % 20}" for n in range(40)))
        got = await asyncio.gather(*(claimed(store, limit=3 * n) for n in range(1, 21)))
        flat = [id_ for batch in got for id_ in batch]
        assert sorted(flat) == sorted(ids[:20]), "one of each key, each to one claimer"

    async def test_one_key_goes_in_order_and_one_at_a_time(self, store: Store, clock: ManualClock) -> None:
        ids = await planned(store, clock, "deal:1", "deal:1", "deal:1")
        assert [await settled(store, clock) for _ in ids] == [[id_] for id_ in ids]

    async def test_a_waiting_delivery_holds_back_its_key_and_no_other(self, store: Store, clock: ManualClock) -> None:
        stuck, behind = await planned(store, clock, "deal:1", "deal:1")
        await settled(store, clock, waiting(clock, minutes=10))
        [other] = await planned(store, clock, "deal:2")
        assert await claimed(store) == [other]
        clock.advance(minutes=10)
        assert await settled(store, clock) == [stuck]
        assert await settled(store, clock) == [behind]

    @pytest.mark.parametrize("settlement", [DELIVERED, DEAD, Settlement(DeliveryState.CANCELLED)])
    async def test_what_is_finished_lets_the_next_of_its_key_go(
        self, store: Store, clock: ManualClock, settlement: Settlement
    ) -> None:
        first, second = await planned(store, clock, "deal:1", "deal:1")
        assert await settled(store, clock, settlement) == [first]
        assert (await the(store, first)).state is settlement.state
        assert await claimed(store) == [second]

    async def test_what_comes_later_waits_for_its_key(self, store: Store, clock: ManualClock) -> None:
        [first] = await planned(store, clock, "deal:1")
        [claim] = await store.claim("sales", Limits(1), LEASE)
        [second] = await planned(store, clock, "deal:1")
        assert await claimed(store) == []
        await store.record(claim, attempt_at(claim, clock), DELIVERED)
        assert await claimed(store) == [second]
        assert first == claim.delivery.id

    async def test_the_next_due_time_is_that_of_what_can_be_claimed(self, store: Store, clock: ManualClock) -> None:
        assert await store.next_due("sales", MANY) is None
        await planned(store, clock, "deal:1", "deal:1")
        assert await store.next_due("sales", MANY) == clock.now()
        await settled(store, clock, waiting(clock, minutes=10))
        assert await store.next_due("sales", MANY) == clock.now() + timedelta(minutes=10)
        assert await store.next_due("billing", MANY) is None

    async def test_an_outcome_is_recorded_with_its_attempt_and_links(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        [claim] = await store.claim("sales", Limits(1), LEASE)
        attempt = attempt_at(claim, clock)
        link = Link("sales", "deal:1", "1700.1", {"channel": "C1"})
        assert await store.record(claim, attempt, DELIVERED, [link]) == Recorded(held=True)
        assert await store.attempts(id_) == [attempt]
        assert await store.find_link("sales", "deal:1") == link
        assert ((await the(store, id_)).state, (await the(store, id_)).attempts) == (DeliveryState.DELIVERED, 1)

    async def test_a_newer_link_takes_the_place_of_the_older(self, store: Store, clock: ManualClock) -> None:
        await planned(store, clock, "deal:1", "deal:1")
        for external_id in ("old", "new"):
            await settled(store, clock, DELIVERED, Link("sales", "deal:1", external_id))
        assert await store.find_link("sales", "deal:1") == Link("sales", "deal:1", "new")
        assert await store.find_link("billing", "deal:1") is None

    async def test_links_are_found_by_when_they_are_over(self, store: Store, clock: ManualClock) -> None:
        ends = {"deal:3": "2026-11-24T12:00:00Z", "deal:1": "2026-12-01T12:00:00Z", "deal:2": "2026-11-24T11:59:59Z"}
        made = {key: Link("sales", key, key, {"over": over}) for key, over in ends.items()}
        await planned(store, clock, "deal:1")
        await settled(store, clock, DELIVERED, *made.values(), Link("sales", "deal:4", "x"))
        noon = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
        assert await store.links("sales", noon, 10) == [made["deal:1"], made["deal:3"]]
        assert await store.links("sales", noon, 1) == [made["deal:1"]], "those that are over last"
        assert await store.links("billing", noon, 10) == []

    async def test_attempts_are_kept_in_order(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        for _ in range(3):
            await settled(store, clock, waiting(clock))
        assert [attempt.number for attempt in await store.attempts(id_)] == [1, 2, 3]

    async def test_a_failure_is_kept_as_the_reason_and_a_success_clears_it(
        self, store: Store, clock: ManualClock
    ) -> None:
        [id_] = await planned(store, clock, "deal:1")
        await settled(store, clock, waiting(clock))
        assert (await the(store, id_)).reason == "busy"
        await settled(store, clock)
        assert (await the(store, id_)).reason is None

    async def test_an_attempt_counts_in_the_schedule_only_if_it_was_a_failure(
        self, store: Store, clock: ManualClock
    ) -> None:
        [id_] = await planned(store, clock, "deal:1")
        await settled(store, clock, Settlement(DeliveryState.PENDING, due_at=clock.now()))
        end = clock.now() + timedelta(hours=24)
        failed = Settlement(DeliveryState.PENDING, due_at=clock.now(), failure=True, give_up_at=end)
        await settled(store, clock, failed)
        await settled(store, clock, replace(failed, give_up_at=None))
        delivery = await the(store, id_)
        assert (delivery.attempts, delivery.failures, delivery.give_up_at) == (3, 2, end)

    async def test_a_delivery_can_be_settled_without_an_attempt(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        [claim] = await store.claim("sales", MANY, LEASE)
        assert (await store.record(claim, None, Settlement(DeliveryState.PARKED, reason="it may have arrived"))).held
        delivery = await the(store, id_)
        assert (delivery.state, delivery.reason) == (DeliveryState.PARKED, "it may have arrived")
        assert (delivery.attempts, await store.attempts(id_)) == (0, [])

    async def test_a_late_worker_changes_nothing(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        [late] = await store.claim("sales", Limits(1), LEASE)
        clock.advance(minutes=2)
        await store.rescue()
        [fresh] = await store.claim("sales", Limits(1), LEASE)
        before = await the(store, id_), await store.attempts(id_)
        link = Link("sales", "deal:1", "late")
        assert await store.record(late, attempt_at(late, clock), DELIVERED, [link]) == Recorded(held=False)
        await store.release([late])
        assert (await the(store, id_), await store.attempts(id_)) == before
        assert await store.find_link("sales", "deal:1") is None
        assert (await store.record(fresh, attempt_at(fresh, clock), DELIVERED)).held

    @pytest.mark.parametrize("patient", [False, True])
    async def test_an_outcome_is_recorded_once(self, store: Store, clock: ManualClock, patient: bool) -> None:  # noqa: FBT001
        [id_] = await planned(store, clock, "deal:1")
        [claim] = await store.claim("sales", Limits(1), LEASE)
        outcomes = [store.record(claim, attempt_at(claim, clock), DELIVERED, patient=patient) for _ in range(5)]
        assert sorted(done.held for done in await asyncio.gather(*outcomes)) == [False, False, False, False, True]
        assert len(await store.attempts(id_)) == 1

    async def test_an_outcome_that_cannot_be_recorded_changes_nothing(self, store: Store, clock: ManualClock) -> None:
        first, second = await planned(store, clock, "deal:1", "deal:2")
        claims = await store.claim("sales", Limits(2), LEASE)
        used = attempt_at(claims[0], clock)
        await store.record(claims[0], used, DELIVERED)
        with pytest.raises(StoreError):
            await store.record(claims[1], used, DELIVERED, [Link("sales", "deal:2", "x")])
        assert (await the(store, first)).state is DeliveryState.DELIVERED
        assert (await the(store, second)).state is DeliveryState.DELIVERING
        assert await store.find_link("sales", "deal:2") is None

    async def test_a_lease_that_has_ended_still_counts_until_it_is_rescued(
        self, store: Store, clock: ManualClock
    ) -> None:
        await planned(store, clock, "deal:1")
        [claim] = await store.claim("sales", Limits(1), LEASE)
        clock.advance(hours=1)
        assert await claimed(store) == []
        assert (await store.record(claim, attempt_at(claim, clock), DELIVERED)).held

    async def test_what_is_released_is_as_it_was(self, store: Store, clock: ManualClock) -> None:
        ids = await planned(store, clock, "deal:1", "deal:1", "deal:2")
        before = [await the(store, id_) for id_ in ids]
        await store.release(await store.claim("sales", MANY, LEASE))
        assert [await the(store, id_) for id_ in ids] == before
        assert await claimed(store) == [ids[0], ids[2]]

    async def test_releasing_keeps_a_persons_wish(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        await store.retry([id_])
        await store.release(await store.claim("sales", MANY, LEASE))
        [claim] = await store.claim("sales", MANY, LEASE)
        assert claim.trigger == "person"

    async def test_only_expired_leases_are_rescued_and_their_attempts_count(
        self, store: Store, clock: ManualClock
    ) -> None:
        expired, held = await planned(store, clock, "deal:1", "deal:2")
        began = clock.now()
        await claimed(store, limit=1)
        clock.advance(seconds=59)
        await claimed(store, limit=2)
        assert await store.rescue() == []
        clock.advance(seconds=2)
        assert await store.rescue() == [await the(store, expired)]
        assert ((await the(store, expired)).state, (await the(store, expired)).attempts) == (DeliveryState.PENDING, 1)
        assert (await the(store, held)).state is DeliveryState.DELIVERING
        assert ((await the(store, expired)).failures, (await the(store, expired)).uncertain) == (1, True)
        [attempt] = await store.attempts(expired)
        assert (attempt.number, attempt.outcome, attempt.started_at) == (1, Outcome.UNKNOWN, began)
        assert await claimed(store) == [expired]

    async def test_a_rescue_of_everything_asks_for_no_lease(self, store: Store, clock: ManualClock) -> None:
        first, behind, second = await planned(store, clock, "deal:1", "deal:1", "deal:2")
        assert await claimed(store) == [first, second]
        clock.advance(seconds=3)
        assert [delivery.id for delivery in await store.rescue(everything=True)] == [first, second]
        assert [each.duration for each in await store.attempts(first)] == [3], "no longer than until it was found"
        assert await claimed(store) == [first, second]
        assert (await the(store, behind)).attempts == 0

    async def test_what_a_living_worker_holds_is_not_rescued(self, store: Store, clock: ManualClock) -> None:
        held, lost = await planned(store, clock, "deal:1", "deal:2")
        [claim] = await store.claim("sales", Limits(1), LEASE)
        await store.claim("sales", MANY, LEASE)
        clock.advance(hours=3)
        assert [delivery.id for delivery in await store.rescue(held={claim.token})] == [lost]
        assert (await the(store, held)).state is DeliveryState.DELIVERING

    async def test_a_claim_nobody_waits_for_any_more_is_given_back(self, store: Store, clock: ManualClock) -> None:
        [id_] = await planned(store, clock, "deal:1")
        claiming = asyncio.create_task(claimed(store))
        await asyncio.sleep(0)
        claiming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await claiming
        await store.retry([])  # whatever was submitted before this is done when it is answered
        while (await the(store, id_)).state is DeliveryState.DELIVERING:
            await store.retry([])
        assert await claimed(store) == [id_]
        assert await store.attempts(id_) == []
