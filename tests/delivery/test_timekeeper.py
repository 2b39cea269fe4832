"""Deferred deliveries from rules to message, on the real store and a clock that is moved by hand."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.delivery.timekeeper import Timekeeper
from bridge.errors import StoreUnavailableError
from bridge.model import Delivery, DeliveryState
from bridge.routing.fanout import REASONS
from bridge.routing.ripening import GONE, UNDONE
from bridge.routing.router import in_order
from bridge.store.base import DeliveryQuery, Store
from bridge.store.sqlite import open_store
from tests.support.clock import ManualClock
from tests.support.deals import Deal
from tests.support.shop import Shop, load_rules

HEAD = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  sales: {type: log}
  other: {type: log}
windows:
  business_hours: {days: mon-fri, from: "09:00", to: "18:00", holidays: BR}
routes:
"""


class Timed(Shop):
    """A shop with a timekeeper."""

    async def wait(self, **parts: float) -> None:
        """Let time pass, and what is due be made."""
        self.clock.advance(**parts)
        await self.keeper().step()

    def keeper(self) -> Timekeeper:
        return Timekeeper(self.store, lambda: self.rules, self.rung.extend, self.clock)

    async def seen(self) -> list[Delivery]:
        return list(await self.store.deliveries(DeliveryQuery(limit=100, oldest_first=True)))

    async def told(self) -> list[str]:
        """Return the texts of what is to be sent, in order."""
        found = await self.store.deliveries(DeliveryQuery((DeliveryState.PENDING,), limit=100, oldest_first=True))
        return [str((each.content or {})["text"]) for each in found]

    async def states(self) -> list[str]:
        return [str(each.state) for each in await self.seen()]

    def use(self, routes: str) -> None:
        self.rules = load_rules(self.folder, self.clock, HEAD + routes)


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 24, 15, 0, tzinfo=UTC))


@pytest.fixture
async def shop(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Timed]:
    store = await open_store(tmp_path / "data", clock)
    host: Any = SimpleNamespace()
    rules = load_rules(tmp_path, clock, HEAD + "  - {name: r, on: deal.lost, deliver: [{to: sales, text: x}]}\n")
    timed = Timed(tmp_path, store, rules, clock, host, [])
    yield timed
    await timed.store.close()


MOVES = """\
  - name: moves
    on: crm_deal_updated
    match: {deal_stage.order: increased}
    debounce: 60s
    deliver: [{to: sales, text: "{{ previous.deal_stage.name }} → {{ deal.deal_stage.name }}, {{ deal.name }}"}]
"""


class TestDebounce:
    async def test_several_changes_are_told_as_one(self, shop: Timed) -> None:
        shop.use(MOVES)
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2), deal.moved("C", 3))
        assert await shop.told() == []
        await shop.wait(seconds=58)
        assert await shop.told() == [], "the last of them is not a minute ago"
        await shop.wait(seconds=2)
        assert await shop.told() == ["A → C, Loja Ação"]
        assert await shop.states() == ["cancelled", "pending"]
        assert shop.rung == ["sales"]

    async def test_what_joins_says_so(self, shop: Timed) -> None:
        shop.use(MOVES)
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2), deal.moved("C", 3))
        joined, bearer = await shop.seen()
        assert joined.reason == f"told with {bearer.id}"
        assert (bearer.state, bearer.reason) == (DeliveryState.DEFERRED, REASONS["debounce"])

    async def test_what_was_taken_back_is_not_told(self, shop: Timed) -> None:
        shop.use(MOVES.replace("{deal_stage.order: increased}", "{deal_stage.order: changed}"))
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2), deal.moved("A", 1))
        await shop.wait(minutes=2)
        assert await shop.told() == []
        assert (await shop.seen())[-1].reason == UNDONE

    async def test_what_happened_beside_it_is_told_as_it_is(self, shop: Timed) -> None:
        shop.use(MOVES)
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2), deal.updated(name="Nova"))
        await shop.wait(minutes=2)
        assert await shop.told() == ["A → B, Nova"]

    async def test_what_never_gets_calm_is_told_all_the_same(self, shop: Timed) -> None:
        shop.use(MOVES)
        deal = Deal()
        await shop.receive(deal.moved("A", 1))
        for order in range(2, 17):
            await shop.receive(deal.moved(f"S{order}", order))
            await shop.wait(seconds=45)
        assert (await shop.told())[0].startswith("A → S1")

    async def test_other_deals_are_held_for_themselves(self, shop: Timed) -> None:
        shop.use(MOVES)
        one, other = Deal("d1", "Um"), Deal("d2", "Dois")
        await shop.receive(one.moved("A", 1), other.moved("A", 1), one.moved("B", 2), other.moved("C", 3))
        await shop.wait(minutes=2)
        assert sorted(await shop.told()) == ["A → B, Um", "A → C, Dois"]

    async def test_a_condition_is_asked_of_the_whole_change(self, shop: Timed) -> None:
        shop.use(MOVES.replace("    debounce", "    when: deal.name != 'Calada'\n    debounce"))
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2), deal.updated(name="Calada"))
        await shop.wait(minutes=2)
        assert (await shop.seen())[-1].reason == UNDONE

    async def test_at_first_sight_there_is_nothing_before(self, shop: Timed) -> None:
        shop.use(MOVES.replace("{deal_stage.order: increased}", "{amount_total: {gte: 1}}"))
        await shop.receive(Deal().moved("A", 1))
        await shop.wait(minutes=2)
        assert await shop.told() == [" → A, Loja Ação"]


