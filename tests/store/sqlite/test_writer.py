"""The writer: what waits together is committed together, and only what failed fails."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from threading import Event as Gate

import apsw
import pytest

from bridge.errors import StoreError, StoreUnavailableError
from bridge.store.sqlite.connection import prepare_writer
from bridge.store.sqlite.queries import RUN
from bridge.store.sqlite.writer import Writer


def put(connection: apsw.Connection, value: int) -> int:
    connection.execute("INSERT INTO number VALUES (?)", (value,))
    return value


def put_many(connection: apsw.Connection, values: Sequence[int]) -> list[int]:
    row_each = ", ".join(["(?)"] * len(values))
    connection.execute(f"INSERT INTO number VALUES {row_each}", tuple(values))  # noqa: S608 (question marks only)
    return list(values)


def put_and_fail(connection: apsw.Connection, value: int) -> int:
    put(connection, value)
    raise ZeroDivisionError


def numbers(path: Path) -> list[int]:
    with_path = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    found = [int(value) for (value,) in with_path.execute("SELECT value FROM number ORDER BY value").fetchall()]  # type: ignore[arg-type]
    with_path.close()
    return found


class Held:
    """A writer whose next jobs wait until they can all be taken as one group."""

    def __init__(self, writer: Writer, connection: apsw.Connection) -> None:
        self.writer = writer
        self.connection = connection
        self._begun, self._gate = Gate(), Gate()
        self._first = writer.submit(self._hold)
        self._begun.wait(10)

    def _hold(self, _: apsw.Connection) -> None:
        self._begun.set()
        self._gate.wait(10)

    async def release(self) -> None:
        self._gate.set()
        await self._first


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "numbers.db"


@pytest.fixture
async def connection(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    prepare_writer(connection)
    connection.execute("CREATE TABLE number (value INTEGER PRIMARY KEY)")
    return connection


@pytest.fixture
async def held(connection: apsw.Connection) -> AsyncIterator[Held]:
    writer = Writer(connection, asyncio.get_running_loop())
    yield Held(writer, connection)
    await writer.close()


async def answers(*futures: asyncio.Future[int]) -> list[int | BaseException]:
    return await asyncio.gather(*futures, return_exceptions=True)


async def test_what_waits_is_committed_at_once(held: Held, path: Path) -> None:
    commits: list[int] = []

    def count() -> bool:
        commits.append(1)
        return False

    held.connection.set_commit_hook(count)
    futures = [held.writer.submit(put, n) for n in range(100)]
    await held.release()
    assert await answers(*futures) == list(range(100))
    assert numbers(path) == list(range(100))
    assert len(commits) == 2, "one of the job that held them back, and one for all of them"


@pytest.mark.parametrize("culprit", [put_and_fail, lambda connection, _: connection.execute("INSERT INTO nowhere")])
async def test_a_failing_job_is_undone_and_fails_alone(
    held: Held, path: Path, culprit: Callable[[apsw.Connection, int], int]
) -> None:
    futures = [held.writer.submit(put, 1), held.writer.submit(culprit, 2), held.writer.submit(put, 3)]
    await held.release()
    one, two, three = await answers(*futures)
    assert (one, three) == (1, 3)
    assert type(two) is StoreError
    assert isinstance(two.__cause__, ZeroDivisionError | apsw.Error)
    assert numbers(path) == [1, 3]


async def test_items_are_done_together(held: Held, path: Path) -> None:
    calls: list[Sequence[int]] = []

    def together(connection: apsw.Connection, values: Sequence[int]) -> list[int]:
        calls.append(values)
        return put_many(connection, values)

    futures = [held.writer.submit_item(put, n, together) for n in (1, 2, 3)]
    await held.release()
    assert await answers(*futures) == [1, 2, 3]
    assert calls == [[1, 2, 3]]
    assert numbers(path) == [1, 2, 3]


async def test_patient_items_are_committed_together(
    connection: apsw.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Sequence[int]] = []

    def together(connection: apsw.Connection, values: Sequence[int]) -> list[int]:
        calls.append(values)
        return put_many(connection, values)

    writer = Writer(connection, asyncio.get_running_loop())
    futures = []
    for n in range(3):
        futures.append(writer.submit_item(put, n, together, patient=True))
        await asyncio.sleep(0)
    assert await answers(*futures) == [0, 1, 2], "the moment ends by itself"
    assert calls == [[0, 1, 2]]
    monkeypatch.setattr("bridge.store.sqlite.writer.PATIENCE", 3600)
    many = [writer.submit_item(put, n, together, patient=True) for n in range(3, 3 + RUN)]
    assert await answers(*many) == list(range(3, 3 + RUN)), "as many as go into one statement wait for no more"
    waiting = writer.submit_item(put, 1000, together, patient=True)
    assert await writer.submit(put, 1001) == 1001, "who is in a hurry takes them along"
    assert await waiting == 1000
    last = writer.submit_item(put, 1002, together, patient=True)
    await writer.close()
    assert await last == 1002
    assert numbers(path)[-3:] == [1000, 1001, 1002]


async def test_items_that_cannot_be_done_together_are_done_singly(held: Held, path: Path) -> None:
    futures = [held.writer.submit_item(put, n, put_many) for n in (1, 2, 2, 3)]
    await held.release()
    one, two, again, three = await answers(*futures)
    assert (one, two, three) == (1, 2, 3)
    assert isinstance(again, StoreError)
    assert numbers(path) == [1, 2, 3]


async def test_a_failing_commit_fails_everyone_and_the_writer_goes_on(held: Held, path: Path) -> None:
    await held.release()
    held.connection.set_commit_hook(lambda: True)  # turns the commit into a rollback
    failed = await answers(*(held.writer.submit(put, n) for n in (1, 2)))
    assert [type(error) for error in failed] == [StoreUnavailableError] * 2
    held.connection.set_commit_hook(None)
    assert await held.writer.submit(put, 3) == 3
    assert numbers(path) == [3]


async def test_a_transaction_that_sqlite_gives_up_fails_everyone_in_it(held: Held, path: Path) -> None:
    def give_up(connection: apsw.Connection) -> int:
        connection.execute("ROLLBACK")
        raise apsw.FullError("database or disk is full")

    futures = [held.writer.submit(put, 1), held.writer.submit(give_up), held.writer.submit(put, 2)]
    await held.release()
    assert {type(error) for error in await answers(*futures)} == {StoreUnavailableError}
    assert numbers(path) == []
    assert await held.writer.submit(put, 3) == 3


async def test_a_file_locked_by_another_is_unavailable_until_it_is_free(
    held: Held, path: Path, connection: apsw.Connection
) -> None:
    await held.release()
    connection.set_busy_timeout(0)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError):
        await held.writer.submit(put, 1)
    other.execute("ROLLBACK")
    other.close()
    assert await held.writer.submit(put, 2) == 2
    assert numbers(path) == [2]


async def test_who_no_longer_waits_disturbs_nobody(held: Held, path: Path) -> None:
    gone, waiting = held.writer.submit(put, 1), held.writer.submit(put, 2)
    gone.cancel()
    await held.release()
    assert await waiting == 2
    assert numbers(path) == [1, 2], "the work was handed over, and is done"


async def test_a_lull_moves_the_log_to_the_database(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = asyncio.Event()
    loop = asyncio.get_running_loop()
    checkpoint = held.writer._checkpoint

    def checkpoint_and_tell() -> None:
        checkpoint()
        loop.call_soon_threadsafe(moved.set)

    monkeypatch.setattr("bridge.store.sqlite.writer.LULL_PAGES", 1)
    monkeypatch.setattr(held.writer, "_checkpoint", checkpoint_and_tell)
    await held.release()
    await held.writer.submit(put, 1)
    await asyncio.wait_for(moved.wait(), 10)
    log, in_database = held.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
    assert log == in_database > 0


async def test_a_log_that_outgrew_its_limit_is_emptied_as_soon_as_nobody_reads_it(
    held: Held, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.sqlite.writer.LOG_PAGES", 1)
    await held.release()
    reader = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN; SELECT * FROM number").fetchall()
    await held.writer.submit(put, 1)
    with pytest.raises(apsw.BusyError):
        held.writer._checkpoint()
    log = path.with_name("numbers.db-wal")
    assert log.stat().st_size > 0
    reader.close()
    held.writer._checkpoint()
    assert log.stat().st_size == 0
    assert numbers(path) == [1]


async def test_closing_finishes_what_was_submitted(held: Held, path: Path) -> None:
    futures = [held.writer.submit(put, n) for n in range(600)]
    await held.release()
    await held.writer.close()
    assert await answers(*futures) == list(range(600))
    assert numbers(path) == list(range(600))
    with pytest.raises(StoreError):
        held.writer.submit(put, 1)


async def test_while_the_disk_is_short_a_log_is_emptied_that_else_would_stay(held: Held, path: Path) -> None:
    await held.release()
    await held.writer.submit(put, 1)
    log = path.with_name("numbers.db-wal")
    held.writer._checkpoint()
    assert log.stat().st_size > 0, "to write into a file that is there is faster"
    held.writer.thrifty = True
    held.writer._checkpoint()
    assert log.stat().st_size == 0
    assert numbers(path) == [1]


@pytest.mark.parametrize("suffix", ["", "-wal"])
async def test_what_is_written_to_a_file_that_nobody_will_find_is_not_stored(
    held: Held, path: Path, suffix: str
) -> None:
    await held.release()
    file, elsewhere = path.with_name(path.name + suffix), path.with_name("elsewhere")
    file.rename(elsewhere)
    with pytest.raises(StoreUnavailableError, match=f"{file.name} was removed or replaced"):
        await held.writer.submit(put, 1)
    file.write_bytes(elsewhere.read_bytes())
    with pytest.raises(StoreUnavailableError, match="end bridge and start it again"):
        await held.writer.submit_item(put, 2, put_many)
    elsewhere.rename(file)
    assert await held.writer.submit(put, 3) == 3
    assert numbers(path)[-1] == 3
