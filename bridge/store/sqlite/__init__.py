"""The store in one SQLite file."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import apsw

from bridge.model import Clock, SystemClock
from bridge.store.base import Store
from bridge.store.sqlite.connection import open_reader, prepare_writer
from bridge.store.sqlite.directory import DataDirectory
from bridge.store.sqlite.failure import store_error
from bridge.store.sqlite.migration import check, migrate, shipped
from bridge.store.sqlite.reader import THREADS, Readers
from bridge.store.sqlite.store import SqliteStore
from bridge.store.sqlite.writer import Writer

__all__ = ["open_store"]

_CLOCK = SystemClock()


async def open_store(path: Path, clock: Clock = _CLOCK, *, durable: bool = True) -> Store:
    """Open the store in a data directory, making what is missing and bringing its schema up to date.

    One that need not be ``durable`` outlives neither a power cut nor this process: it is for tests of rules.

    Raises:
        StoreInUseError: another process has the directory.
        StoreTooNewError: a newer version of bridge wrote the file.
        StoreDamagedError: the integrity check of the file failed.
        StoreUnavailableError: it cannot be read or written.
        StoreError: the file is not bridge's, a migration it has had is not the one that is shipped, or a restore into
            the directory was broken off.
    """
    directory = DataDirectory.acquire(path)
    try:
        connection, readers = await asyncio.to_thread(_open, directory.prepare(), clock, durable=durable)
    except BaseException:
        directory.let_go()
        raise
    return SqliteStore(directory, Writer(connection, asyncio.get_running_loop()), Readers(readers), clock)


def _open(path: Path, clock: Clock, *, durable: bool) -> tuple[apsw.Connection, list[apsw.Connection]]:
    """Open all connections: what they need is had before the first webhook, not looked for when there is none left."""
    with ExitStack() as undo:
        try:
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            undo.callback(connection.close)
            check(connection)
            prepare_writer(connection, durable=durable)
            migrate(connection, clock.now(), shipped())
            readers = [_reader(path, undo) for _ in range(THREADS)]
        except apsw.Error as error:
            raise store_error(error, path) from error
        undo.pop_all()
    return connection, readers


def _reader(path: Path, undo: ExitStack) -> apsw.Connection:
    reader = open_reader(path)
    undo.callback(reader.close)
    return reader
