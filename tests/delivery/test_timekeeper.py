"""Deferred deliveries from rules to message, on the real store and a clock that is moved by hand."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.delivery.timekeeper import Timekeeper
from bridge.errors import StoreUnavailableError
from bridge.model import Delivery, DeliveryState
from bridge.routing.fanout import REASONS
from bridge.routing.ripening import GONE, NOTHING, UNDONE
from bridge.routing.router import in_order
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery, Retention
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

    async def test_a_condition_that_fails_by_then_is_a_dead_letter_that_says_so(self, shop: Timed) -> None:
        shop.use(MOVES)
        deal = Deal()
        await shop.receive(deal.moved("A", 1), deal.moved("B", 2))
        shop.use(MOVES.replace("    debounce", "    when: 1 / (deal.deal_stage.order - 2) > 0\n    debounce"))
        await shop.wait(seconds=60)
        [told] = await shop.seen()
        assert told.state is DeliveryState.DEAD
        assert "division by zero" in str(told.reason)

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


COMPARED = """\
  - name: losses
    on: deal.lost
    digest: {at: "18:00", by: "{{ deal.user.name }}", within: business_hours}
    deliver:
      - to: sales
        text: "{{ group }} {{ items | length }} {{ former | join(', ', 'deal.name') if former is not none else '?' }}"
