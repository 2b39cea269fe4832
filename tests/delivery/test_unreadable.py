"""A deferred delivery that is damaged where it is stored is told of, and stops, loses and delays no other."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import apsw
import pytest
from structlog.testing import capture_logs

from bridge.delivery.worker import Worker
from bridge.model import DAMAGED, Event, Receipt
from bridge.routing.ripening import TORN, Ripener
from bridge.store.sqlite import open_store
from tests.delivery.test_timekeeper import HEAD, Timed
from tests.support.clock import ManualClock
from tests.support.deals import Deal
from tests.support.shop import load_rules
from tests.support.targets import NoHttp, ScriptedTarget

RULES = """\
  - name: losses
    on: deal.lost
    digest: {at: "18:00", empty: true}
    deliver:
      - {to: sales, text: "{{ items | map(attribute='deal.name') | join(', ') }}; before: {{ former is not none }}"}
  - name: moves
    on: crm_deal_updated
    match: {deal_stage.order: increased}
    debounce: 60s
    deliver: [{to: sales, text: "{{ previous.deal_stage.name }} → {{ deal.deal_stage.name }}"}]
  - name: shut
    on: deal.won
    deliver: [{to: other, text: "{{ deal.name }} won", within: business_hours}]
  - name: stuck
    on: deal.stage_changed
    deliver: [{to: other, text: "{{ deal.name }} is still there", delay: 3d}]