STUCK = """\
  - name: stuck
    on: deal.stage_changed
    deliver:
      - to: sales
        text: "{{ deal.name }} is still in {{ deal.deal_stage.name }}"
        delay: 3d
        unless: [deal.stage_changed, deal.lost]
"""


class TestDelay:
    async def test_it_is_told_after_a_while_as_things_stand_by_then(self, shop: Timed) -> None:
        shop.use(STUCK)
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2), deal.updated(name="Outra"))
        await shop.wait(days=2)
        assert await shop.told() == []
        await shop.wait(days=1)
        assert await shop.told() == ["Outra is still in B"]

    async def test_what_calls_it_off_is_named(self, shop: Timed) -> None:
        shop.use(STUCK)
        deal = Deal()
        *_, lost = await shop.receive(deal.moved("A", 1), deal.moved("B", 2), deal.lost())
        await shop.wait(days=4)
        [delivery] = await shop.seen()
        assert (delivery.state, delivery.reason) == (DeliveryState.CANCELLED, f"called off by {lost.id}")

    async def test_the_same_again_begins_anew(self, shop: Timed) -> None:
        shop.use(STUCK)
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2))
        await shop.wait(days=2)
        await shop.receive(deal.moved("C", 3))
        await shop.wait(days=2)
        assert await shop.told() == []
        await shop.wait(days=1)
        assert await shop.told() == ["Loja Ação is still in C"]

    async def test_another_deal_calls_nothing_off(self, shop: Timed) -> None:
        shop.use(STUCK)
        deal = Deal("d1")
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2), Deal("d2").lost())
        await shop.wait(days=3)
        assert len(await shop.told()) == 1

    async def test_within_one_batch_the_order_of_events_counts(self, shop: Timed) -> None:
        shop.use(STUCK)
        deal = Deal()
        for body in (deal.moved("A", 1), deal.moved("B", 2), deal.lost()):
            await shop.store.add(shop.arrival(body))
        await shop.store.route(32, lambda *taken: list(in_order(shop.rules.router.decide, *taken)))
        assert await shop.states() == ["cancelled"]


LOSSES = """\
  - name: losses
    on: deal.lost
    digest: {at: "18:00", by: "{{ deal.user.name }}", within: business_hours}
    deliver:
      - {to: sales, text: "{{ group }}: {% for item in items %}{{ item.deal.name }};{% endfor %}{{ items | length }}"}
"""


def deal_of(user: str, number: int) -> Deal:
    return Deal(f"d{number}", f"N{number}", user={"id": user, "name": user, "email": f"{user}@acme.com"})


