"""The repairer: what was missed is looked for at the start, and again where that failed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.app.repairer import Repairer
from bridge.remote.repairing import Repairs
from bridge.store.base import Store
from bridge.store.sqlite import open_store
from tests.contracts.store_steps import an_event
from tests.support.clock import ManualClock
from tests.support.crm import simulated
from tests.support.remotes import Office, office


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "data", clock)
    yield opened
    await opened.close()


def repairer(there: Office, store: Store, clock: ManualClock, folder: Path) -> tuple[Repairer, Repairs]:
    repairs = Repairs(store, lambda: there.rules, there.remotes.get, clock, folder / "gaps")
    return Repairer(repairs, lambda: there.rules, clock), repairs


@pytest.mark.parametrize(("api", "repaired"), [("", True), (", repair: by_hand", False)])
async def test_a_source_is_repaired_at_the_start_unless_it_is_done_by_hand(
    store: Store, clock: ManualClock, tmp_path: Path, api: str, *, repaired: bool
) -> None:
    async with simulated() as crm, office(crm, tmp_path, "v1", api=api) as there:
        await store.add(an_event(clock))
        repairing, repairs = repairer(there, store, clock, tmp_path)
        await repairing.note()
        assert bool(list((tmp_path / "gaps").glob("*"))) is repaired
        await repairing.step()
        progress = repairs.progress("crm")
        assert bool(progress) is repaired
        assert not list((tmp_path / "gaps").glob("*"))
        if progress:
            clock.advance(days=1)
            await repairing.step()
            assert repairs.progress("crm") is progress, "once"


async def test_what_is_asked_for_during_a_repair_is_repaired_once_more(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    async with simulated() as crm, office(crm, tmp_path, "v1") as there:
        await store.add(an_event(clock))
        repairing, repairs = repairer(there, store, clock, tmp_path)
        repairing.ask("crm")
        step = asyncio.ensure_future(repairing.step())
        while not repairs.is_running("crm"):
            await asyncio.sleep(0)
        first = repairs.progress("crm")
        repairing.ask("crm")
        await step
        assert repairs.progress("crm") is first
        await repairing.step()
        second = repairs.progress("crm")
        assert second is not first
        await repairing.step()
        assert repairs.progress("crm") is second


async def test_the_first_repair_waits_until_webhooks_are_posted_again(
    store: Store, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated() as crm, office(crm, tmp_path, "v1") as there:
        await store.add(an_event(clock))
        for patience, posted in ((60.0, True), (0.01, False)):
            monkeypatch.setattr("bridge.app.repairer.PATIENCE", patience)
            repairing, repairs = repairer(there, store, clock, tmp_path)
            repairing.ask("crm")
            event = asyncio.Event()
            running = asyncio.ensure_future(repairing.run(event))
            if posted:
                await asyncio.sleep(0.01)
                assert repairs.progress("crm") is None
                event.set()
            async with asyncio.timeout(10):
                while not (progress := repairs.progress("crm")) or not progress.ended_at:
                    await asyncio.sleep(0.005)
            running.cancel()
            await asyncio.wait([running])


async def test_what_fails_is_tried_again_ever_later_with_the_gap_of_the_start(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    async with simulated() as crm, office(crm, tmp_path, "v1") as there:
        await store.add(an_event(clock))
        gap = clock.now()
        clock.advance(hours=1)
        repairing, repairs = repairer(there, store, clock, tmp_path)
        await repairing.note()
        await store.add(an_event(clock))
        there.remotes.adopt({})
        tries = 0
        for _ in range(60):
            before = repairs.progress("crm")
            await repairing.step()
            tries += repairs.progress("crm") is not before
            clock.advance(seconds=30)
        assert tries == 5, "at once, after 1, 2, 4 and 8 minutes"
        there.remotes.adopt(there.rules.sources)
        clock.advance(minutes=15)
        await repairing.step()
        progress = repairs.progress("crm")
        assert progress
        assert progress.since
        assert (progress.error, progress.since < gap) == (None, True)
