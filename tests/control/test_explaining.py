from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.control.host import Host
from bridge.control.operations import Operations
from bridge.control.shapes import Shape
from bridge.errors import RequestRefusedError
from bridge.model import DeliveryState, Event, EventState, Link, Outcome
from bridge.store.nouns import Retention
from tests.support.deals import Deal
from tests.support.shop import THREADED, Shop, load_rules


def route(told: Shape, name: str) -> Shape:
    (found,) = [each for each in told["routes"] if each["name"] == name]
    return dict(found)


def leaves(findings: list[Shape]) -> list[Shape]:
    return [leaf for each in findings for leaf in (leaves(each["children"]) if each["children"] else [each])]


async def test_a_stored_event_is_explained_beside_what_preceded_it_then(shop: Shop) -> None:
    deal = Deal()
    created, lost, _ = await shop.receive(deal.created(), deal.lost(), deal.reopened())
    told = await shop.operations.explain(lost.id)
    assert (told["state"], told["compared_with"]) == ("routed", created.id)
    assert {"path": "status", "before": "ongoing", "after": "lost"} in told["changes"]
    losses = route(told, "losses")
    assert losses["listened"]
    assert losses["matched"]
    assert [(each["target"], each["key"], each["error"]) for each in losses["deliveries"]] == [
        ("sales", "deal:6650f1", None),
        ("billing", "deal:6650f1", None),
    ]
    assert losses["deliveries"][0]["preview"] == "Loja Ação lost: Preço"
    people = route(told, "people")
    assert (people["listened"], people["matched"], people["deliveries"]) == (False, False, [])


async def test_the_matcher_that_said_no_is_shown_with_what_it_wanted_and_saw(shop: Shop) -> None:
    (lost,) = await shop.receive(Deal(amount_total=4999).lost())
    told = await shop.operations.explain(lost.id)
    (no,) = [leaf for leaf in leaves(route(told, "losses")["findings"]) if not leaf["matched"]]
    assert (no["path"], no["operator"], no["wanted"], no["seen"]) == ("amount_total", "gte", 5000, 4999)
    assert told["state"] == "unmatched"


async def test_a_body_is_explained_beside_the_last_state(shop: Shop) -> None:
    deal = Deal()
    (created,) = await shop.receive(deal.created())
    told = await shop.operations.explain_body(deal.lost())
    assert (told["compared_with"], told["state"]) == (created.id, "routed")
    assert len(told["event"]["id"]) == len(created.id)


async def test_a_body_about_something_never_seen_is_a_first_sight(shop: Shop) -> None:
    told = await shop.operations.explain_body(Deal().lost(closed_at="2025-01-10T10:00:00.000-03:00"))
    assert (told["compared_with"], told["changes"], told["state"]) == (None, [], "unmatched")


async def test_a_body_is_explained_after_another_that_would_come_before_it(shop: Shop) -> None:
    deal = Deal()
    before, lost = deal.created(), deal.lost(closed_at="2025-01-10T10:00:00.000-03:00")
    told = await shop.operations.explain_body(lost, before=before)
    assert (told["state"], told["compared_with"]) == ("routed", "what came before it")


async def test_the_same_change_again_is_a_duplicate_and_asks_no_route(shop: Shop) -> None:
    lost = Deal().lost()
    await shop.receive(lost)
    told = await shop.operations.explain_body(lost)
    assert (told["state"], told["routes"]) == ("duplicate", [])
    assert told["reason"]
    assert told["compared_with"] is None, "documents were compared for no route"


async def test_a_late_event_is_compared_for_no_route(shop: Shop) -> None:
    deal = Deal()
    late = deal.created()
    await shop.receive(deal.lost())
    told = await shop.operations.explain_body(late)
    assert (told["state"], told["compared_with"]) == ("stale", None)


async def test_a_creation_that_is_a_first_sight_is_compared_with_nothing_though_an_update_came_before(
    shop: Shop,
) -> None:
    deal = Deal()
    await shop.receive(deal.updated())
    told = await shop.operations.explain_body(deal.created())
    assert (told["state"], told["compared_with"], told["changes"]) == ("unmatched", None, [])
    told = await shop.operations.explain_body(deal.created(), before=Deal().updated())
    assert told["compared_with"] is None


@pytest.mark.parametrize("body", [None, [], {"event_name": "crm_moon_landed"}, {"event_type": "WEBHOOK.CONVERTED"}])
async def test_a_body_that_is_no_event_is_explained_as_quarantined(shop: Shop, body: object) -> None:
    told = await shop.operations.explain_body(body)  # type: ignore[arg-type]  # any JSON
    assert told["state"] == "quarantined"
    assert told["reason"]


