"""Retention in one SQLite file: it is served by indexes, and the file and its log stay bounded."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from bridge.model import Entity, EventState, Limits, Rate, RoutedEvent
from bridge.store.base import Store
from bridge.store.nouns import Retention
from bridge.store.sqlite import pruning
from bridge.store.sqlite.migration import migrate, shipped
from bridge.store.sqlite.rows import microseconds
from bridge.store.sqlite.store import SqliteStore
from tests.contracts.store_pruning import pruned
from tests.contracts.store_steps import DEAD, LEASE, a_delivery, a_state, an_event, claimed, decided, planned, settled
from tests.support.clock import ManualClock

KIB, MIB = 2**10, 2**20


@pytest.fixture(scope="module")
def schema() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    migrate(connection, ManualClock().now(), shipped())
    yield connection
    connection.close()


def connection_of(store: Store) -> apsw.Connection:
    assert isinstance(store, SqliteStore)
    return store._writer._connection


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (pruning.LOOKS[pruning.BODIES], "PRIMARY KEY (rowid>?)"),
        (pruning.LOOKS[pruning.EVENTS], "INDEX event_by_time (received_at>? AND received_at<?)"),
        (pruning.DROP_BODIES, "PRIMARY KEY (rowid=?)"),
        (pruning.STILL_MAY_GO, "PRIMARY KEY (rowid=?)"),
    ],
)
def test_a_step_looks_at_what_it_may_drop_and_at_nothing_else(schema: apsw.Connection, sql: str, index: str) -> None:
    values = [None] * (5 if "?5" in sql else 3)
    plan = [str(row[3]) for row in schema.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()]
    first = next(step for step in plan if not step.startswith("CO-ROUTINE"))
    assert first.startswith("SEARCH e")
    assert first.endswith(index)
    scans = {step for step in plan if step.startswith(("SCAN", "USE TEMP"))}
    assert scans <= {"SCAN e", "SCAN following", "SCAN json_each VIRTUAL TABLE INDEX 1:"}, plan


async def test_a_new_file_can_give_pages_back(store: Store) -> None:
    assert connection_of(store).pragma("auto_vacuum") == 2


async def one_round(store: Store, clock: ManualClock, *, entities: int = 20) -> None:
    """Receive and decide events of always the same entities, a day long, and deliver half of them."""
    for number in range(120):
        entity = Entity("deal", str(number % entities))
        event = replace(an_event(clock, entity=entity), body=b"x" * 3 * KIB)
        await store.add(event)
        deliveries = (a_delivery(event.id, clock, str(entity)),) if number % 2 else ()
        version = int(clock.now().timestamp()) + number
        decision = RoutedEvent(event.id, EventState.UNMATCHED, None, deliveries, a_state(event, version))
        await decided(store, decision)
    while await settled(store, clock):
        pass
    clock.advance(days=1)


def sizes(data: Path) -> tuple[int, int]:
    return (data / "bridge.db").stat().st_size, (data / "bridge.db-wal").stat().st_size


async def test_file_and_log_stay_bounded_however_long_it_runs(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    connection_of(store).pragma("wal_autocheckpoint", 500)
    connection_of(store).pragma("journal_size_limit", MIB)
    seen = []
    for _ in range(14):
        await one_round(store, clock)
        await pruned(store, clock, timedelta(days=2), timedelta(days=4))
        seen.append(sizes(tmp_path / "data"))
    files, logs = zip(*seen, strict=True)
    assert max(files[9:]) <= max(files[4:9]) * 1.1, "five days fill it, and ten more do not make it larger"
    assert max(logs) <= 4 * MIB


async def test_what_was_pruned_is_given_back_to_the_disk(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    for _ in range(10):
        await one_round(store, clock)
    connection_of(store).wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    full, _ = sizes(tmp_path / "data")
    clock.advance(days=40)
    await pruned(store, clock)
    connection_of(store).wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    empty, _ = sizes(tmp_path / "data")
    assert full > 4 * MIB
    assert empty < full / 2
    assert connection_of(store).pragma("integrity_check") == "ok"


async def test_a_step_gives_back_no_more_than_its_share(store: Store, clock: ManualClock) -> None:
    for _ in range(10):
        await one_round(store, clock)
    clock.advance(days=40)
    retention = Retention(events=clock.now(), bodies=clock.now())
    steps = [await store.prune(retention)]
    while steps[-1].next is not None:
        steps.append(await store.prune(retention, steps[-1].next))
    assert sum(step.pages for step in steps) > 2 * pruning.PAGES
    assert max(step.pages for step in steps) == pruning.PAGES
    assert max(step.bodies + step.events for step in steps) == pruning.STEP


async def test_idle_buckets_are_forgotten_and_no_others(store: Store, clock: ManualClock) -> None:
    def buckets() -> int:
        return int(connection_of(store).execute("SELECT count(*) FROM pace").get)

    await planned(store, clock, "deal:1")
    await store.claim("sales", Limits(10, Rate(1, 60.0)), LEASE)
    clock.advance(minutes=59)
    await pruned(store, clock)
    assert buckets() == 1
    clock.advance(minutes=3)
    await pruned(store, clock)
    assert buckets() == 0


async def test_what_came_to_be_needed_between_two_looks_is_kept(store: Store, clock: ManualClock) -> None:
    [id_] = await planned(store, clock, "deal:1")
    await settled(store, clock, DEAD)
    clock.advance(days=40)
    bounds = pruning.Bounds(microseconds(clock.now()), microseconds(clock.now()))
    assert isinstance(store, SqliteStore)
    bodies = await store._readers.run(pruning.look, bounds, pruning.BEGIN)
    events = await store._readers.run(pruning.look, bounds, bodies.next)
    assert (len(bodies.found), len(events.found)) == (1, 1)
    await store.retry([id_])
    for looked in (bodies, events):
        dropped = await store._writer.submit(pruning.drop, bounds, looked)
        assert (dropped.bodies, dropped.events, dropped.deliveries) == (0, 0, 0)
    assert await claimed(store) == [id_]