"""
BROKEN = ["{", "", "[]", b"\xff{}"]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Timed]:
    clock, host = ManualClock(datetime(2026, 11, 24, 15, 0, tzinfo=UTC)), SimpleNamespace()
    store = await open_store(tmp_path / "data", clock)
    timed = Timed(tmp_path, store, load_rules(tmp_path, clock, HEAD + RULES), clock, host, [])  # type: ignore[arg-type]
    yield timed
    await timed.store.close()


OVERWRITE = {
    "deferral": """
        UPDATE deferral SET before = CAST(? AS TEXT)
        WHERE delivery_id IN (SELECT id FROM delivery WHERE event_id = ?)
    """,
    "content": "UPDATE delivery SET content = CAST(? AS TEXT) WHERE content IS NOT NULL AND event_id = ?",
    "terms": "UPDATE delivery SET terms = CAST(? AS TEXT) WHERE event_id = ?",
    "digested": "UPDATE digested SET before = CAST(? AS TEXT) WHERE event_id = ?",
    "event": "UPDATE event SET body = CAST(? AS BLOB) WHERE id = ?",
}


def damage(shop: Timed, table: str, text: str | bytes, event: Event) -> None:
    """Overwrite what is stored, as a failing disk would."""
    connection = apsw.Connection(str(shop.folder / "data" / "bridge.db"))
    connection.execute(OVERWRITE[table], (text, event.id)).fetchall()
    connection.close()


async def became(shop: Timed, event: Event, route: str) -> tuple[str, str | None]:
    """Return what became of the first delivery of an event: a second one holds the place of a digest."""
    delivery, *_ = [each for each in await shop.seen() if (each.event_id, each.route) == (event.id, route)]
    return str(delivery.state), delivery.reason


def deal(name: str) -> Deal:
    return Deal(name, name)


async def lose(shop: Timed, *names: str) -> list[Event]:
    """Lose deals that were seen before."""
    deals = [deal(name) for name in names]
    await shop.receive(*(each.created() for each in deals))
    return await shop.receive(*(each.lost() for each in deals))


class TestDigest:
    @pytest.mark.parametrize("text", BROKEN)
    @pytest.mark.parametrize("which", [0, 1, 2])
    async def test_the_others_are_told_without_it(self, shop: Timed, which: int, text: str | bytes) -> None:
        lost = await lose(shop, "A", "B", "C")
        damage(shop, "deferral", text, lost[which])
        with capture_logs() as logs:
            await shop.wait(hours=6)
            await shop.wait()
        assert await became(shop, lost[which], "losses") == ("dead", TORN)
        assert [log["reason"] for log in logs if log["event"] == "delivery dead"] == [TORN]
        [told] = await shop.told()
        assert told == f"{', '.join(name for name in 'ABC' if name != 'ABC'[which])}; before: false"

    async def test_one_whose_event_cannot_be_read_either(self, shop: Timed) -> None:
        lost = await lose(shop, "A", "B")
        damage(shop, "event", b"{", lost[1])
        await shop.wait(hours=6)
        await shop.wait()
        assert await shop.told() == ["A; before: false"]
        state, reason = await became(shop, lost[1], "losses")
        assert state == "dead"
        assert reason

    async def test_where_nothing_is_left_the_next_is_told_all_the_same(self, shop: Timed) -> None:
        [only] = await lose(shop, "A")
        damage(shop, "deferral", "{", only)
        await shop.wait(hours=6)
        await shop.wait()
        assert await became(shop, only, "losses") == ("dead", TORN)
        await shop.wait(days=1)
        assert await shop.told() == ["; before: false"]

    async def test_after_a_defect_the_next_is_told_all_the_same(
        self, shop: Timed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        [only] = await lose(shop, "A")
        with monkeypatch.context() as defect:
            defect.setattr(Ripener, "_preview", lambda *_: 1 // 0)
            await shop.wait(hours=6)
        assert await became(shop, only, "losses") == ("dead", "ripening failed: ZeroDivisionError")
        await shop.wait(days=1)
        assert await shop.told() == ["; before: false"]

    async def test_what_was_told_before_is_not_compared_with(self, shop: Timed) -> None:
        [first] = await lose(shop, "A")
        await shop.wait(hours=6)
        damage(shop, "digested", "{", first)
        await lose(shop, "B")
        with capture_logs() as logs:
            await shop.wait(days=1)
        assert [log["event_id"] for log in logs if log["event"] == "former unreadable"] == [first.id]
        assert await shop.told() == ["A; before: false", "B; before: false"]

    async def test_it_is_explained_without_it(self, shop: Timed) -> None:
        first, second = await lose(shop, "A", "B")
        damage(shop, "deferral", "{", first)
        deliveries = {each.event_id: each for each in await shop.seen()}
        ripe = await shop.store.waiting(second, deliveries[second.id])
        told = shop.rules.router.foretell(ripe)
        assert told is not None
        assert told.content == {"text": "B; before: false"}
        assert ripe.others == (), "it is told by itself"

    async def test_one_that_cannot_be_read_itself_is_explained_as_that(self, shop: Timed) -> None:
        _, second = await lose(shop, "A", "B")
        damage(shop, "event", b"{", second)
        deliveries = {each.event_id: each for each in await shop.seen()}
        event = await shop.store.event(second.id)
        assert event is not None
        told = shop.rules.router.foretell(await shop.store.waiting(event, deliveries[second.id]))
        assert told is not None
        assert told.content is None
        assert str(told.error).startswith("the body is no JSON")


class TestAlone:
    async def test_what_waits_for_its_time_alone_says_so(self, shop: Timed) -> None:
        one, two = deal("A"), deal("B")
        await shop.receive(one.created(), two.created())
        moved, other = await shop.receive(one.moved("X", 2), two.moved("X", 2))
        damage(shop, "deferral", "{", moved)
        await shop.wait(days=3)
        assert await became(shop, moved, "stuck") == ("dead", TORN)
        assert await became(shop, moved, "moves") == ("dead", TORN)
        assert (await became(shop, other, "stuck"))[0] == "pending"

    async def test_what_would_have_joined_it_is_told_by_itself(self, shop: Timed) -> None:
        one = deal("A")
        await shop.receive(one.moved("A", 1))
        [first] = await shop.receive(one.moved("B", 2))
        damage(shop, "deferral", "{", first)
        await shop.receive(one.moved("C", 3), one.moved("D", 4))
        await shop.wait()
        assert await became(shop, first, "moves") == ("dead", TORN)
        await shop.wait(seconds=60)
        assert await shop.told() == ["B → D"]


class TestMessage:
    @pytest.mark.parametrize("text", BROKEN)
    async def test_what_is_due_and_damaged_is_dead_and_stops_no_other(self, shop: Timed, text: str | bytes) -> None:
        lost = await lose(shop, "A", "B")
        for deal_lost in lost:
            await shop.store.retry([(await shop.deliveries(deal_lost))[0].id])
        await shop.wait()
        [bearer] = [each for each in await shop.seen() if each.state == "pending"]
        await shop.receive(deal("C").moved("A", 1), deal("C").moved("B", 2))
        await shop.wait(days=3)
        [event] = [event for event in lost if event.id == bearer.event_id]
        damage(shop, "content", text, event)
        target = ScriptedTarget("sales", Receipt(), Receipt())
        worker = Worker(target, shop.store, NoHttp(), shop.clock)  # type: ignore[arg-type]
        await worker.step()
        await worker.drain(5)
        assert await became(shop, event, "losses") == ("dead", DAMAGED)
        assert [message.content for message in target.sent] == [{"text": "A → B"}]

    async def test_what_waits_for_its_window_is_dead_and_damaged_terms_are_the_usual_ones(self, shop: Timed) -> None:
        shop.clock.advance(hours=12)
        one, two = deal("A"), deal("B")
        await shop.receive(one.created(), two.created())
        won = [
            (await shop.receive(each.updated(status="won", closed_at=each.moment.isoformat())))[0]
            for each in (one, two)
        ]
        damage(shop, "content", "{", won[0])
        damage(shop, "terms", "{", won[1])
        await shop.wait(days=1)
        assert await became(shop, won[0], "shut") == ("dead", DAMAGED)
        assert (await became(shop, won[1], "shut"))[0] == "pending"
