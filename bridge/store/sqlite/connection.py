"""Connections: one that writes, some that read."""

from pathlib import Path

import apsw

APPLICATION_ID = 0x62726467
"""``brdg``: marks the file as ours."""
BUSY_MILLISECONDS = 2_000
"""How long a write waits for another program that has locked the file. The CRM waits five seconds for an answer."""
WRITER_CACHE_KIB = 16 * 1024
READER_CACHE_KIB = 4 * 1024
LOG_PAGES = 16_000
"""Pages of log at which a commit moves them to the database itself, and all wait for it: some tenth of a second.

Rare, because the writer does so in every lull before.
"""
LOG_LIMIT_BYTES = 64 * 1024 * 1024


def prepare_writer(connection: apsw.Connection, *, durable: bool = True) -> None:
    """Set up the connection that writes: what it commits is on the disk, if it is to be ``durable``.

    That pages can be given back one by one has to be said before anything is written, which setting the log does.
    """
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    connection.execute(
        f"""
        PRAGMA auto_vacuum = INCREMENTAL;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = {"FULL" if durable else "OFF"};
        PRAGMA foreign_keys = ON;
        PRAGMA trusted_schema = OFF;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -{WRITER_CACHE_KIB};
        PRAGMA wal_autocheckpoint = {LOG_PAGES};
        PRAGMA journal_size_limit = {LOG_LIMIT_BYTES};
        """
    ).fetchall()


def open_reader(path: Path) -> apsw.Connection:
    """Open a connection that only reads, beside the writer and without waiting for it, and all files that it needs."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    connection.execute(f"PRAGMA query_only = ON; PRAGMA cache_size = -{READER_CACHE_KIB}").fetchall()
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # opens the log, which the pragmas do not
    return connection


def touch(connection: apsw.Connection) -> None:
    """Write a page as it is: that shows whether one can be written. Nobody uses the version that stands in it."""
    connection.execute("PRAGMA user_version = 0")
