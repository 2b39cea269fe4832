from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bridge.control import acting
from bridge.control.host import Host
from bridge.control.operations import Operations
from bridge.errors import RequestRefusedError
from bridge.model import DeliveryState, Entity, Event, EventState, Outcome
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


async def quarantined(shop: Shop, body: dict[str, Any], *, unreadable: bool = False) -> Event:
    """Receive a webhook that an earlier version of bridge could not decide, or not even read."""
    event = replace(shop.arrival(body), state=EventState.QUARANTINED, reason="an older bridge")
    if unreadable:
        event = replace(event, name="unreadable", entity=None, occurred_at=None)
    await shop.store.add(event)
    shop.clock.advance(seconds=1)
    return event


@pytest.mark.parametrize("unreadable", [False, True])
async def test_what_was_never_decided_is_told_by_its_replay_and_not_again_by_the_next_edit(
    shop: Shop, *, unreadable: bool
) -> None:
    deal = Deal("d1")
    await shop.receive(deal.created())
    lost = await quarantined(shop, deal.lost(), unreadable=unreadable)
    (answer,) = (await shop.operations.replay(EventQuery(states=(EventState.QUARANTINED,))))["events"]
    assert (answer["name"], answer["state"], len(answer["added"])) == ("crm_deal_updated", "routed", 2)
    (edited,) = await shop.receive(deal.updated(rating=5))
    assert await shop.deliveries(edited) == []
    shown = await shop.operations.event(lost.id)
    assert (shown["name"], shown["entity"]) == ("crm_deal_updated", {"kind": "deal", "id": "d1"})
    assert (await shop.operations.event(edited.id))["preceding"] == lost.id


async def test_what_was_never_decided_is_compared_with_the_last_state_of_today(shop: Shop) -> None:
    deal = Deal("d1")
    await shop.receive(deal.created())
    lost = await quarantined(shop, deal.lost())
    (edited,) = await shop.receive(deal.updated(rating=5))
    assert len(await shop.deliveries(edited)) == 2, "it was the first to say that the deal is lost"
    for told in ((await shop.operations.explain(lost.id)), (await shop.operations.replay([lost.id]))["events"][0]):
        assert (told["state"], told["reason"]) == ("stale", "a newer document of the entity came before")
    assert await shop.deliveries(lost) == []
    state = await shop.operations.state("crm", Entity("deal", "d1"))
    assert state["event_id"] == edited.id


async def test_what_a_replay_still_does_not_understand_is_explained_and_stays_quarantined(shop: Shop) -> None:
    event = replace(shop.arrival(Deal().lost()), body=b"{}", entity=None, state=EventState.QUARANTINED)
    await shop.store.add(event)
    for told in ((await shop.operations.explain(event.id)), (await shop.operations.replay([event.id]))["events"][0]):
        assert (told["state"], bool(told["reason"])) == ("quarantined", True)
    assert (await shop.operations.event(event.id))["state"] == "quarantined"


async def test_a_replay_by_filter_goes_from_the_oldest_to_the_newest(shop: Shop) -> None:
    events = await shop.receive(*(Deal(id_).lost() for id_ in ("d1", "d2", "d3")))
    answer = await shop.operations.replay(EventQuery(name="crm_deal_updated", limit=1), again=True)
    assert [each["id"] for each in answer["events"]] == [event.id for event in events]


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
