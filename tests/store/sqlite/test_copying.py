"""Copies of the file: whole, checked, and put in place of another so that one of the two is always there."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from bridge.errors import StoreDamagedError, StoreError, StoreTooNewError, StoreUnavailableError
from bridge.store.base import Store
from bridge.store.nouns import EventQuery
from bridge.store.sqlite import copying, open_store
from bridge.store.sqlite.copying import copy, put_in_place
from tests.contracts.store_steps import an_event
from tests.store.sqlite.test_open_store import cut_off_the_end, execute, filled, mode_of, scribble_over_the_middle
from tests.support.clock import ManualClock


def log_of(database: Path) -> Path:
    return database.with_name("bridge.db-wal")


async def ids(data: Path, clock: ManualClock) -> set[str]:
    store = await open_store(data, clock)
    found = {event.id for event in await store.events(EventQuery(limit=1000))}
    await store.close()
    return found


async def test_a_copy_has_what_the_log_has_and_needs_no_log(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    events = [an_event(clock) for _ in range(50)]
    for event in events:
        await store.add(event)
    assert log_of(tmp_path / "data" / "bridge.db").stat().st_size > 0
    (tmp_path / "copy").mkdir()
    copied = copy(tmp_path / "data" / "bridge.db", tmp_path / "copy" / "bridge.db")
    assert copied == (50, (tmp_path / "copy" / "bridge.db").stat().st_size)
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["bridge.db"]
    assert mode_of(tmp_path / "copy" / "bridge.db") == 0o600
    assert await ids(tmp_path / "copy", clock) == {event.id for event in events}


async def test_a_copy_is_never_written_over_another_file(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    await store.add(an_event(clock))
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(StoreUnavailableError, match="taken cannot be written: File exists"):
        copy(tmp_path / "data" / "bridge.db", tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.parametrize("harm", [scribble_over_the_middle, cut_off_the_end])
async def test_a_copy_of_a_damaged_file_is_refused(
    tmp_path: Path, clock: ManualClock, harm: Callable[[Path], None]
) -> None:
    await filled(tmp_path, clock, events=300)
    harm(tmp_path / "bridge.db")
    with pytest.raises(StoreDamagedError):
        copy(tmp_path / "bridge.db", tmp_path / "copy.db")


async def test_a_copy_of_what_this_bridge_cannot_use_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    await filled(tmp_path, clock)
    execute(tmp_path, "INSERT INTO migration VALUES (9001, '9001_from_the_future', 'x', 0)")
    with pytest.raises(StoreTooNewError):
        copy(tmp_path / "bridge.db", tmp_path / "copy.db")
    (tmp_path / "other").mkdir()
    execute(tmp_path / "other", "CREATE TABLE theirs (value)")
    with pytest.raises(StoreError, match="another program"):
        copy(tmp_path / "other" / "bridge.db", tmp_path / "other.db")


async def test_a_copy_that_finds_no_room_is_told_with_its_name(
    store: Store, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.add(an_event(clock))

    def full(*_: object) -> None:
        raise apsw.FullError("not an error")  # so SQLite puts it, which tells the reason to the one copied from

    monkeypatch.setattr(copying, "_transfer", full)
    with pytest.raises(StoreUnavailableError) as caught:
        copy(tmp_path / "data" / "bridge.db", tmp_path / "copy.db")
    assert str(caught.value) == f"{tmp_path / 'copy.db'} cannot be used now: database or disk is full"


# in place of another


async def replaceable(tmp_path: Path, clock: ManualClock) -> tuple[Path, set[str]]:
    """Leave a database behind with a log that was never moved into it, and a copy of another; return its events."""
    await filled(tmp_path / "new", clock, events=3)
    copy(tmp_path / "new" / "bridge.db", tmp_path / "copy.db")
    store = await open_store(tmp_path / "old", clock)
    for _ in range(5):
        await store.add(an_event(clock))
    left = {name: (tmp_path / "old" / name).read_bytes() for name in ("bridge.db", "bridge.db-wal")}
    await store.close()
    for name, content in left.items():
        (tmp_path / "old" / name).write_bytes(content)
    return tmp_path / "old" / "bridge.db", await ids(tmp_path / "new", clock)


@pytest.mark.parametrize("damaged", [False, True])
async def test_what_is_put_in_place_is_there_and_nothing_of_the_old(
    tmp_path: Path, clock: ManualClock, *, damaged: bool
) -> None:
    database, new = await replaceable(tmp_path, clock)
    if damaged:
        database.write_bytes(b"no database at all, " * 1000)
    put_in_place(tmp_path / "copy.db", database)
    assert not log_of(database).exists()
    assert await ids(database.parent, clock) == new


async def test_what_ends_before_the_new_is_in_place_leaves_the_old_whole(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, new = await replaceable(tmp_path, clock)

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", ended)
    with pytest.raises(KeyboardInterrupt):
        put_in_place(tmp_path / "copy.db", database)
    monkeypatch.undo()
    old = await ids(database.parent, clock)
    assert len(old) == 5
    assert not old & new


async def test_a_log_that_cannot_be_emptied_now_is_not_thrown_away(tmp_path: Path, clock: ManualClock) -> None:
    database, new = await replaceable(tmp_path, clock)
    other = apsw.Connection(str(database))
    other.execute("BEGIN; SELECT * FROM event").fetchall()
    with pytest.raises(StoreUnavailableError, match=r"bridge\.db cannot be used now: database is locked"):
        put_in_place(tmp_path / "copy.db", database)
    assert log_of(database).stat().st_size > 0
    other.close()
    put_in_place(tmp_path / "copy.db", database)
    assert await ids(database.parent, clock) == new


async def test_a_copy_in_place_is_a_store_like_any_other(tmp_path: Path, clock: ManualClock) -> None:
    database, _ = await replaceable(tmp_path, clock)
    put_in_place(tmp_path / "copy.db", database)
    store = await open_store(database.parent, clock)
    assert await store.add(an_event(clock)) is None
    await store.close()
    connection = apsw.Connection(str(database))
    assert (connection.pragma("journal_mode"), connection.pragma("auto_vacuum")) == ("wal", 2)
    connection.close()
    assert copying.copy(database, tmp_path / "again.db").events == 4
