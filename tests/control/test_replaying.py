from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.control.amount import Amount, Manner
from bridge.control.host import Host
from bridge.control.operations import Operations
from bridge.errors import RequestRefusedError
from bridge.model import Delivery, DeliveryState, Event, EventState, Outcome, Rate, Related, RoutedEvent
from bridge.store.nouns import EventQuery, Retention
from tests.support.deals import Deal
from tests.support.shop import RULES, Shop, load_rules

AGAIN, AS_PLANNED = Manner(again=True), Manner(as_planned=True)
EVERYTHING = EventQuery(source="crm")


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
    (answer,) = (await shop.operations.replay([lost.id], AGAIN))["events"]
    assert len(answer["added"]) == 2
    assert {each["replay"] for each in answer["added"]} == {1}


async def test_a_replay_by_filter_goes_from_the_oldest_to_the_newest(shop: Shop) -> None:
    events = await shop.receive(*(Deal(id_).lost() for id_ in ("d1", "d2", "d3")))
    answer = await shop.operations.replay(EventQuery(name="crm_deal_updated", limit=1), AGAIN)
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
    answer = await shop.operations.replay([lost.id], AGAIN, dry_run=True)
    (told,) = answer["events"]
    assert (told["planned"], told["lacking"], told["added"]) == (2, 2, [])
    assert len(await shop.deliveries(lost)) == 2
    assert shop.rung == []


async def test_one_unknown_event_and_nothing_is_replayed(shop: Shop) -> None:
    (lost,) = await shop.receive(Deal().lost())
    with pytest.raises(RequestRefusedError) as refusal:
        await shop.operations.replay([lost.id, "none"], AGAIN)
    assert refusal.value.code == "unknown-id"
    assert len(await shop.deliveries(lost)) == 2


async def test_nothing_is_replayed_without_rules(shop: Shop) -> None:
    with pytest.raises(RequestRefusedError) as refusal:
        await ruleless(shop).replay(EventQuery())
    assert refusal.value.code == "no-rules"


def ruleless(shop: Shop) -> Operations:
    return Operations(shop.store, Host(current=lambda: None), shop.clock)


async def delivered(shop: Shop, *ids: str) -> list[Event]:
    """Receive losses, and deliver both messages of each."""
    events = []
    for id_ in ids:
        events += await shop.receive(Deal(id_).lost())
        for target in ("sales", "billing"):
            await shop.attempt(target, Outcome.DELIVERED, DeliveryState.DELIVERED)
    return events


# how many, how fast


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_dry_run_tells_what_a_replay_would_add(shop: Shop, *, dry_run: bool) -> None:
    await delivered(shop, "d1")
    (waiting,) = await shop.receive(Deal("d2").lost())
    await shop.attempt("sales", Outcome.PERMANENT, DeliveryState.DEAD, "refused")
    answer = await shop.operations.replay(EVERYTHING, dry_run=dry_run)
    assert [(each["planned"], each["lacking"]) for each in answer["events"]] == [(2, 0), (2, 1)]
    assert len(await shop.deliveries(waiting)) == (2 if dry_run else 3)


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_limit_counts_the_events_that_lacked_something_the_oldest_first(shop: Shop, *, dry_run: bool) -> None:
    (done,) = await delivered(shop, "d1")
    lost = await shop.receive(*(Deal(id_).lost() for id_ in ("d2", "d3", "d4")))
    for _ in lost:
        await shop.attempt("sales", Outcome.PERMANENT, DeliveryState.DEAD, "refused")
    answer = await shop.operations.replay(EVERYTHING, amount=Amount(limit=2), dry_run=dry_run)
    assert [each["id"] for each in answer["events"]] == [done.id, lost[0].id, lost[1].id]
    assert answer["left"] == 1


async def test_a_rate_makes_what_is_added_due_one_after_another(shop: Shop) -> None:
    await delivered(shop, "d1", "d2")
    begin = shop.clock.now()
    answer = await shop.operations.replay(EVERYTHING, AGAIN, Amount(rate=Rate(1, 30)))
    due = [each["due_at"] for event in answer["events"] for each in event["added"]]
    assert due == [(begin + timedelta(seconds=30 * n)).isoformat() for n in range(4)]


async def test_targets_that_are_held_are_told_as_what_is_added_waits(shop: Shop) -> None:
    (lost,) = await delivered(shop, "d1")
    await shop.store.pause("billing", "the service moves")
    assert (await shop.operations.replay([lost.id], AGAIN))["held"] == ["billing"]


# one route alone


async def test_a_replay_of_one_route_adds_its_deliveries_and_no_others(shop: Shop) -> None:
    two = RULES.replace("  - name: people", TWIN + "  - name: people")
    shop = replace(shop, rules=load_rules(shop.folder, shop.clock, two))
    shop.host = replace(shop.host, current=lambda: shop.rules)
    (lost,) = await delivered(shop, "d1")
    answer = await shop.operations.replay([lost.id], Manner(route="twin", again=True))
    (event,) = answer["events"]
    assert (event["state"], event["planned"]) == ("routed", 1)
    assert [each["route"] for each in event["added"]] == ["twin"]


TWIN = """\
  - name: twin
    on: deal.lost
    deliver:
      - {to: sales, text: "{{ deal.name }} again"}
"""


async def test_an_event_keeps_its_state_when_the_one_route_does_not_match_it(shop: Shop) -> None:
    (lost,) = await delivered(shop, "d1")
    (event,) = (await shop.operations.replay([lost.id], Manner(route="people")))["events"]
    assert (event["state"], event["planned"], event["added"]) == ("routed", 0, [])
    assert (await shop.operations.event(lost.id))["state"] == "routed"


async def test_a_route_that_is_not_there_is_refused_with_the_one_that_was_meant(shop: Shop) -> None:
    (lost,) = await delivered(shop, "d1")
    with pytest.raises(RequestRefusedError, match='there is no route "loses"; did you mean "losses"') as refusal:
        await shop.operations.replay([lost.id], Manner(route="loses", again=True))
    assert refusal.value.code == "unknown-route"
    assert len(await shop.deliveries(lost)) == 2


# as planned then


async def test_what_was_planned_then_is_sent_again_whatever_the_rules_say_today(shop: Shop) -> None:
    (lost,) = await shop.receive(Deal("d1").lost())
    for target in ("sales", "billing"):
        await shop.attempt(target, Outcome.PERMANENT, DeliveryState.DEAD, "refused")
    planned = await shop.deliveries(lost)
    shop.clock.advance(hours=1)
    (answer,) = (await ruleless(shop).replay([lost.id], AS_PLANNED))["events"]
    assert (answer["planned"], answer["lacking"], answer["state"]) == (2, 2, "routed")
    copies = [await shop.store.delivery(each["id"]) for each in answer["added"]]
    for before, copy in zip(planned, copies, strict=True):
        assert copy
        assert (copy.state, copy.attempts, copy.reason, copy.replay) == (DeliveryState.PENDING, 0, None, 1)
        assert copy.created_at == copy.due_at == shop.clock.now()
        assert copy.id not in {each.id for each in planned}
        for same in ("event_id", "route", "entry", "target", "key", "content", "bucket", "terms"):
            assert getattr(copy, same) == getattr(before, same)


async def test_as_planned_leaves_out_what_is_delivered_or_under_way_unless_again(shop: Shop) -> None:
    (lost,) = await shop.receive(Deal("d1").lost())
    await shop.attempt("sales", Outcome.DELIVERED, DeliveryState.DELIVERED)
    for dry_run in (True, False):
        (answer,) = (await shop.operations.replay([lost.id], AS_PLANNED, dry_run=dry_run))["events"]
        assert (answer["planned"], answer["lacking"]) == (2, 0)
    again = Manner(as_planned=True, again=True)
    (answer,) = (await shop.operations.replay([lost.id], again))["events"]
    assert len(answer["added"]) == 2
    (answer,) = (await shop.operations.replay([lost.id], again))["events"]
    assert len(answer["added"]) == 2, "and no copies of copies"


