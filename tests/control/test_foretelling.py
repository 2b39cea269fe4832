"""What is told later, explained with what waits for it in a real store."""

from dataclasses import replace
from typing import Any

import pytest

from bridge.control.client import DaemonClient
from bridge.control.explaining import Explainer
from bridge.control.foretelling import Foreteller
from bridge.control.shapes import Shape
from bridge.delivery.timekeeper import Timekeeper
from bridge.errors import RequestRefusedError
from bridge.model import Event
from bridge.store.nouns import DeliveryQuery
from tests.support.control import serving
from tests.support.deals import Deal
from tests.support.shop import Shop, load_rules

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  sales: {type: log}
routes:
  - name: losses
    on: deal.lost
    digest: {at: "18:00", by: "{{ deal.user.email }}"}
    deliver:
      - to: sales
        text: "{{ items | map(attribute='deal.name') | join(', ') }}; before: {{ former | length if former else '?' }}"
        unless: [deal.won]
  - name: moves
    on: crm_deal_updated
    match: {deal_stage.order: changed}
    debounce: 60s
    deliver:
      - {to: sales, text: "{{ previous.deal_stage.name }} → {{ deal.deal_stage.name }}"}
  - name: stuck
    on: deal.stage_changed
    deliver:
      - to: sales
        text: "{{ deal.name }} is still in {{ deal.deal_stage.name }}"
        delay: 3d
        unless: [deal.lost, deal.deleted]
