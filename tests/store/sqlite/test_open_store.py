"""Opening the store: whose directory it is, whose file it is, whether it is whole."""

import asyncio
import errno
import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from bridge.errors import StoreDamagedError, StoreError, StoreInUseError, StoreTooNewError, StoreUnavailableError
from bridge.store.nouns import EventQuery
from bridge.store.sqlite import open_store
from bridge.store.sqlite.connection import open_reader
from bridge.store.sqlite.reader import THREADS
from bridge.store.sqlite.store import SqliteStore
from tests.contracts.store_steps import an_event
from tests.support.clock import ManualClock

FULL = 2
"""``PRAGMA synchronous = FULL`` as SQLite tells it: each commit waits for the disk."""


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def execute(data: Path, sql: str) -> None:
    connection = apsw.Connection(str(data / "bridge.db"))
    connection.execute(sql).fetchall()
    connection.close()


async def filled(data: Path, clock: ManualClock, events: int = 1) -> None:
    """Leave a closed store behind."""
    store = await open_store(data, clock)
    for _ in range(events):
        await store.add(an_event(clock))
    await store.close()


async def test_only_its_owner_may_read_it(tmp_path: Path, clock: ManualClock) -> None:
    mask = os.umask(0)
    try:
        store = await open_store(tmp_path / "new" / "data", clock)
        await store.add(an_event(clock))
        files = list((tmp_path / "new" / "data").iterdir())
        assert mode_of(tmp_path / "new" / "data") == 0o700
        assert {path.name for path in files} == {"bridge.db", "bridge.db-wal", "bridge.db-shm", "bridge.lock"}
        assert {mode_of(path) for path in files} == {0o600}
        await store.close()
    finally:
        os.umask(mask)


async def test_what_was_stored_is_there_when_it_is_opened_again(tmp_path: Path, clock: ManualClock) -> None:
    await filled(tmp_path, clock, events=3)
    store = await open_store(tmp_path, clock)
    assert len(await store.events(EventQuery())) == 3
    await store.close()


async def test_what_is_committed_is_in_a_log_that_the_disk_has(tmp_path: Path, clock: ManualClock) -> None:
    store = await open_store(tmp_path, clock)
    assert isinstance(store, SqliteStore)
    pragmas = await store._writer.submit(lambda each: [each.pragma(name) for name in ("journal_mode", "synchronous")])
    await store.close()
    assert pragmas == ["wal", FULL]


