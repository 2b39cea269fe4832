from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.control import acting
from bridge.control.amount import Amount
from bridge.delivery.timekeeper import Timekeeper
from bridge.errors import RequestRefusedError
from bridge.model import DeliveryState, Outcome, Rate
from bridge.store.nouns import DeliveryQuery, Spread
from tests.support.deals import Deal
from tests.support.shop import DIGEST, RULES, Shop, load_rules

DEAD = DeliveryQuery(states=(DeliveryState.DEAD,))


async def make_dead(shop: Shop, *ids: str) -> list[str]:
    """Receive losses whose first delivery dies; return the ids of those deliveries."""
    dead = []
    for id_ in ids:
        (lost,) = await shop.receive(Deal(id_).lost())
        await shop.attempt("sales", Outcome.PERMANENT, DeliveryState.DEAD, "refused")
        dead.append((await shop.deliveries(lost))[0].id)
    return dead


async def test_a_dead_delivery_is_due_at_once_and_its_target_told(shop: Shop) -> None:
    (dead,) = await make_dead(shop, "d1")
    answer = await shop.operations.retry([dead])
    assert answer == {"dry_run": False, "retried": [dead], "skipped": [], "left": 0, "held": []}
    assert shop.rung == ["sales"]
    delivery = await shop.store.delivery(dead)
    assert delivery
    assert (delivery.state, delivery.due_at <= shop.clock.now()) == (DeliveryState.PENDING, True)


async def test_the_attempt_after_a_retry_is_a_persons(shop: Shop) -> None:
    (dead,) = await make_dead(shop, "d1")
    await shop.operations.retry([dead])
    await shop.attempt("sales", Outcome.DELIVERED, DeliveryState.DELIVERED)
    attempts = (await shop.operations.delivery(dead))["attempts"]
    assert [each["trigger"] for each in attempts] == ["schedule", "person"]


async def test_a_filter_chooses_all_that_it_matches_whatever_its_limit(shop: Shop) -> None:
    dead = await make_dead(shop, "d1", "d2", "d3")
    answer = await shop.operations.retry(replace(DEAD, limit=1, target="sales"))
    assert answer["retried"] == dead, "oldest first"


async def test_many_are_retried_in_several_transactions(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "CHUNK", 2)
    dead = await make_dead(shop, "d1", "d2", "d3")
    assert (await shop.operations.retry(DEAD))["retried"] == dead


async def test_a_dry_run_tells_what_would_be_retried_and_changes_nothing(shop: Shop) -> None:
    dead = await make_dead(shop, "d1", "d2")
    answer = await shop.operations.retry(DEAD, dry_run=True)
    assert (answer["dry_run"], answer["retried"], answer["skipped"]) == (True, dead, [])
    assert shop.rung == []
    assert len(await shop.store.deliveries(DEAD)) == 2


async def test_what_is_delivered_already_is_skipped(shop: Shop) -> None:
    (lost,) = await shop.receive(Deal().lost())
    await shop.attempt("sales", Outcome.DELIVERED, DeliveryState.DELIVERED)
    delivered = (await shop.deliveries(lost))[0].id
    answer = await shop.operations.retry([delivered])
    why = "it is delivered, and only what is dead or waits can be retried"
    assert (answer["retried"], answer["skipped"]) == ([], [{"id": delivered, "reason": why}])


@pytest.mark.parametrize("dry_run", [False, True])
async def test_what_has_no_message_is_skipped_and_its_event_named_for_a_replay(shop: Shop, *, dry_run: bool) -> None:
    broken = RULES.replace("{{ deal.name }} lost", "{{ 1 / (deal.amount_total - deal.amount_total) }} lost")
    breaking = replace(shop, rules=load_rules(shop.folder, shop.clock, broken))
    (lost,) = await breaking.receive(Deal().lost())
    (dead,) = await shop.store.deliveries(DEAD)
    answer = await shop.operations.retry([dead.id], dry_run=dry_run)
    why = f"it has no message to send; mend the rule, then: bridge replay {lost.id}"
    assert (answer["retried"], answer["skipped"]) == ([], [{"id": dead.id, "reason": why}])


async def test_what_a_worker_took_in_the_meantime_is_skipped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def retry(_ids: Sequence[str], _spread: Spread | None) -> Sequence[str]:
        return []

    (dead,) = await make_dead(shop, "d1")
    monkeypatch.setattr(shop.store, "retry", retry)
    answer = await shop.operations.retry([dead])
    assert answer["skipped"] == [{"id": dead, "reason": "it is under way by now"}]
    assert shop.rung == []


async def test_one_unknown_delivery_and_nothing_is_retried(shop: Shop) -> None:
    (dead,) = await make_dead(shop, "d1")
    with pytest.raises(RequestRefusedError) as refusal:
        await shop.operations.retry([dead, "none"])
    assert refusal.value.code == "unknown-id"
    assert len(await shop.store.deliveries(DEAD)) == 1


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_limit_takes_the_oldest_and_tells_how_many_are_left(shop: Shop, *, dry_run: bool) -> None:
    dead = await make_dead(shop, "d1", "d2", "d3")
    answer = await shop.operations.retry(DEAD, Amount(limit=2), dry_run=dry_run)
    assert (answer["retried"], answer["left"]) == (dead[:2], 1)
    assert len(await shop.store.deliveries(DEAD)) == (3 if dry_run else 1)


async def test_what_cannot_be_retried_takes_no_place_within_the_limit(shop: Shop) -> None:
    delivered = await a_delivered(shop)
    dead = await make_dead(shop, "d1")
    answer = await shop.operations.retry([delivered, *dead], Amount(limit=1))
    assert (answer["retried"], len(answer["skipped"]), answer["left"]) == (dead, 1, 0)


async def test_a_rate_makes_them_due_one_after_another_across_transactions(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "CHUNK", 2)
    dead = await make_dead(shop, "d1", "d2", "d3")
    begin = shop.clock.now()
    await shop.operations.retry(dead, Amount(rate=Rate(10, 60)))
    due = [(await shop.store.delivery(id_)).due_at for id_ in dead]  # type: ignore[union-attr]
    assert due == [begin + n * timedelta(seconds=6) for n in range(3)]


async def test_targets_that_are_held_are_told_as_what_is_retried_goes_on_waiting(shop: Shop) -> None:
    dead = await make_dead(shop, "d1")
    await shop.store.pause("sales", "the service moves")
    await shop.store.pause("billing", "x")
    assert (await shop.operations.retry(dead))["held"] == ["sales"]


async def a_delivered(shop: Shop) -> str:
    (lost,) = await shop.receive(Deal("d0").lost())
    await shop.attempt("sales", Outcome.DELIVERED, DeliveryState.DELIVERED)
    return (await shop.deliveries(lost))[0].id


async def test_what_is_discarded_is_cancelled_for_the_reason_given_and_its_target_told(shop: Shop) -> None:
    dead = await make_dead(shop, "d1")
    answer = await shop.operations.discard(dead, "told by phone")
    assert answer == {"dry_run": False, "discarded": dead, "skipped": [], "left": 0}
    told = await shop.operations.delivery(dead[0])
    assert (told["state"], told["reason"]) == ("cancelled", "told by phone")
    assert shop.rung == ["sales"], "what waited behind it may go"


async def test_a_dry_run_tells_what_would_be_discarded_and_changes_nothing(shop: Shop) -> None:
    dead = await make_dead(shop, "d1", "d2")
    answer = await shop.operations.discard(DEAD, "x", Amount(limit=1), dry_run=True)
    assert (answer["discarded"], answer["left"], shop.rung) == (dead[:1], 1, [])
    assert len(await shop.store.deliveries(DEAD)) == 2


async def test_what_is_delivered_is_not_discarded(shop: Shop) -> None:
    delivered = await a_delivered(shop)
    why = "it is delivered, and only what is dead or waits can be discarded"
    answer = await shop.operations.discard([delivered], "x")
    assert (answer["discarded"], answer["skipped"]) == ([], [{"id": delivered, "reason": why}])


async def test_one_unknown_delivery_and_nothing_is_discarded(shop: Shop) -> None:
    dead = await make_dead(shop, "d1")
    with pytest.raises(RequestRefusedError) as refusal:
        await shop.operations.discard([*dead, "none"], "x")
    assert refusal.value.code == "unknown-id"
    assert len(await shop.store.deliveries(DEAD)) == 1


async def gathering(shop: Shop, *ids: str) -> list[str]:
    """Lose deals of which a digest will tell; return the ids of what waits for it."""
    shop.rules = load_rules(shop.folder, shop.clock, DIGEST)
    lost = await shop.receive(*(Deal(id_).lost() for id_ in ids))
    return [delivery.id for event in lost for delivery in await shop.deliveries(event)]


async def told(shop: Shop, id_: str) -> tuple[str, str | None]:
    """Return the state and the message of a delivery, once what is due has been told."""
    await Timekeeper(shop.store, lambda: shop.rules, shop.rung.extend, shop.clock).step()
    delivery = await shop.operations.delivery(id_)
    return delivery["state"], delivery["preview"]


async def test_what_waits_to_be_told_later_is_told_now_and_the_rest_in_its_time(shop: Shop) -> None:
    one, two, three = await gathering(shop, "d1", "d2", "d3")
    assert (await shop.operations.retry([one, two]))["retried"] == [one, two]
    assert await told(shop, two) == ("pending", "d1, d2")
    assert (await told(shop, three))[0] == "deferred"
    shop.clock.advance(hours=12)
    assert await told(shop, three) == ("pending", "d3")


async def test_what_waits_to_be_told_later_can_be_taken_back(shop: Shop) -> None:
    one, two = await gathering(shop, "d1", "d2")
    assert (await shop.operations.discard([one], "a mistake"))["discarded"] == [one]
    shop.clock.advance(hours=12)
    assert await told(shop, two) == ("pending", "d2")
    assert (await told(shop, one))[0] == "cancelled"