async def test_as_planned_sends_the_first_message_that_an_entry_had(shop: Shop) -> None:
    def texts(planned: list[Delivery]) -> list[object]:
        return [each.content and each.content["text"] for each in planned if each.target == "sales"]

    broken = RULES.replace("{{ deal.name }} lost", "{{ 1 / (deal.amount_total - deal.amount_total) }} lost")
    breaking = replace(shop, rules=load_rules(shop.folder, shop.clock, broken))
    (lost,) = await breaking.receive(Deal("d1").lost())
    await shop.operations.replay([lost.id])
    other = load_rules(shop.folder, shop.clock, RULES.replace("{{ deal.name }} lost", "another"))
    await Operations(shop.store, replace(shop.host, current=lambda: other), shop.clock).replay([lost.id], AGAIN)
    (answer,) = (await shop.operations.replay([lost.id], Manner(as_planned=True, again=True)))["events"]
    added = [await shop.store.delivery(each["id"]) for each in answer["added"]]
    assert texts([each for each in added if each]) == ["Loja Ação lost: Preço"]


async def test_as_planned_takes_one_route_alone_though_it_is_not_in_the_rules_any_more(shop: Shop) -> None:
    (lost,) = await delivered(shop, "d1")
    for route, planned in (("losses", 2), ("people", 0)):
        manner = Manner(route=route, as_planned=True, again=True)
        (answer,) = (await ruleless(shop).replay([lost.id], manner))["events"]
        assert (answer["planned"], len(answer["added"])) == (planned, planned)


async def test_an_event_without_its_body_is_left_as_it_is_and_can_be_sent_as_planned(shop: Shop) -> None:
    deal = Deal("d1")
    (lost,) = await shop.receive(deal.lost())
    for target in ("sales", "billing"):
        await shop.attempt(target, Outcome.DELIVERED, DeliveryState.DELIVERED)
    await shop.receive(deal.updated(rating=2), deal.updated(rating=3))
    shop.clock.advance(days=8)
    bounds, mark = Retention(shop.clock.now() - timedelta(days=30), shop.clock.now()), None
    while (step := await shop.store.prune(bounds, mark)).next:
        mark = step.next
    kept = await shop.store.event(lost.id)
    assert kept
    assert kept.body == b"", "the body is gone"
    (told,) = (await shop.operations.replay([lost.id], AGAIN))["events"]
    assert (told["planned"], told["added"], told["reason"]) == (0, [], None)
    assert told["gone"] == "its body is not kept any more: see BRIDGE_KEEP_BODIES"
    assert await shop.store.event(lost.id) == kept
    (told,) = (await shop.operations.replay([lost.id], Manner(as_planned=True, again=True)))["events"]
    assert (len(told["added"]), told["gone"]) == (2, None)


async def test_a_defect_at_one_event_keeps_no_other_from_its_replay(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await shop.receive(Deal("d1").lost(), Deal("d2").lost())
    replay, router = shop.rules.router.replay, shop.rules.router

    def failing(event: Event, preceding: Event | None, related: Related) -> RoutedEvent:
        if event.id == first.id:
            raise OverflowError("date value out of range")
        return replay(event, preceding, related)

    monkeypatch.setattr(router, "replay", failing)
    answer = await shop.operations.replay([first.id, second.id], Manner(again=True))
    told = [(each["state"], each["reason"], len(each["added"])) for each in answer["events"]]
    assert told == [("quarantined", "routing failed: OverflowError", 0), ("routed", None, 2)]
    kept = await shop.store.event(first.id)
    assert kept
    assert (kept.state, kept.reason) == (EventState.QUARANTINED, "routing failed: OverflowError")


async def test_nothing_is_decided_anew_beside_an_event_without_its_body(shop: Shop) -> None:
    deal = Deal("d1", amount_total=1)
    _, before, last = await shop.receive(deal.created(), deal.updated(rating=2), deal.lost())
    shop.clock.advance(days=8)
    bounds, mark = Retention(shop.clock.now() - timedelta(days=30), shop.clock.now()), None
    while (step := await shop.store.prune(bounds, mark)).next:
        mark = step.next
    kept = await shop.store.event(last.id)
    assert kept
    assert kept.body, "the last event of an entity keeps its body"
    (told,) = (await shop.operations.replay([last.id]))["events"]
    assert told["planned"] == 0
    assert told["gone"].startswith(f"the body of {before.id}, which it was compared with, is not kept any more")
    assert await shop.store.event(last.id) == kept