@pytest.mark.usefixtures("store")
async def test_a_second_opener_is_told_who_has_it(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(StoreInUseError, match=f"in use by process {os.getpid()}"):
        await open_store(tmp_path / "data", clock)


@pytest.mark.usefixtures("store")
def test_another_process_is_told_who_has_it(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from bridge.store.sqlite import open_store;"
        "asyncio.run(open_store(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "data")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own script)
    assert (
        f"StoreInUseError: the data directory {tmp_path / 'data'} is in use by process {os.getpid()}" in result.stderr
    )


@pytest.mark.usefixtures("store")
async def test_who_removes_the_lock_file_gets_no_second_owner(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "data/bridge.lock").unlink()
    for _ in range(2):
        with pytest.raises(StoreInUseError, match="in use by process unknown"):
            await open_store(tmp_path / "data", clock)


async def test_where_folders_cannot_be_locked_the_file_has_to_do(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock

    def over_the_network(descriptor: int, how: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        lock(descriptor, how)

    monkeypatch.setattr("fcntl.flock", over_the_network)
    store = await open_store(tmp_path, clock)
    with pytest.raises(StoreInUseError, match=f"in use by process {os.getpid()}"):
        await open_store(tmp_path, clock)
    await store.close()


async def test_a_directory_that_cannot_be_made_is_unavailable(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailableError, match="cannot be used: Not a directory"):
        await open_store(tmp_path / "file" / "data", clock)


def scribble_over_the_start(database: Path) -> None:
    database.write_bytes(b"no database at all, " * 1000)


def scribble_over_the_middle(database: Path) -> None:
    content = bytearray(database.read_bytes())
    content[4096 : len(content) // 2] = os.urandom(len(content) // 2 - 4096)
    database.write_bytes(content)


def cut_off_the_end(database: Path) -> None:
    database.write_bytes(database.read_bytes()[: -10 * 4096])


@pytest.mark.parametrize("harm", [scribble_over_the_start, scribble_over_the_middle, cut_off_the_end])
async def test_a_damaged_file_is_refused(tmp_path: Path, clock: ManualClock, harm: Callable[[Path], None]) -> None:
    await filled(tmp_path, clock, events=300)
    harm(tmp_path / "bridge.db")
    with pytest.raises(StoreDamagedError, match="damaged"):
        await open_store(tmp_path, clock)


async def test_the_file_of_another_program_is_refused_and_left_alone(tmp_path: Path, clock: ManualClock) -> None:
    execute(tmp_path, "CREATE TABLE theirs (value)")
    before = (tmp_path / "bridge.db").read_bytes()
    with pytest.raises(StoreError, match="another program"):
        await open_store(tmp_path, clock)
    assert (tmp_path / "bridge.db").read_bytes() == before


async def test_a_file_of_a_newer_bridge_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    await filled(tmp_path, clock)
    execute(tmp_path, "INSERT INTO migration VALUES (9001, '9001_from_the_future', 'x', 0)")
    with pytest.raises(StoreTooNewError, match=r"newer bridge \(schema 9001"):
        await open_store(tmp_path, clock)


async def test_a_migration_that_was_changed_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    await filled(tmp_path, clock)
    execute(tmp_path, "UPDATE migration SET checksum = 'x'")
    with pytest.raises(StoreError, match="0001_core is not the one that was applied"):
        await open_store(tmp_path, clock)


async def test_a_refused_file_is_let_go(tmp_path: Path, clock: ManualClock) -> None:
    await filled(tmp_path, clock)
    execute(tmp_path, "UPDATE migration SET number = 9001 WHERE number = 1")
    with pytest.raises(StoreTooNewError):
        await open_store(tmp_path, clock)
    execute(tmp_path, "UPDATE migration SET number = 1 WHERE number = 9001")
    await filled(tmp_path, clock)


PROCESS = Path("/proc/self/fd")


def open_files(data: Path) -> list[str]:
    """Return the files of a store that this process has open."""
    links = [link.readlink() for link in PROCESS.iterdir() if link.is_symlink()]
    return sorted(str(path) for path in links if path.parent == data and path.name.startswith("bridge.db"))


@pytest.mark.skipif(not PROCESS.exists(), reason="the system does not tell which files are open")
async def test_all_files_are_open_from_the_start(tmp_path: Path, clock: ManualClock) -> None:
    store = await open_store(tmp_path, clock)
    before = open_files(tmp_path)
    await store.add(an_event(clock))
    await asyncio.gather(*(store.events(EventQuery()) for _ in range(4 * THREADS)))
    assert open_files(tmp_path) == before
    assert before.count(str(tmp_path / "bridge.db")) == 1 + THREADS
    await store.close()
    assert open_files(tmp_path) == []


async def test_a_store_that_cannot_be_read_is_refused_and_let_go(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[apsw.Connection] = []

    def one_and_no_more(path: Path) -> apsw.Connection:
        if readers:
            raise apsw.CantOpenError("too many open files")
        readers.append(open_reader(path))
        return readers[0]

    with monkeypatch.context() as patched:
        patched.setattr("bridge.store.sqlite.open_reader", one_and_no_more)
        with pytest.raises(StoreUnavailableError, match="too many open files"):
            await open_store(tmp_path, clock)
    with pytest.raises(apsw.ConnectionClosedError):
        readers[0].execute("SELECT 1")
    await filled(tmp_path, clock)


async def test_a_restore_that_was_broken_off_is_told_and_nothing_is_made(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "bridge.db.restoring").touch()
    with pytest.raises(StoreError, match=r"broken off: restore again, or remove .*bridge\.db\.restoring to go on"):
        await open_store(tmp_path, clock)
    assert not (tmp_path / "bridge.db").exists()
    (tmp_path / "bridge.db.restoring").unlink()
    await filled(tmp_path, clock)


async def test_a_disk_without_any_room_is_told_with_the_file(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("os.write", full)
        with pytest.raises(StoreUnavailableError, match=f"{tmp_path} cannot be used: No space left"):
            await open_store(tmp_path, clock)
    with monkeypatch.context() as patched:
        patched.setattr("bridge.store.sqlite.migrate", raising(apsw.FullError("database or disk is full")))
        with pytest.raises(StoreUnavailableError, match=r"bridge\.db cannot be used now: database or disk is full"):
            await open_store(tmp_path, clock)
    (tmp_path / "bridge.db").unlink()
    (tmp_path / "bridge.db").mkdir()
    with pytest.raises(StoreUnavailableError, match=r"bridge\.db cannot be used: Is a directory"):
        await open_store(tmp_path, clock)


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail
