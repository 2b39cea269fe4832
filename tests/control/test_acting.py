from collections.abc import Sequence
from dataclasses import replace

import pytest

from bridge.control import acting
from bridge.control.host import Host
from bridge.control.operations import Operations
from bridge.errors import RequestRefusedError
from bridge.model import DeliveryState, Event, EventState, Outcome, RoutedEvent
from bridge.store.base import DeliveryQuery, EventQuery
from tests.support.deals import Deal
from tests.support.shop import RULES, Shop, load_rules

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
    assert answer == {"dry_run": False, "retried": [dead], "skipped": []}
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
    assert await shop.operations.retry(DEAD, dry_run=True) == {"dry_run": True, "retried": dead, "skipped": []}
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
    async def retry(_: Sequence[str]) -> Sequence[str]:
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


async def test_a_replay_adds_what_todays_rules_plan_beside_what_preceded_the_event(shop: Shop) -> None:
    old = RULES.replace("gte: 5000", "gte: 99000")
    strict = replace(shop, rules=load_rules(shop.folder, shop.clock, old))
    deal = Deal()
    _, lost, _ = await strict.receive(deal.created(), deal.lost(), deal.reopened())
    assert await shop.deliveries(lost) == []
    (answer,) = (await shop.operations.replay([lost.id]))["events"]
    assert (answer["state"], answer["planned"]) == ("routed", 2)
    assert [each["target"] for each in answer["added"]] == ["sales", "billing"]
    assert sorted(shop.rung) == ["billing", "sales"]
    assert (await shop.operations.event(lost.id))["state"] == "routed"


async def test_a_replay_leaves_out_what_is_delivered_or_on_its_way_unless_again(shop: Shop) -> None:
    (lost,) = await shop.receive(Deal().lost())
    await shop.attempt("sales", Outcome.DELIVERED, DeliveryState.DELIVERED)
    (answer,) = (await shop.operations.replay([lost.id]))["events"]
    assert (answer["planned"], answer["added"]) == (2, [])
    (answer,) = (await shop.operations.replay([lost.id], again=True))["events"]
    assert len(answer["added"]) == 2
    assert {each["replay"] for each in answer["added"]} == {1}


async def test_a_replay_by_filter_goes_from_the_oldest_to_the_newest(shop: Shop) -> None:
    events = await shop.receive(*(Deal(id_).lost() for id_ in ("d1", "d2", "d3")))
    answer = await shop.operations.replay(EventQuery(name="crm_deal_updated", limit=1), again=True)
    assert [each["id"] for each in answer["events"]] == [event.id for event in events]


async def test_what_was_never_decided_is_replayed_as_if_it_arrived_now_and_told_once(shop: Shop) -> None:
    deal = Deal()
    await shop.receive(deal.created())
    kept = replace(shop.arrival(deal.lost()), state=EventState.QUARANTINED, reason="routing failed: KeyError")
    await shop.store.add(kept)
    (answer,) = (await shop.operations.replay([kept.id]))["events"]
    assert (answer["state"], len(answer["added"])) == ("routed", 2)
    (edited,) = await shop.receive(deal.updated(rating=2))
    assert await shop.deliveries(edited) == [], "the loss was told by the replay, and is known since"


async def test_a_dry_replay_adds_nothing(shop: Shop) -> None:
    (lost,) = await shop.receive(Deal().lost())
    answer = await shop.operations.replay([lost.id], again=True, dry_run=True)
    assert (answer["events"][0]["planned"], answer["events"][0]["added"]) == (2, [])
    assert len(await shop.deliveries(lost)) == 2
    assert shop.rung == []


async def test_one_unknown_event_and_nothing_is_replayed(shop: Shop) -> None:
    (lost,) = await shop.receive(Deal().lost())
    with pytest.raises(RequestRefusedError) as refusal:
        await shop.operations.replay([lost.id, "none"], again=True)
    assert refusal.value.code == "unknown-id"
    assert len(await shop.deliveries(lost)) == 2


async def test_nothing_is_replayed_without_rules(shop: Shop) -> None:
    with pytest.raises(RequestRefusedError) as refusal:
        await Operations(shop.store, Host(current=lambda: None)).replay(EventQuery())
    assert refusal.value.code == "no-rules"


async def test_a_defect_at_one_event_keeps_no_other_from_its_replay(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await shop.receive(Deal("d1").lost(), Deal("d2").lost())
    replay, router = shop.rules.router.replay, shop.rules.router

    def failing(event: Event, preceding: Event | None) -> RoutedEvent:
        if event.id == first.id:
            raise OverflowError("date value out of range")
        return replay(event, preceding)

    monkeypatch.setattr(router, "replay", failing)
    answer = await shop.operations.replay([first.id, second.id], again=True)
    told = [(each["state"], each["reason"], len(each["added"])) for each in answer["events"]]
    assert told == [("quarantined", "routing failed: OverflowError", 0), ("routed", None, 2)]
    kept = await shop.store.event(first.id)
    assert kept
    assert (kept.state, kept.reason) == (EventState.QUARANTINED, "routing failed: OverflowError")
