"""Repair and import against the simulated CRM, over both APIs, with the store and the router that a daemon has."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from bridge.component.remote import Urgency
from bridge.errors import RemoteUnavailableError
from bridge.model import Entity, Event, EventState, Origin, new_id
from bridge.rdstation.api.budget import SHARES
from bridge.remote.repairing import Repairs
from bridge.remote.searching import Progress, Purpose
from bridge.routing.router import in_order
from bridge.simulator import Simulator
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery, EventQuery
from bridge.store.sqlite import open_store
from tests.support.clock import ManualClock
from tests.support.crm import simulated
from tests.support.remotes import Office, office, rules_text
from tests.support.shop import load_rules


class Bench:
    """A bridge without a daemon: what comes is stored, and routed when it is told to."""

    def __init__(self, there: Office, store: Store, folder: Path) -> None:
        self.there = there
        self.store = store
        self.rung = 0
        self.room: str | None = None
        self.repairs = Repairs(
            store,
            lambda: there.rules,
            there.remotes.get,
            there.crm.clock,
            folder / "gaps",
            ring=self._ring,
            no_room=lambda: self.room,
        )

    def _ring(self) -> None:
        self.rung += 1

    async def take(self) -> None:
        """Take the webhooks that were posted since the last time."""
        source = self.there.rules.sources["crm"]
        for got in self.there.hooks.got:
            if got.body:
                raw = orjson.dumps(got.body)
                read = source.read(raw)
                now = self.there.crm.clock.now()
                await self.store.add(Event(new_id("evt"), "crm", read.name, read.entity, read.dedup_key, raw, now))
        self.there.hooks.got.clear()
        await self.route()

    async def route(self) -> None:
        while await self.store.route(32, lambda *taken: list(in_order(self.there.rules.router.decide, *taken))):
            pass

    async def run(
        self, purpose: Purpose = Purpose.REPAIR, since: datetime | None = None, *, thorough: bool = False
    ) -> Progress:
        progress = self.repairs.start("crm", purpose, since, thorough=thorough)
        await self.repairs.wait("crm")
        await self.route()
        return progress

    async def messages(self) -> list[str]:
        found = await self.store.deliveries(DeliveryQuery(limit=10_000))
        return sorted(str(each.content) for each in found)

    async def found(self, origin: Origin) -> Sequence[Event]:
        events = await self.store.events(EventQuery(limit=10_000, oldest_first=True))
        return [event for event in events if event.origin is origin]

    async def same(self) -> None:
        """See that the last state of each deal is the CRM's, and that no other is known."""
        assert sorted(await self.store.living("crm", "deal")) == sorted(self.there.crm.team.deals)
        for deal in self.there.crm.team.deals.values():
            state = await self.store.last_state("crm", Entity("deal", deal.id))
            assert state
            assert (state.document["status"], state.document["name"]) == (deal.status, deal.name)
            assert state.document["amount_total"] == float(deal.amount_total)


@pytest.fixture
async def crm() -> AsyncIterator[Simulator]:
    async with simulated(client_secret="s3cret", events_per_hour=1500, retries=0, suspend_after=10**6) as running:
        yield running


