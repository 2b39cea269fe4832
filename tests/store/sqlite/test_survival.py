"""What was acknowledged outlives the process, however it ends; and a full disk is no end."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event as Gate

import apsw
import pytest

from bridge.errors import StoreUnavailableError
from bridge.model import EventState, RoutedEvent
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery, EventQuery
from bridge.store.sqlite import open_store
from bridge.store.sqlite.store import SqliteStore
from tests.contracts.store_steps import a_delivery, a_state, an_event, decided, planned, settled
from tests.support.clock import ManualClock

ADDER = Path(__file__).with_name("adder.py")


def acknowledged(data: Path, *, ended_by: str) -> list[str]:
    """Let another process add events until its sudden end; return the ids that it was told are stored."""
    command = [sys.executable, str(ADDER), str(data), "1000000" if ended_by == "kill" else "500"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as adder:  # noqa: S603 (ours)
        assert adder.stdout is not None
        ids = [adder.stdout.readline().strip() for _ in range(300)]
        if ended_by == "kill":
            adder.send_signal(signal.SIGKILL)
        return ids + [line.strip() for line in adder.stdout if line.endswith("\n")]


@pytest.mark.parametrize("ended_by", ["exit", "kill"])
async def test_every_acknowledged_event_is_there_after_a_sudden_end(
    tmp_path: Path, clock: ManualClock, ended_by: str
) -> None:
    ids = acknowledged(tmp_path, ended_by=ended_by)
    assert len(ids) >= 300
    store = await open_store(tmp_path, clock)
    stored = {event.id for event in await store.events(EventQuery(limit=1_000_000))}
    await store.close()
    assert set(ids) <= stored


def connection_of(store: Store) -> apsw.Connection:
    assert isinstance(store, SqliteStore)
    return store._writer._connection


async def test_a_full_disk_refuses_and_is_forgotten_when_there_is_room_again(store: Store, clock: ManualClock) -> None:
    kept = an_event(clock)
    await store.add(kept)
    pages = connection_of(store).pragma("page_count")
    connection_of(store).pragma("max_page_count", pages)
    refused = [an_event(clock) for _ in range(200)]
    failures = 0
    for event in refused:
        try:
            await store.add(event)
        except StoreUnavailableError:
            failures += 1
    assert failures
    assert len(await store.events(EventQuery(limit=1000))) == 1 + len(refused) - failures
    connection_of(store).pragma("max_page_count", 1_000_000)
    for event in refused:
        await store.add(event)
    assert len(await store.events(EventQuery(limit=1000))) == 1 + len(refused)


async def test_a_full_disk_leaves_a_routed_event_undecided(store: Store, clock: ManualClock) -> None:
    event = an_event(clock)
    await store.add(event)
    connection_of(store).pragma("max_page_count", connection_of(store).pragma("page_count"))
    deliveries = tuple(a_delivery(event.id, clock, f"deal:{n}" * 100, entry=n) for n in range(100))
    routed = RoutedEvent(event.id, EventState.ROUTED, None, deliveries, a_state(event, 1))
    with pytest.raises(StoreUnavailableError):
        await decided(store, routed)
    assert await store.event(event.id) == event
    assert await store.deliveries(DeliveryQuery()) == []
    connection_of(store).pragma("max_page_count", 1_000_000)
    assert await decided(store, routed) == [routed]


async def test_a_read_only_file_refuses_until_it_can_be_written(store: Store, clock: ManualClock) -> None:
    connection_of(store).pragma("query_only", True)
    with pytest.raises(StoreUnavailableError):
        await store.add(an_event(clock))
    connection_of(store).pragma("query_only", False)
    assert await store.add(an_event(clock)) is None


@pytest.mark.parametrize("sql", ["UPDATE attempt SET outcome = 'delivered'", "DELETE FROM attempt"])
async def test_attempts_are_append_only_for_whoever_opens_the_file(
    store: Store, clock: ManualClock, tmp_path: Path, sql: str
) -> None:
    await planned(store, clock, "deal:1")
    await settled(store, clock)
    await store.close()
    connection = apsw.Connection(str(tmp_path / "data" / "bridge.db"))
    with pytest.raises(apsw.ConstraintError, match="append-only"):
        connection.execute(sql)
    connection.close()


async def test_attempts_go_with_their_delivery(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    await planned(store, clock, "deal:1")
    await settled(store, clock)
    await store.close()
    connection = apsw.Connection(str(tmp_path / "data" / "bridge.db"))
    connection.execute("PRAGMA foreign_keys = ON; DELETE FROM delivery")
    assert connection.execute("SELECT count(*) FROM attempt").get == 0
    connection.close()


async def test_what_could_not_be_written_is_tried_until_it_can_be(store: Store, clock: ManualClock) -> None:
    await store.writable()
    connection_of(store).pragma("query_only", True)
    await store.writable()
    with pytest.raises(StoreUnavailableError):
        await store.add(an_event(clock))
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="readonly"):
            await store.writable()
    connection_of(store).pragma("query_only", False)
    await store.writable()
    connection_of(store).pragma("query_only", True)
    await store.writable()


async def test_a_disk_that_hangs_is_told_while_it_does(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(store, SqliteStore)
    begun, gate = Gate(), Gate()

    def hang(_: apsw.Connection) -> None:
        begun.set()
        gate.wait(10)

    hanging = store._writer.submit(hang)
    await asyncio.to_thread(begun.wait, 10)
    await store.writable()
    hung = [store.hangs]
    monkeypatch.setattr("bridge.store.sqlite.store.ENDLESS", 0.0)
    with pytest.raises(StoreUnavailableError, match="the disk has not answered for 0 seconds"):
        await store.writable()
    hung.append(store.hangs)
    gate.set()
    await hanging
    await store.add(an_event(clock))
    await store.writable()
    assert [*hung, store.hangs] == [False, True, False]
