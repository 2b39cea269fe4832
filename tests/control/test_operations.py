from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.control.host import Host
from bridge.control.operations import Operations
from bridge.errors import RequestRefusedError
from bridge.model import Attempt, DeliveryState, Entity, Event, EventState, Limits, Outcome, new_id
from bridge.options import InvalidConfigurationError, Place, Problem
from bridge.ruleset import Ruleset
from bridge.store.nouns import DeliveryQuery, EventQuery, Settlement
from tests.support.deals import Deal
from tests.support.shop import Shop, load_rules

PROBLEM = Problem(Place("routes.yaml", 8, 9), "unknown-event", "there is no event")


async def test_events_are_listed_newest_first_in_one_shape(shop: Shop) -> None:
    deal = Deal("d1")
    created, lost = await shop.receive(deal.created(), deal.lost())
    listed = (await shop.operations.events(EventQuery()))["events"]
    assert [event["id"] for event in listed] == [lost.id, created.id]
    assert listed[0] == {
        "id": lost.id,
        "source": "crm",
        "name": "crm_deal_updated",
        "entity": {"kind": "deal", "id": "d1"},
        "state": "routed",
        "reason": None,
        "origin": "webhook",
        "received_at": "2026-11-24T12:00:01+00:00",
        "occurred_at": lost.occurred_at.isoformat() if lost.occurred_at else None,
    }


async def test_an_event_is_shown_with_its_body_its_deliveries_and_what_it_was_compared_with(shop: Shop) -> None:
    deal = Deal("d1")
    body = deal.lost()
    created, lost = await shop.receive(Deal("d1").created(), body)
    await shop.attempt("sales", Outcome.TRANSIENT, DeliveryState.PENDING, "503")
    event = await shop.operations.event(lost.id)
    assert event["body"] == body
    assert event["preceding"] == created.id
    assert [(each["target"], each["state"], len(each["attempts"])) for each in event["deliveries"]] == [
        ("sales", "pending", 1),
        ("billing", "pending", 0),
    ]


async def test_a_body_that_is_no_json_is_shown_as_text(shop: Shop) -> None:
    event = Event("evt_1", "crm", "", None, "x", b"{\xff", shop.clock.now(), state=EventState.QUARANTINED, reason="no")
    await shop.store.add(event)
    assert (await shop.operations.event("evt_1"))["body"] == "{�"


async def test_a_delivery_is_shown_with_its_message_as_its_target_would_show_it(shop: Shop) -> None:
    (lost,) = await shop.receive(Deal().lost())
    await shop.attempt("sales", Outcome.PERMANENT, DeliveryState.DEAD, "gone")
    sales, billing = await shop.deliveries(lost)
    told = await shop.operations.delivery(sales.id)
    assert told["preview"] == "Loja Ação lost: Preço"
    assert (told["state"], told["reason"], told["attempt_count"]) == ("dead", "gone", 1)
    attempt = told["attempts"][0]
    assert (attempt["outcome"], attempt["status"], attempt["excerpt"]) == ("permanent", 503, "try later")
    body = (await shop.operations.delivery(billing.id))["content"]["body"]
    assert body == {"name": "Loja Ação", "total": 11050.5}


async def test_a_message_is_shown_as_it_stands_when_its_target_is_gone(shop: Shop) -> None:
    (lost,) = await shop.receive(Deal().lost())
    alone = Operations(shop.store, Host(current=lambda: None), shop.clock)
    told = await alone.delivery((await shop.deliveries(lost))[0].id)
    assert '"text": "Loja Ação lost: Preço"' in told["preview"]


async def test_a_message_that_could_not_be_rendered_has_no_preview(shop: Shop) -> None:
    rules = load_rules(shop.folder, shop.clock, RULES_THAT_FAIL)
    (lost,) = await replace(shop, rules=rules).receive(Deal().lost())
    told = await shop.operations.delivery((await shop.deliveries(lost))[0].id)
    assert (told["state"], told["content"], told["preview"]) == ("dead", None, None)
    assert told["reason"]


RULES_THAT_FAIL = """\
version: 1
sources: {crm: {type: rdstation_crm}}
targets: {sales: {type: log}}
routes:
  - {name: losses, on: deal.lost, deliver: [{to: sales, text: "{{ 1 / (deal.amount_total - deal.amount_total) }}"}]}
"""


async def test_deliveries_are_listed_without_their_messages(shop: Shop) -> None:
    await shop.receive(Deal().lost())
    listed = (await shop.operations.deliveries(DeliveryQuery(target="billing")))["deliveries"]
    assert [(each["route"], each["entry"], each["key"]) for each in listed] == [("losses", 1, "deal:6650f1")]
    assert "content" not in listed[0]


async def test_the_last_state_of_an_entity_is_the_newest_document(shop: Shop) -> None:
    deal = Deal("d1")
    _, lost = await shop.receive(deal.created(), deal.lost())
    state = await shop.operations.state("crm", Entity("deal", "d1"))
    assert (state["event_id"], state["deleted"], state["document"]["status"]) == (lost.id, False, "lost")


@pytest.mark.parametrize("question", ["event", "delivery", "explain"])
async def test_an_unknown_id_is_refused(shop: Shop, question: str) -> None:
    with pytest.raises(RequestRefusedError, match='"none"') as refusal:
        await getattr(shop.operations, question)("none")
    assert refusal.value.code == "unknown-id"