class TestDigest:
    async def test_each_group_has_one_message(self, shop: Timed) -> None:
        shop.use(LOSSES)
        await shop.receive(deal_of("ana", 1).lost(), deal_of("bia", 2).lost(), deal_of("ana", 3).lost())
        await shop.wait(hours=5)
        assert await shop.told() == []
        await shop.wait(hours=1)
        assert sorted(await shop.told()) == ["ana: N1;N3;2", "bia: N2;1"]
        assert sorted(await shop.states()) == ["cancelled", "pending", "pending"]
        assert {each.key for each in await shop.seen() if each.content} == {"losses:ana", "losses:bia"}

    async def test_not_more_is_made_at_a_time_than_one_message_may_tell(
        self, shop: Timed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bridge.store.sqlite.deferrals.ITEMS", 2)
        shop.use(LOSSES)
        await shop.receive(*(deal_of(user, number).lost() for number, user in enumerate(("ana", "ana", "bia", "caio"))))
        await shop.wait(hours=6)
        assert await shop.told() == ["ana: N0;N1;2"]
        await shop.wait()
        assert await shop.told() == ["ana: N0;N1;2", "bia: N2;1", "caio: N3;1"]

    async def test_outside_its_window_it_waits_for_the_next_turn(self, shop: Timed) -> None:
        shop.use(LOSSES)
        shop.clock.advance(hours=7)  # 19:00 in São Paulo
        await shop.receive(deal_of("ana", 1).lost())
        [delivery] = await shop.seen()
        assert delivery.due_at == datetime(2026, 11, 25, 21, 0, tzinfo=UTC)

    async def test_a_group_that_cannot_be_named_is_a_dead_letter(self, shop: Timed) -> None:
        shop.use(LOSSES.replace("{{ deal.user.name }}", "{{ deal.amount_total / 0 }}"))
        await shop.receive(deal_of("ana", 1).lost())
        [delivery] = await shop.seen()
        assert delivery.state is DeliveryState.DEAD
        assert (delivery.reason or "").startswith("`by` failed: ")

    async def test_one_that_cannot_be_rendered_is_dead_for_all_of_its_events(self, shop: Timed) -> None:
        shop.use(LOSSES.replace("{{ items | length }}", "{{ (items | length) / 0 }}"))
        await shop.receive(deal_of("ana", 1).lost(), deal_of("ana", 3).lost())
        await shop.wait(hours=6)
        assert await shop.states() == ["dead", "dead"]

    async def test_a_replay_of_what_was_told_tells_nothing_again(self, shop: Timed) -> None:
        shop.use(LOSSES)
        first, _ = await shop.receive(deal_of("ana", 1).lost(), deal_of("ana", 3).lost())
        await shop.wait(hours=6)
        assert await shop.store.replay(shop.rules.router.replay(first, None), again=False) == []


class TestWindow:
    NIGHT = '  - {name: r, on: deal.lost, deliver: [{to: sales, text: "{{ deal.name }}", within: business_hours}]}\n'

    async def test_while_it_is_open_nothing_is_held(self, shop: Timed) -> None:
        shop.use(self.NIGHT)
        await shop.receive(Deal().lost())
        assert await shop.told() == ["Loja Ação"]

    async def test_else_the_message_waits_for_its_opening(self, shop: Timed) -> None:
        shop.use(self.NIGHT)
        shop.clock.advance(hours=8)
        await shop.receive(Deal().lost())
        [delivery] = await shop.seen()
        assert (delivery.state, delivery.content) == (DeliveryState.DEFERRED, {"text": "Loja Ação"})
        assert delivery.due_at == datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
        await shop.wait(hours=13)
        assert await shop.told() == ["Loja Ação"]

    async def test_what_was_delayed_waits_for_it_as_well(self, shop: Timed) -> None:
        shop.use(self.NIGHT.replace("within", "delay: 8h, within"))
        await shop.receive(Deal().lost())
        await shop.wait(hours=8)
        [delivery] = await shop.seen()
        assert (delivery.state, delivery.reason) == (DeliveryState.DEFERRED, REASONS["window"])
        await shop.wait(hours=14)
        assert await shop.told() == ["Loja Ação"]

    async def test_a_person_does_not_wait_for_it(self, shop: Timed) -> None:
        shop.use(self.NIGHT.replace("within", "delay: 8h, within"))
        await shop.receive(Deal().lost())
        [delivery] = await shop.seen()
        shop.clock.advance(hours=7)
        assert await shop.store.retry([delivery.id]) == [delivery.id]
        await shop.wait()
        assert await shop.told() == ["Loja Ação"]


class TestQuiet:
    RULE = '  - {name: r, on: crm_deal_updated, deliver: [{to: sales, text: "{{ deal.name }}", WORD}]}\n'

    async def test_once_is_once_for_each_key(self, shop: Timed) -> None:
        shop.use(self.RULE.replace("WORD", "once: true"))
        deal = Deal("d1", "Um")
        await shop.receive(deal.updated(rating=1), deal.updated(rating=2), Deal("d2", "Dois").updated())
        await shop.wait(days=300)
        await shop.receive(deal.updated(rating=3))
        assert await shop.told() == ["Um", "Dois"]
        first, second, *_ = await shop.seen()
        assert (second.state, second.reason) == (DeliveryState.CANCELLED, f"told already by {first.id}")

    async def test_after_its_time_it_is_told_again(self, shop: Timed) -> None:
        shop.use(self.RULE.replace("WORD", "repeat_after: 7d"))
        deal = Deal("d1", "Um")
        await shop.receive(deal.updated(rating=1))
        await shop.wait(days=6)
        await shop.receive(deal.updated(rating=2))
        await shop.wait(days=1)
        await shop.receive(deal.updated(rating=3))
        assert await shop.states() == ["pending", "cancelled", "pending"]

    async def test_what_came_to_nothing_was_not_told(self, shop: Timed) -> None:
        shop.use(self.RULE.replace("WORD", "once: true"))
        deal = Deal("d1", "Um")
        await shop.receive(deal.updated(rating=1))
        await shop.store.discard([(await shop.seen())[0].id], "not this")
        await shop.receive(deal.updated(rating=2))
        assert await shop.states() == ["cancelled", "pending"]


class TestPeople:
    async def test_a_deferred_delivery_can_be_discarded(self, shop: Timed) -> None:
        shop.use(STUCK)
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2))
        [delivery] = await shop.seen()
        assert await shop.store.discard([delivery.id], "not this") == [delivery.id]
        await shop.wait(days=4)
        assert await shop.states() == ["cancelled"]

    async def test_what_waits_for_a_rule_that_is_gone_is_cancelled(self, shop: Timed) -> None:
        shop.use(STUCK)
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2))
        shop.use(MOVES)
        await shop.wait(days=4)
        assert [(each.state, each.reason) for each in await shop.seen()] == [(DeliveryState.CANCELLED, GONE)]

    async def test_an_entry_that_has_moved_within_its_route_is_found(self, shop: Timed) -> None:
        shop.use(STUCK)
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2))
        shop.use(STUCK.replace("    deliver:\n", "    deliver:\n      - {to: other, text: x}\n"))
        await shop.wait(days=3)
        assert await shop.told() == ["Loja Ação is still in B"]

    async def test_it_outlives_a_restart(self, shop: Timed) -> None:
        shop.use(STUCK)
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2))
        await shop.store.close()
        shop.store = await open_store(shop.folder / "data", shop.clock)
        await shop.wait(days=3)
        assert await shop.told() == ["Loja Ação is still in B"]

    async def test_it_is_counted_apart_from_what_waits(self, shop: Timed) -> None:
        shop.use(STUCK)
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2))
        backlog = await shop.store.backlog()
        assert (backlog.deliveries_waiting, backlog.deliveries_deferred) == (0, 1)


