"""Copies of the file: taken beside a running writer, checked before anybody relies on them."""

import os
from pathlib import Path
from typing import NamedTuple

import apsw

from bridge.errors import StoreUnavailableError
from bridge.files import sync
from bridge.store.sqlite.connection import open_reader
from bridge.store.sqlite.directory import FLAGS
from bridge.store.sqlite.failure import store_error
from bridge.store.sqlite.migration import check, refuse_unknown, shipped


class Copied(NamedTuple):
    """What a copy holds: events, and bytes."""

    events: int
    size: int


def copy(source: Path, destination: Path) -> Copied:
    """Copy a file as it stands at one moment into a new one that is whole, checked and on the disk.

    Whoever writes to the source goes on writing; the copy has everything that was committed before it began.

    Raises:
        StoreDamagedError: there is something wrong with the copy, and so with the source.
        StoreTooNewError: a newer version of bridge wrote it.
        StoreUnavailableError: one of the two cannot be used.
        StoreError: it is another program's file.
    """
    try:
        os.close(os.open(destination, FLAGS | os.O_EXCL, 0o600))
        _transfer(source, destination)
        events = _checked(destination)
        sync(destination)
    except apsw.FullError as error:
        raise store_error(error, destination) from error
    except apsw.Error as error:
        raise store_error(error, source) from error
    except OSError as error:
        raise StoreUnavailableError(f"{destination} cannot be written: {error.strerror}") from error
    return Copied(events, destination.stat().st_size)


def put_in_place(copied: Path, database: Path) -> None:
    """Let a checked copy take the place of a database that nobody has open: whatever happens, one of them is there.

    A log beside the old one would be taken for the new one's: it is emptied into the old, or goes before it does.

    Raises:
        StoreUnavailableError: the log can just now not be emptied, and nothing was changed.
    """
    try:
        _settle_log(database)
    except apsw.Error as error:  # the old one may be damaged: that may be why it is replaced
        if isinstance(told := store_error(error, database), StoreUnavailableError) and database.exists():
            raise told from error
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    copied.replace(database)
    sync(database.parent)


def _transfer(source: Path, destination: Path) -> None:
    """Copy all pages in one step: a copy in several would begin anew whenever somebody has written."""
    reader, writer = open_reader(source), apsw.Connection(str(destination), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        with writer.backup("main", reader, "main") as backup:
            backup.step()
    finally:
        reader.close()
        writer.close()


def _checked(path: Path) -> int:
    """Make a copy independent of any log, look whether it is a store that we can use, and count its events."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.pragma("journal_mode", "delete")
        check(connection)
        refuse_unknown(connection, shipped())
        return int(connection.execute("SELECT count(*) FROM event").get)
    finally:
        connection.close()


def _settle_log(database: Path) -> None:
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # before it has read, it knows of no log
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    finally:
        connection.close()
