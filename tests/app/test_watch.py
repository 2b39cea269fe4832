"""The watch: webhooks that are suspended or deleted are told of once, and their return; `auto` brings it about."""

import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.app.repairer import Repairer
from bridge.app.watch import Watch
from bridge.delivery.announcer import EventAnnouncer
from bridge.errors import RemoteUnavailableError
from bridge.remote.repairing import Repairs
from bridge.simulator import Simulator
from bridge.sources._bridge import NAME
from bridge.store.base import Store
from bridge.store.nouns import Backlog, EventQuery
from bridge.store.sqlite import open_store
from tests.contracts.store_steps import an_event
from tests.support.clock import ManualClock
from tests.support.crm import simulated
from tests.support.remotes import Office, office

OTHER = "https://other.example.com/in"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def crm() -> AsyncIterator[Simulator]:
    async with simulated(client_secret="s3cret") as running:
        yield running


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "data", clock)
    yield opened
    await opened.close()


class Post:
    """A watch, and what it told."""

    def __init__(self, there: Office, store: Store, clock: ManualClock, folder: Path) -> None:
        self.store = store
        self.announcer = EventAnnouncer(clock, Backlog)
        self.repairs = Repairs(store, lambda: there.rules, there.remotes.get, clock, folder / "gaps")
        self.repairer = Repairer(self.repairs, lambda: there.rules, clock)
        self.watch = Watch(
            subscriptions=there.host.subscriptions(),
            remotes=there.remotes,
            rules=lambda: there.rules,
            store=store,
            announce=self.announcer,
            repairer=self.repairer,
            clock=clock,
        )

    async def look(self) -> list[str]:
        """Look once; return all that was told until now."""
        await self.watch.step()
        await self.announcer.step(self.store)
        told = await self.store.events(EventQuery(source=NAME, oldest_first=True))
        return [each.name.removeprefix("bridge.source_") for each in told]


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_suspension_is_told_once_and_so_is_its_end(
    crm: Simulator, store: Store, clock: ManualClock, tmp_path: Path, version: str
) -> None:
    async with office(crm, tmp_path, version) as there:
        await there.operations.sync()
        there.add("crm_deal_updated", OTHER)
        post = Post(there, store, clock, tmp_path)
        crm.registry.suspend(OTHER)
        assert await post.look() == []
        well_at = clock.now()
        clock.advance(minutes=5)
        crm.registry.suspend(there.address)
        for _ in range(2):
            assert await post.look() == ["suspended"]
            clock.advance(minutes=5)
        assert set(there.registered().values()) == {"suspended"}, "by hand nothing is activated by itself"
        post = Post(there, store, clock, tmp_path)
        assert await post.look() == ["suspended"], "a restart does not tell it again"
        await there.operations.sync()
        for _ in range(2):
            assert await post.look() == ["suspended", "resumed"]
        await post.repairer.step()
        progress = post.repairs.progress("crm")
        assert progress
        assert progress.since
        assert (progress.error, progress.since < well_at) == (None, True)


async def test_what_is_deleted_is_told_and_what_no_rule_needs_is_not(
    crm: Simulator, store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    async with office(crm, tmp_path, "v1") as there:
        post = Post(there, store, clock, tmp_path)
        assert await post.look() == [], "what was never registered is registered in another way"
        await there.operations.sync()
        needless = there.add("crm_task_created", there.address)
        assert await post.look() == []
        needless.status = "suspended"
        assert await post.look() == []
        crm.registry.remove(next(each for each in crm.registry if each.event_name == "crm_deal_updated"))
        assert await post.look() == ["suspended"]
        [event] = await store.events(EventQuery(source=NAME))
        assert b'"state":"deleted","count":1,"events":["crm_deal_updated"]' in event.body


async def fall_silent(post: Post, there: Office, crm: Simulator, clock: ManualClock) -> None:
    """Let an event come, and its webhook be suspended for two hours."""
    await there.operations.sync()
    await post.store.add(an_event(clock))
    clock.advance(hours=2)
    crm.registry.suspend(there.address)


async def test_with_auto_it_is_activated_and_what_was_missed_is_found(
    crm: Simulator, store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    async with office(crm, tmp_path, "v1", api=", subscribe: auto") as there:
        post, heard = Post(there, store, clock, tmp_path), clock.now()
        await fall_silent(post, there, crm, clock)
        assert await post.look() == ["suspended", "resumed"]
        assert set(there.registered().values()) == {"active"}
        await post.repairer.step()
        progress = post.repairs.progress("crm")
        assert progress
        assert progress.since
        assert progress.since < heard, "since the last event of that name"


async def test_where_it_cannot_be_kept_since_when_nothing_came_nothing_is_activated_yet(
    crm: Simulator, store: Store, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with office(crm, tmp_path, "v1", api=", subscribe: auto") as there:
        post, heard = Post(there, store, clock, tmp_path), clock.now()
        await fall_silent(post, there, crm, clock)
        with capture_logs() as logs, monkeypatch.context() as patched:
            patched.setattr("bridge.remote.repairing.put_private", full)
            assert await post.look() == ["suspended"]
        told = [entry["reason"] for entry in logs if entry["event"] == "watching failed"]
        assert told == [f"{tmp_path / 'gaps' / 'crm.gap'} cannot be written: No space left on device"]
        assert set(there.registered().values()) == {"suspended"}
        assert await post.look() == ["suspended", "resumed"]
        await store.add(an_event(clock))
        await post.repairer.step()
        progress = post.repairs.progress("crm")
        assert progress
        assert progress.since
        assert progress.since < heard, "what came since hides no gap"


async def test_an_api_that_fails_or_a_defect_stops_nothing(
    crm: Simulator, store: Store, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(crm, tmp_path, "v1") as there:
        post = Post(there, store, clock, tmp_path)
        for error in (RemoteUnavailableError("the CRM cannot answer now"), KeyError("x")):

            async def fail(*_: Any, error: Exception = error, **__: Any) -> None:
                raise error

            with capture_logs() as logs, monkeypatch.context() as patched:
                patched.setattr(type(there.remote), "registrations", fail)
                assert await post.look() == []
            assert [entry["event"] for entry in logs] == ["watching failed"]