"""


class TestFormer:
    """What the digest before told of the same group is there to compare with."""

    @staticmethod
    async def day(shop: Timed, *deals: Deal) -> list[str]:
        """Lose deals at noon, let it be noon of the next day, and return what was told meanwhile."""
        before = await shop.told()
        await shop.receive(*(deal.lost() for deal in deals))
        await shop.wait(hours=24)
        return (await shop.told())[len(before) :]

    async def test_the_first_has_nothing_to_compare_with_and_the_next_has_the_first(self, shop: Timed) -> None:
        shop.use(COMPARED)
        assert await self.day(shop, deal_of("ana", 1), deal_of("ana", 2)) == ["ana 2 ?"]
        assert await self.day(shop, deal_of("ana", 3)) == ["ana 1 N1, N2"]
        assert await self.day(shop, deal_of("ana", 4)) == ["ana 1 N3"]

    async def test_a_turn_that_went_by_without_had_none(self, shop: Timed) -> None:
        shop.use(COMPARED)
        await self.day(shop, deal_of("ana", 1))
        assert await self.day(shop) == []
        assert await self.day(shop, deal_of("ana", 2)) == ["ana 1 "]

    async def test_turns_outside_of_the_window_do_not_count(self, shop: Timed) -> None:
        shop.use(COMPARED)
        for _ in range(3):
            await self.day(shop)
        assert await self.day(shop, deal_of("ana", 1)) == ["ana 1 ?"], "Friday"
        await self.day(shop)
        await self.day(shop)
        assert await self.day(shop, deal_of("ana", 2)) == ["ana 1 N1"], "Monday"

    async def test_a_group_that_is_new_had_none(self, shop: Timed) -> None:
        shop.use(COMPARED)
        await self.day(shop, deal_of("ana", 1))
        assert await self.day(shop, deal_of("bia", 2)) == ["bia 1 "]

    async def test_what_a_person_did_not_wait_for_counts_for_its_turn(self, shop: Timed) -> None:
        shop.use(COMPARED)
        await self.day(shop, deal_of("ana", 1))
        await shop.receive(deal_of("ana", 2).lost())
        assert len(await shop.store.retry([(await shop.seen())[-1].id])) == 1
        await shop.wait()
        assert (await shop.told())[-1] == "ana 1 N1"
        assert await self.day(shop, deal_of("ana", 3)) == ["ana 1 N1"], "not with what was told of the same turn"
        assert await self.day(shop, deal_of("ana", 4)) == ["ana 1 N2, N3"]

    async def test_it_outlives_a_restart(self, shop: Timed) -> None:
        shop.use(COMPARED)
        await self.day(shop, deal_of("ana", 1))
        await shop.store.close()
        shop.store = await open_store(shop.folder / "data", shop.clock)
        assert await self.day(shop, deal_of("ana", 2)) == ["ana 1 N1"]

    async def test_what_could_not_be_told_was_not(self, shop: Timed) -> None:
        shop.use(COMPARED.replace("{{ group }}", "{{ 1 / (items | length - 1) }}"))
        assert await self.day(shop, deal_of("ana", 1)) == []
        shop.use(COMPARED)
        assert await self.day(shop, deal_of("ana", 2)) == ["ana 1 ?"]

    async def test_of_a_turn_with_several_messages_the_first_is_kept(
        self, shop: Timed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bridge.store.sqlite.deferrals.ITEMS", 2)
        monkeypatch.setattr("bridge.store.sqlite.digests.ITEMS", 2)
        shop.use(COMPARED)
        await shop.receive(*(deal_of("ana", number).lost() for number in (1, 2, 3)))
        await shop.wait(hours=20)
        await shop.wait(hours=4)
        assert await shop.told() == ["ana 2 ?", "ana 1 ?"]
        assert (await self.day(shop, deal_of("ana", 4))) == ["ana 1 N1, N2"]

    async def test_without_its_source_there_is_nothing_to_compare_with(self, shop: Timed) -> None:
        shop.use(COMPARED)
        await self.day(shop, deal_of("ana", 1))
        arrival = replace(shop.arrival(deal_of("ana", 2).lost()), source="other")
        shop.rules = load_rules(shop.folder, shop.clock, (HEAD + COMPARED).replace("  crm: {", "  other: {"))
        await shop.store.add(arrival)
        await shop.store.route(32, lambda *taken: list(in_order(shop.rules.router.decide, *taken)))
        await shop.wait(hours=24)
        assert (await shop.told())[-1] == "ana 1 ?"

    async def test_retention_keeps_what_the_next_is_compared_with_and_no_more(self, shop: Timed) -> None:
        shop.use(COMPARED.replace('at: "18:00"', 'cron: "0 18 1 * *"').replace(", within: business_hours", ""))
        deal = deal_of("ana", 1)
        [lost] = await shop.receive(deal.lost())
        await shop.wait(days=8)
        assert await shop.told() == ["ana 1 ?"]
        await shop.store.discard([each.id for each in await shop.seen()], "enough")
        await shop.receive(deal.updated(), deal.updated())
        await shop.wait(days=20)
        await self.prune(shop)
        kept = await shop.store.event(lost.id)
        assert kept is not None
        assert kept.body, "it is of the last turn"
        await shop.receive(deal_of("ana", 3).lost())
        await shop.wait(days=11)
        assert await shop.told() == ["ana 1 N1"]
        await shop.receive(deal_of("ana", 4).lost())
        await shop.wait(days=31)
        assert await shop.told() == ["ana 1 N1", "ana 1 N3"]
        await self.prune(shop)
        assert await shop.store.event(lost.id) is None

    async def test_after_more_than_a_year_nothing_is_left_to_compare_with(self, shop: Timed) -> None:
        shop.use(COMPARED)
        await self.day(shop, deal_of("ana", 1))
        await shop.wait(days=401)
        await self.prune(shop)
        assert (await self.day(shop, deal_of("ana", 2)))[-1] == "ana 1 ?"

    @staticmethod
    async def prune(shop: Timed) -> None:
        """Let go of all that is older than five days and need not stay."""
        old = shop.clock.now() - timedelta(days=5)
        gone = await shop.store.prune(Retention(events=old, bodies=old))
        while gone.next is not None:
            gone = await shop.store.prune(Retention(events=old, bodies=old), gone.next)


STEADY = """\
  - name: losses
    on: deal.lost
    digest: {at: "18:00", within: business_hours, empty: true}
    deliver:
      - to: sales
        text: "{{ items | length }}/{{ former | length if former is not none else '?' }}"
        unless: [deal.won]