async def test_a_stored_event_that_could_not_be_understood_says_why(shop: Shop) -> None:
    event = Event("evt_1", "crm", "", None, "x", b"{", shop.clock.now(), state=EventState.QUARANTINED, reason="no JSON")
    await shop.store.add(event)
    assert (await shop.operations.explain("evt_1"))["state"] == "quarantined"


async def test_a_source_that_is_not_there_is_refused_with_the_one_that_was_meant(shop: Shop) -> None:
    with pytest.raises(RequestRefusedError, match='there is no source "cmr"; did you mean "crm"') as refusal:
        await shop.operations.explain_body({}, "cmr")
    assert refusal.value.code == "unknown-source"


async def test_nothing_can_be_explained_without_rules(shop: Shop) -> None:
    with pytest.raises(RequestRefusedError) as refusal:
        await Operations(shop.store, Host(current=lambda: None)).explain_body({})
    assert refusal.value.code == "no-rules"


async def test_explaining_stores_and_moves_nothing(shop: Shop) -> None:
    deal = Deal()
    (created,) = await shop.receive(deal.created())
    assert created.entity
    before = await shop.store.last_state("crm", created.entity)
    await shop.operations.explain_body(deal.lost())
    assert await shop.store.last_state("crm", created.entity) == before


async def test_an_event_at_which_routing_would_fail_is_explained_as_such(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, lost = await shop.receive(Deal().created(), Deal().lost())

    def fail(*_: object) -> None:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(shop.rules.router, "_contexts", fail)
    told = await shop.operations.explain(lost.id)
    assert (told["state"], told["reason"]) == ("quarantined", "routing failed: OverflowError")
    assert (told["compared_with"], told["changes"], told["routes"]) == (None, [], [])


async def without_old_bodies(shop: Shop, *bodies: dict[str, Any], young: int = 1) -> list[Event]:
    """Receive webhooks, the last so many of them a month later, and let retention take what it may."""
    events = await shop.receive(*bodies[:-young])
    shop.clock.advance(days=30)
    events += await shop.receive(*bodies[-young:])
    retention = Retention(events=shop.clock.now() - timedelta(days=60), bodies=shop.clock.now() - timedelta(days=7))
    mark = (await shop.store.prune(retention)).next
    while mark:
        mark = (await shop.store.prune(retention, mark)).next
    return events


async def test_what_rested_long_is_explained_beside_what_preceded_it_all_the_same(shop: Shop) -> None:
    deal = Deal(amount_total=1)
    _, _, last, lost = await without_old_bodies(shop, deal.created(), deal.updated(), deal.updated(), deal.lost())
    assert (await shop.operations.explain(lost.id))["compared_with"] == last.id


async def test_an_event_without_its_body_is_not_explained(shop: Shop) -> None:
    deal = Deal(amount_total=1)
    first, *_ = await without_old_bodies(shop, deal.created(), deal.updated(), deal.updated())
    with pytest.raises(RequestRefusedError, match="its body is not kept any more: see BRIDGE_KEEP_BODIES") as caught:
        await shop.operations.explain(first.id)
    assert caught.value.code == "body-gone"
    assert (await shop.operations.event(first.id))["body"] is None


async def test_nothing_is_explained_beside_an_event_without_its_body(shop: Shop) -> None:
    deal = Deal(amount_total=1)
    _, before, last, _ = await without_old_bodies(shop, deal.created(), deal.updated(), deal.updated(), deal.lost())
    told = f"the body of {before.id}, which it was compared with, is not kept any more"
    with pytest.raises(RequestRefusedError, match=told):
        await shop.operations.explain(last.id)


async def test_an_empty_body_that_could_not_be_read_is_no_body_that_is_gone(shop: Shop) -> None:
    event = replace(shop.arrival(Deal().created()), body=b"", entity=None, state=EventState.QUARANTINED)
    await shop.store.add(event)
    assert (await shop.operations.explain(event.id))["state"] == "quarantined"


async def test_a_message_that_answers_to_what_was_made_before_is_shown_with_it(shop: Shop) -> None:
    shop.rules = load_rules(shop.folder, shop.clock, THREADED)
    shop.host = replace(shop.host, current=lambda: shop.rules)
    (lost,) = await shop.receive(Deal().lost())

    async def links() -> list[Shape | None]:
        told = await shop.operations.explain(lost.id)
        return [delivery["link"] for delivery in route(told, "losses")["deliveries"]]

    assert await links() == [None, None, None]
    thread = Link("chat", "deal:6650f1", "1700000000.0001", {"channel": "C1"})
    await shop.attempt("chat", Outcome.DELIVERED, DeliveryState.DELIVERED, links=(thread,))
    assert await links() == [
        {"key": "deal:6650f1", "external_id": "1700000000.0001", "channel": "C1"},
        None,
        None,
    ]
    told = await shop.operations.explain_body(Deal().lost(), before=Deal().created())
    assert route(told, "losses")["deliveries"][0]["link"]["external_id"] == "1700000000.0001"