"""


def deal_of(seller: str, name: str) -> Deal:
    return Deal(name, name, user={"id": seller, "name": seller, "email": f"{seller}@acme.com"})


def a_loss(seller: str, name: str) -> dict[str, Any]:
    return deal_of(seller, name).lost()


@pytest.fixture
def later(shop: Shop) -> Shop:
    """A shop that tells everything later."""
    shop.rules = load_rules(shop.folder, shop.clock, RULES)
    shop.host = replace(shop.host, current=lambda: shop.rules)
    return shop


def of(told: Shape, name: str) -> Shape:
    [[delivery]] = [route["deliveries"] for route in told["routes"] if route["name"] == name]
    return dict(delivery)


async def let_pass(shop: Shop, **parts: float) -> None:
    shop.clock.advance(**parts)
    await Timekeeper(shop.store, lambda: shop.rules, shop.rung.extend, shop.clock).step()


async def waiting(shop: Shop, event: Event) -> str:
    """Return what is deferred on the account of an event."""
    [delivery] = [each for each in await shop.deliveries(event) if each.deferral or each.state == "deferred"]
    return delivery.id


class TestDigest:
    async def test_an_event_that_would_arrive_is_told_with_those_of_its_group_that_wait(self, later: Shop) -> None:
        one, two, _ = await later.receive(
            *(deal_of(*each).lost() for each in (("ana", "A1"), ("ana", "A2"), ("bia", "B")))
        )
        told = of(await later.operations.explain_body(a_loss("ana", "A3")), "losses")
        assert told["preview"] == "A1, A2, A3; before: ?"
        assert (told["deferred"], told["group"], told["due"]) == ("digest", "ana@acme.com", "2026-11-24T21:00:00+00:00")
        assert told["joins"] == [await waiting(later, one), await waiting(later, two)]
        assert (told["unless"], told["undone"], told["latest"]) == (["deal.won"], False, None)

    async def test_a_stored_event_that_waits_is_told_once_and_in_its_place(self, later: Shop) -> None:
        one, two = await later.receive(a_loss("ana", "A1"), a_loss("ana", "A2"))
        told = of(await later.operations.explain(one.id), "losses")
        assert (told["preview"], told["joins"]) == ("A1, A2; before: ?", [await waiting(later, two)])

    async def test_more_than_fit_one_message_are_explained_in_the_message_that_tells_of_them(
        self, later: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bridge.store.sqlite.waiting.ITEMS", 2)
        told = [of(await later.operations.explain_body(a_loss("ana", "A1")), "losses")["preview"]]
        for name in ("A1", "A2", "A3", "A4"):
            [event] = await later.receive(a_loss("ana", name))
            following = await later.operations.explain_body(a_loss("ana", "next"))
            told += [
                of(await later.operations.explain(event.id), "losses")["preview"],
                of(following, "losses")["preview"],
            ]
        assert [each.partition(";")[0] for each in told] == [
            "A1",
            *("A1", "A1, next"),
            *("A1, A2", "next"),
            *("A3", "A3, next"),
            *("A3, A4", "next"),
        ]

    async def test_it_is_compared_with_what_the_one_before_told(self, later: Shop) -> None:
        await later.receive(a_loss("ana", "A1"), a_loss("ana", "A2"))
        await let_pass(later, hours=10)
        told = of(await later.operations.explain_body(a_loss("ana", "A3")), "losses")
        assert (told["preview"], told["joins"]) == ("A3; before: 2", [])
        assert told["due"] == "2026-11-25T21:00:00+00:00"

    async def test_what_cannot_be_rendered_beside_what_waits_says_why(self, later: Shop) -> None:
        text = RULES.replace("{{ items | map(attribute='deal.name') | join(', ') }}", "{{ 6 // (2 - items | length) }}")
        later.rules = load_rules(later.folder, later.clock, text)
        await later.receive(a_loss("ana", "A1"))
        told = of(await later.operations.explain_body(a_loss("ana", "A2")), "losses")
        assert told["content"] is None
        assert "zero" in told["error"]

    async def test_explaining_leaves_what_waits_as_it_is(self, later: Shop) -> None:
        one, _ = await later.receive(a_loss("ana", "A1"), a_loss("ana", "A2"))
        before = await later.store.deliveries(DeliveryQuery())
        await later.operations.explain(one.id)
        await later.operations.explain_body(a_loss("ana", "A3"))
        assert await later.store.deliveries(DeliveryQuery()) == before

    async def test_a_sample_is_told_with_what_waits_as_well(self, later: Shop) -> None:
        await later.receive(a_loss("ana", "A1"))
        sample = deal_of("ana", "S")
        before = sample.created()
        told = await later.operations.explain_body(sample.lost(), before=before)
        assert of(told, "losses")["preview"] == "A1, S; before: ?"


class TestDebounce:
    async def test_a_further_change_joins_the_one_that_is_held(self, later: Shop) -> None:
        deal = Deal()
        _, held = await later.receive(deal.moved("A", 1), deal.moved("B", 2))
        later.clock.advance(seconds=30)
        told = of(await later.operations.explain_body(deal.moved("C", 3)), "moves")
        joined = next(each for each in await later.deliveries(held) if each.route == "moves")
        assert (told["preview"], told["joins"]) == ("A → C", [joined.id])
        assert (told["due"], told["latest"]) == ("2026-11-24T12:01:32+00:00", "2026-11-24T12:10:01+00:00")

    async def test_what_takes_it_back_would_tell_nothing(self, later: Shop) -> None:
        deal = Deal()
        await later.receive(deal.moved("A", 1), deal.moved("B", 2))
        told = of(await later.operations.explain_body(deal.moved("A", 1)), "moves")
        assert (told["undone"], told["preview"], told["error"]) == (True, None, None)

    async def test_one_that_is_held_is_shown_as_it_will_be_told(self, later: Shop) -> None:
        deal = Deal()
        _, first, last = await later.receive(deal.moved("A", 1), deal.moved("B", 2), deal.moved("C", 3))
        later.clock.advance(seconds=20)
        for event in (first, last):
            told = of(await later.operations.explain(event.id), "moves")
            assert (told["preview"], told["due"], told["joins"]) == ("A → C", "2026-11-24T12:01:02+00:00", [])

    async def test_a_condition_that_fails_on_the_whole_change_says_why(self, later: Shop) -> None:
        failing = "debounce: 60s\n    when: 6 // (deal.deal_stage.order - previous.deal_stage.order - 2) < 0"
        later.rules = load_rules(later.folder, later.clock, RULES.replace("debounce: 60s", failing))
        deal = Deal()
        await later.receive(deal.moved("A", 1), deal.moved("B", 2))
        told = of(await later.operations.explain_body(deal.moved("C", 3)), "moves")
        assert (told["content"], "zero" in told["error"]) == (None, True)


class TestDelay:
    async def test_it_is_shown_with_when_it_is_told_and_what_calls_it_off(self, later: Shop) -> None:
        deal = Deal()
        _, moved, _ = await later.receive(deal.moved("A", 1), deal.moved("B", 2), deal.updated(name="Outra"))
        later.clock.advance(days=1)
        told = of(await later.operations.explain(moved.id), "stuck")
        assert told["preview"] == "Outra is still in B", "as things stand"
        assert (told["due"], told["unless"]) == ("2026-11-27T12:00:01+00:00", ["deal.lost", "deal.deleted"])

    async def test_an_event_tells_what_it_calls_off(self, later: Shop) -> None:
        deal = Deal()
        moved = (await later.receive(deal.moved("A", 1), deal.moved("B", 2), deal.moved("C", 3)))[1:]
        assert (await later.operations.explain_body(deal.updated(name="Outra")))["calls_off"] == []
        ids = [each.id for event in moved for each in await later.deliveries(event) if each.route == "stuck"]
        lost = deal.lost()
        told = await later.operations.explain_body(lost)
        assert told["calls_off"] == [{"route": "stuck", "target": "sales", "deliveries": ids}], "what it would"
        [event] = await later.receive(lost)
        assert (await later.operations.explain(event.id))["calls_off"] == told["calls_off"], "what it has"
        [gone] = await later.receive(deal.deleted())
        assert (await later.operations.explain(gone.id))["calls_off"] == [
            {"route": "stuck", "target": "sales", "deliveries": []}
        ]

    async def test_a_source_that_is_gone_is_no_traceback(self, later: Shop) -> None:
        await later.receive(a_loss("ana", "A1"))
        strange = replace(later.arrival(a_loss("ana", "A2")), source="gone")
        await later.store.add(strange)
        assert (await later.operations.explain(strange.id))["state"] == "quarantined"


class TestThroughTheDaemon:
    """Rules of a file are asked about what a daemon's store holds."""

    async def test_the_answers_are_those_of_the_store(self, later: Shop) -> None:
        deal = Deal("d9")
        await later.receive(a_loss("ana", "A1"))
        await let_pass(later, hours=10)
        await later.receive(a_loss("ana", "A2"), deal.moved("A", 1), deal.moved("B", 2))
        explainer = Explainer(later.rules, later.clock)
        for body in (a_loss("ana", "A3"), deal.moved("C", 3), deal.lost()):
            event = explainer.arrived(body)
            state = await later.store.last_state("crm", event.entity) if event.entity else None
            told = explainer.arriving(event, state)
            async with serving(later.operations, later.folder / "data"), DaemonClient(later.folder / "data") as client:
                there = await Foreteller(later.rules, later.clock, client).complete(told)
            here = await Foreteller(later.rules, later.clock, later.operations).complete(told)
            assert explainer.shape(there) == explainer.shape(here)
            assert any(foretold.joins for foretold in here.foretold.values()) or any(here.called_off.values())

    @pytest.mark.parametrize("asked", [{}, {"event": {}, "delivery": {}}, {"event": None, "delivery": 1}])
    async def test_nonsense_is_refused(self, later: Shop, asked: dict[str, Any]) -> None:
        async with serving(later.operations, later.folder / "data"), DaemonClient(later.folder / "data") as client:
            with pytest.raises(RequestRefusedError, match="an event and a deferred delivery are needed"):
                await client._ask("POST", "/api/waiting", body=asked)

    @pytest.mark.parametrize("asked", [{}, {"event": {}, "entries": []}, {"event": None, "entries": [["a"]]}])
    async def test_nonsense_about_what_is_called_off_is_refused(self, later: Shop, asked: dict[str, Any]) -> None:
        async with serving(later.operations, later.folder / "data"), DaemonClient(later.folder / "data") as client:
            with pytest.raises(RequestRefusedError, match="an event and a list of entries are needed"):
                await client._ask("POST", "/api/called-off", body=asked)