"""


class TestEmpty:
    """A digest that is told where nothing happened as well."""

    day = staticmethod(TestFormer.day)

    async def test_from_the_first_one_on_each_turn_is_told(self, shop: Timed) -> None:
        shop.use(STEADY)
        assert await self.day(shop) == [], "before the first there is nothing to go on from"
        assert await self.day(shop, deal_of("ana", 1), deal_of("bia", 2)) == ["2/?"]
        assert await self.day(shop) == ["0/2"]
        assert await self.day(shop) == ["0/0"], "Friday"
        assert await self.day(shop) == []
        assert await self.day(shop, deal_of("ana", 3)) == []
        assert await self.day(shop) == ["1/0"], "Monday"
        assert await self.day(shop) == ["0/1"]

    async def test_it_outlives_a_restart_and_is_told_once_for_all_turns_that_went_by(self, shop: Timed) -> None:
        shop.use(STEADY)
        await self.day(shop, deal_of("ana", 1))
        await shop.store.close()
        shop.store = await open_store(shop.folder / "data", shop.clock)
        await shop.wait(days=8)
        assert await shop.told() == ["1/?", "0/1"]
        assert await self.day(shop) == ["0/0"]

    async def test_several_messages_hold_one_place(self, shop: Timed, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bridge.store.sqlite.deferrals.ITEMS", 2)
        shop.use(STEADY)
        await shop.receive(*(deal_of("ana", number).lost() for number in (1, 2, 3)))
        await shop.wait(hours=20)
        await shop.wait(hours=4)
        assert await shop.told() == ["2/?", "1/?"]
        assert await self.day(shop) == ["0/3"]

    async def test_one_that_fails_is_followed_by_the_next_all_the_same(self, shop: Timed) -> None:
        shop.use(STEADY.replace("{{ items | length }}", "{{ 1 // (items | length) }}"))
        await self.day(shop, deal_of("ana", 1))
        assert await self.day(shop) == [], "it divides by zero"
        assert await self.day(shop, deal_of("ana", 2)) == ["1/0"]

    async def test_what_happens_to_the_deal_that_was_told_last_calls_nothing_off(self, shop: Timed) -> None:
        shop.use(STEADY)
        deal = deal_of("ana", 1)
        await self.day(shop, deal)
        await shop.receive(deal.updated(status="won"))
        assert await self.day(shop) == ["0/1"]

    async def test_without_the_word_or_the_rule_it_ends(self, shop: Timed) -> None:
        for rules, reason in ((STEADY.replace("true", "false"), NOTHING), (MOVES, GONE)):
            shop.use(STEADY)
            await self.day(shop, Deal())
            shop.use(rules)
            assert await self.day(shop) == []
            last = (await shop.seen())[-1]
            assert (last.state, last.reason) == (DeliveryState.CANCELLED, reason)
            await shop.receive(Deal().reopened())

    async def test_where_no_further_turn_comes_it_ends(self, shop: Timed) -> None:
        shop.use(STEADY)
        await shop.receive(Deal().lost())
        shop.use(STEADY.replace("holidays: BR", ""))
        [route] = shop.rules.routes
        object.__setattr__(route.deliver[0].timing, "turns", ())
        await shop.wait(days=1)
        assert await shop.told() == ["1/?"]
        assert await shop.store.next_ripe() is None


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

    async def test_another_entry_in_its_place_is_not_quiet_for_it(self, shop: Timed) -> None:
        shop.use(self.RULE.replace("WORD", "once: true"))
        deal = Deal("d1", "Um")
        await shop.receive(deal.updated(rating=1))
        shop.use(self.RULE.replace("sales", "other").replace("WORD", "once: true"))
        await shop.receive(deal.updated(rating=2), deal.updated(rating=3))
        assert await shop.states() == ["pending", "pending", "cancelled"]


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

    async def test_a_digest_is_shown_as_the_first(self, shop: Timed) -> None:
        shop.use(COMPARED)
        explained = shop.rules.router.explain(shop.arrival(deal_of("ana", 1).lost()), None)
        assert explained.routes[0].deliveries[0].content == {"text": "ana 1 ?"}

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

    reaches = False

    def ripen(self, ripe: Any, related: Any) -> Delivery:
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