async def test_an_entity_never_seen_is_refused(shop: Shop) -> None:
    with pytest.raises(RequestRefusedError, match='there is no entity "deal:x"'):
        await shop.operations.state("crm", Entity("deal", "x"))


async def test_sources_are_listed_with_the_addresses_to_paste(shop: Shop) -> None:
    assert (await shop.operations.sources())["sources"] == [
        {
            "name": "crm",
            "type": "rdstation_crm",
            "addresses": ["https://bridge.example.com/hooks/crm/s3cret-of-the-source"],
            "local_address": "http://127.0.0.1:8080/hooks/crm/s3cret-of-the-source",
            "headers": {},
        }
    ]


async def test_a_source_tells_the_header_that_its_webhooks_have_to_carry(shop: Shop) -> None:
    host = replace(shop.host, headers=lambda source: {"X-Key": f"k3y of {source}"})
    (source,) = (await Operations(shop.store, host, shop.clock).sources())["sources"]
    assert source["headers"] == {"X-Key": "k3y of crm"}


async def test_without_a_public_address_the_local_one_is_what_to_paste(shop: Shop) -> None:
    host = replace(shop.host, public_url=None)
    (source,) = (await Operations(shop.store, host, shop.clock).sources())["sources"]
    assert source["addresses"] == [source["local_address"]]


async def test_the_status_tells_what_waits_and_why_the_rules_were_refused(shop: Shop) -> None:
    await shop.receive(Deal().lost())
    await shop.store.add(shop.arrival(Deal("d2").lost()))
    host = replace(shop.host, problems=lambda: (PROBLEM,))
    status = await Operations(shop.store, host, shop.clock).status()
    assert status["revision"] == shop.rules.revision
    assert status["uptime_seconds"] == 1
    assert (status["sources"], status["targets"], status["routes"]) == (
        ["crm"],
        ["sales", "billing"],
        ["losses", "people"],
    )
    assert status["problems"] == ["routes.yaml:8:9: unknown-event: there is no event"]
    assert status["backlog"]["events_received"] == 1
    assert status["backlog"]["deliveries"] == {"billing/pending": 1, "sales/pending": 1}


async def test_the_status_tells_why_webhooks_are_turned_away(shop: Shop) -> None:
    host = replace(shop.host, no_room=lambda: "the disk is nearly full")
    assert (await Operations(shop.store, host, shop.clock).status())["no_room"] == "the disk is nearly full"
    assert (await shop.operations.status())["no_room"] is None


async def test_the_status_tells_which_targets_are_held(shop: Shop) -> None:
    await shop.store.pause("billing", "the service moves")
    (held,) = (await shop.operations.status())["held"]
    assert (held["name"], held["state"], held["reason"]) == ("billing", "paused", "the service moves")


async def test_a_delivery_tells_how_its_schedule_stands_and_whether_it_may_have_arrived(shop: Shop) -> None:
    await shop.receive(Deal().lost())
    (claim,) = await shop.store.claim("sales", Limits(1), timedelta(minutes=1))
    end = shop.clock.now() + timedelta(days=1)
    number = Attempt(new_id("att"), claim.delivery.id, 1, Outcome.UNKNOWN, "schedule", shop.clock.now(), 0.1)
    again = Settlement(DeliveryState.PENDING, shop.clock.now(), "timed out", failure=True, give_up_at=end)
    await shop.store.record(claim, number, again)
    told = await shop.operations.delivery(claim.delivery.id)
    assert (told["failures"], told["uncertain"], told["give_up_at"]) == (1, True, end.isoformat())


async def test_the_status_of_a_store_alone_has_no_rules_and_no_uptime(shop: Shop) -> None:
    status = await Operations(shop.store, Host(current=lambda: None), shop.clock).status()
    assert (status["revision"], status["uptime_seconds"], status["routes"]) == (None, None, [])


async def test_a_reload_tells_the_new_revision(shop: Shop) -> None:
    async def reload() -> Ruleset:
        return shop.rules

    host = replace(shop.host, reload=reload)
    answer = await Operations(shop.store, host, shop.clock).reload()
    assert answer == {"revision": shop.rules.revision, "routes": ["losses", "people"], "changes": []}


async def test_a_refused_reload_tells_every_problem(shop: Shop) -> None:
    async def reload() -> Ruleset:
        raise InvalidConfigurationError([PROBLEM])

    with pytest.raises(InvalidConfigurationError, match="unknown-event"):
        await Operations(shop.store, replace(shop.host, reload=reload), shop.clock).reload()


async def test_without_a_daemon_there_is_nothing_to_reload(shop: Shop) -> None:
    with pytest.raises(RequestRefusedError) as refusal:
        await shop.operations.reload()
    assert refusal.value.code == "no-daemon"


async def test_no_answer_but_that_of_sources_holds_a_secret(shop: Shop) -> None:
    (lost,) = await shop.receive(Deal().lost())
    delivery = (await shop.deliveries(lost))[1]
    operations = shop.operations
    answers = [
        await operations.events(EventQuery()),
        await operations.event(lost.id),
        await operations.deliveries(DeliveryQuery()),
        await operations.delivery(delivery.id),
        await operations.explain(lost.id),
        await operations.status(),
        await operations.targets(),
    ]
    for secret in ("s3cret-of-the-source", "t0ken-of-the-target"):
        assert secret not in repr(answers)