class TestExplaining:
    async def test_what_is_told_later_is_shown_as_if_nothing_else_happened(self, shop: Timed) -> None:
        shop.use(LOSSES + STUCK)
        explained = shop.rules.router.explain(shop.arrival(deal_of("ana", 1).lost()), None)
        [preview] = explained.routes[0].deliveries
        assert (preview.content, preview.key) == ({"text": "ana: N1;1"}, "losses:ana")
        assert preview.until is not None
        assert preview.until.due == datetime(2026, 11, 24, 21, 0, tzinfo=UTC)

    async def test_so_is_what_is_delayed(self, shop: Timed) -> None:
        shop.use(STUCK)
        deal = Deal()
        await shop.receive(deal.moved("A", 1))
        event = shop.arrival(deal.moved("B", 2))
        assert event.entity is not None
        last = await shop.store.last_state("crm", event.entity)
        [preview] = shop.rules.router.explain(event, last).routes[0].deliveries
        assert preview.content == {"text": "Loja Ação is still in B"}


async def test_what_waits_for_a_source_that_is_gone_is_a_dead_letter(shop: Timed) -> None:
    shop.use(STUCK)
    deal = Deal()
    await shop.receive(deal.moved("A", 1), deal.moved("B", 2))
    shop.rules = load_rules(shop.folder, shop.clock, (HEAD + STUCK).replace("  crm: {", "  other: {"))
    await shop.wait(days=3)
    assert [(each.state, each.reason) for each in await shop.seen()] == [
        (DeliveryState.DEAD, 'there is no source "crm" any more')
    ]


class Defective:
    """A router that has a defect."""

    def ripen(self, ripe: Any) -> Delivery:
        raise ZeroDivisionError


async def test_a_defect_makes_a_dead_letter(shop: Timed) -> None:
    shop.use(STUCK)
    deal = Deal()
    await shop.receive(deal.moved("A", 1), deal.moved("B", 2))
    rules: Any = SimpleNamespace(router=Defective())
    shop.rules = rules
    await shop.wait(days=3)
    assert [(each.state, each.reason) for each in await shop.seen()] == [
        (DeliveryState.DEAD, "ripening failed: ZeroDivisionError")
    ]


async def test_a_store_that_cannot_write_is_told_of(shop: Timed, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise StoreUnavailableError("disk full")

    monkeypatch.setattr(shop.store, "ripen", full)
    with pytest.raises(StoreUnavailableError):
        await shop.keeper().step()


async def test_what_is_due_is_retained(store: Store) -> None:
    assert await store.next_ripe() is None