@pytest.fixture(params=["v1", "v2"])
async def bench(
    request: pytest.FixtureRequest, crm: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    monkeypatch.setitem(SHARES, Urgency.REPAIR, 1000.0)  # the pace has tests of its own, and would take minutes here
    store = await open_store(tmp_path / "data", crm.clock)
    async with office(crm, tmp_path, request.param) as there:
        made = Bench(there, store, tmp_path)
        yield made
        await made.repairs.close()
    await store.close()


async def hear(bench: Bench, minutes: float) -> None:
    await bench.there.crm.advance(timedelta(minutes=minutes))
    await bench.take()


async def test_nothing_was_ever_received_so_there_is_no_gap(bench: Bench) -> None:
    progress = await bench.run()
    assert (progress.since, progress.looked, progress.added, progress.error) == (None, {}, 0, None)


async def test_a_baseline_is_known_and_told_to_nobody(bench: Bench) -> None:
    progress = await bench.run(Purpose.IMPORT)
    assert progress.error is None
    assert progress.looked == {"deal": len(bench.there.crm.team.deals)}
    assert progress.added == len(bench.there.crm.team.deals)
    await bench.same()
    assert await bench.messages() == []
    imported = await bench.found(Origin.IMPORTED)
    assert {(each.state, each.reason) for each in imported} == {
        (EventState.UNMATCHED, "imported, and so no news: the first state that is known of it")
    }
    again = await bench.run(Purpose.IMPORT)
    assert (again.added, again.error) == (0, None)
    bench.there.crm.register_all(bench.there.address)
    await hear(bench, 5)
    closed = bench.there.crm.truth().closings
    assert closed
    assert len(await bench.messages()) == len(closed), "the first change of each is seen as one"


async def test_what_was_missed_is_told_once_and_late_webhooks_add_nothing(bench: Bench) -> None:
    crm = bench.there.crm
    crm.register_all(bench.there.address)
    await hear(bench, 10)
    heard = len(crm.truth().closings)
    await crm.advance(timedelta(minutes=8))
    kept, bench.there.hooks.got = list(bench.there.hooks.got), []
    progress = await bench.run()
    assert progress.error is None
    assert bench.rung == 2, "for the deals, and for what was deleted"
    told = await bench.messages()
    assert len(crm.truth().closings) > heard
    assert len(told) >= heard
    repaired = await bench.found(Origin.REPAIRED)
    assert len(repaired) == progress.added > 0
    assert {orjson.loads(each.body)["origin"] for each in repaired} == {"repaired"}
    edits = [each for each in repaired if each.name != "crm_deal_deleted"]
    assert list(repaired[: len(edits)]) == edits, "what was deleted comes last"
    times = [orjson.loads(each.body)["document"]["updated_at"] for each in edits]
    assert times == sorted(times), "in the order of the edits"
    again = await bench.run(since=crm.clock.now() - timedelta(hours=1))
    assert (again.added, again.error) == (0, None)
    bench.there.hooks.got = kept
    await bench.take()
    assert await bench.messages() == told
    await hear(bench, 5)
    assert len(await bench.messages()) > len(told)


async def test_what_was_deleted_is_told_once_and_a_late_webhook_adds_nothing(bench: Bench) -> None:
    crm = bench.there.crm
    crm.register_all(bench.there.address)
    deals = [deal for deal in crm.team.deals.values() if deal.open][:3]
    for deal in deals:
        crm.team.edit(deal, "seen", rating=5 - deal.rating)
    await hear(bench, 0.5)
    for deal in deals:
        crm.team.edit(deal, "edited before", rating=5 - deal.rating)
        crm.team.delete(deal)
    await crm.advance(timedelta(seconds=5))
    late, bench.there.hooks.got = list(bench.there.hooks.got), []
    first = bench.repairs.start("crm", Purpose.REPAIR)
    await bench.repairs.wait("crm")
    second = await bench.run(since=crm.clock.now() - timedelta(minutes=12))
    assert (first.unsure, first.error, second.error) == ({}, None, None)
    assert second.deleted == 0, "found twice before it is routed, it is one event"
    told = [event for event in await bench.found(Origin.REPAIRED) if event.name == "crm_deal_deleted"]
    assert len(told) == first.deleted >= len(deals)
    bench.there.hooks.got = late
    await bench.take()
    for deal in deals:
        state = await bench.store.last_state("crm", Entity("deal", deal.id))
        assert state
        assert (state.deleted, state.document["name"]) == (True, deal.name)
    query = EventQuery(name="crm_deal_deleted", states=(EventState.DUPLICATE,), limit=100)
    late_ones = await bench.store.events(query)
    assert {event.reason for event in late_ones} == {"its deletion was announced before"}
    assert len(late_ones) >= len(deals)


@pytest.mark.parametrize("bench", ["v1"], indirect=True)
async def test_what_a_token_does_not_see_is_not_told_as_deleted(bench: Bench, tmp_path: Path) -> None:
    """Whoever sees less than is known may be a person who sees their own deals alone."""
    crm = bench.there.crm
    for _ in range(30):
        crm._life._begin()
    await bench.run(Purpose.IMPORT)
    text = rules_text(crm, "v1").replace("token: simulated", "token: simulated-seller")
    bench.there.reload(load_rules(tmp_path, ManualClock(), text))
    progress = await bench.run()
    assert progress.error is None
    assert progress.deleted == 0
    assert progress.unsure["deal"] > 20


async def test_what_nobody_listens_to_is_not_looked_for(bench: Bench, tmp_path: Path) -> None:
    crm = bench.there.crm
    await bench.run(Purpose.IMPORT)
    crm.team.delete(next(iter(crm.team.deals.values())))
    text = rules_text(crm, bench.there.version).replace("[deal.won, deal.lost]", "deal.created")
    bench.there.reload(load_rules(tmp_path, ManualClock(), text))
    assert (await bench.run()).deleted == 0


async def test_found_twice_before_it_is_routed_it_is_one_event(bench: Bench) -> None:
    crm = bench.there.crm
    crm.register_all(bench.there.address)
    await hear(bench, 3)
    await crm.advance(timedelta(minutes=3))
    first = bench.repairs.start("crm", Purpose.REPAIR)
    assert bench.repairs.start("crm", Purpose.REPAIR) is first, "one at a time"
    await bench.repairs.wait("crm")
    second = bench.repairs.start("crm", Purpose.REPAIR, crm.clock.now() - timedelta(minutes=16))
    await bench.repairs.wait("crm")
    assert first.added > 0
    assert second.added == 0


async def test_a_gap_stays_open_until_it_is_closed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = bench.there.crm
    crm.register_all(bench.there.address)
    await hear(bench, 3)
    await bench.repairs.note_gap("crm")
    await crm.advance(timedelta(minutes=3))
    bench.there.hooks.got.clear()
    await hear(bench, 3)
    bench.room = "the disk is full"
    failed = await bench.run()
    assert failed.error == "there is no room for more events: the disk is full"
    bench.room = None
    failed_with = []

    async def refuse(*_: Any, **__: Any) -> None:
        failed_with.append(1)
        raise RemoteUnavailableError("the CRM cannot answer now")

    with monkeypatch.context() as patched:
        patched.setattr("bridge.rdstation.api.caller.Caller.ask", refuse)
        assert (await bench.run()).error == "the CRM cannot answer now"
    assert failed_with
    assert (await bench.run()).added > 0, "what came since hides no gap"
    assert not list(bench.repairs._folder.glob("*.gap"))
    assert (await bench.run()).added == 0


async def test_an_interrupted_repair_goes_on_at_the_next(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = bench.there.crm
    await bench.run(Purpose.IMPORT)
    crm.register_all(bench.there.address)
    await hear(bench, 3)
    await crm.advance(timedelta(minutes=5))
    bench.there.hooks.got.clear()
    before, add, added = len(await bench.messages()), bench.store.add, list[str]()

    async def once(event: Event) -> str | None:
        if added:
            await asyncio.Event().wait()
        added.append(event.id)
        return await add(event)

    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "add", once)
        bench.repairs.start("crm", Purpose.REPAIR)
        while not added:
            await asyncio.sleep(0.01)
        await bench.repairs.close()
    await bench.route()
    assert not bench.repairs.is_running("crm")
    progress = await bench.run()
    assert progress.added > 0
    await bench.same()
    assert len(await bench.messages()) >= before


async def test_a_repair_that_is_asked_for_leaves_the_gap_of_the_start_open(bench: Bench) -> None:
    crm = bench.there.crm
    crm.register_all(bench.there.address)
    await hear(bench, 2)
    await bench.repairs.note_gap("crm")
    await bench.run(since=crm.clock.now())
    assert list(bench.repairs._folder.glob("*.gap"))


async def test_a_defect_ends_the_repair_alone(bench: Bench) -> None:
    bench.there.remotes.adopt({})
    progress = await bench.run(since=datetime(2026, 1, 1, tzinfo=UTC))
    assert progress.error == "no source 'crm' has an `api` any more"
    object.__setattr__(bench.there.rules, "sources", {})
    progress = await bench.run()
    assert str(progress.error).startswith("a defect of bridge: KeyError")
