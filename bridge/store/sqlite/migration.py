"""Migrations: numbered SQL files, applied in order, forward only."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

import apsw

from bridge.errors import StoreDamagedError, StoreError, StoreTooNewError
from bridge.store.sqlite.connection import APPLICATION_ID
from bridge.store.sqlite.queries import Row
from bridge.store.sqlite.rows import microseconds

LEDGER = """
CREATE TABLE IF NOT EXISTS migration (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Return what tells this text from another under the same number."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def shipped() -> list[Migration]:
    """Return the migrations of this version of bridge, in order."""
    entries = [
        entry for entry in (files("bridge.store.sqlite") / "migrations").iterdir() if entry.name.endswith(".sql")
    ]
    steps = [
        Migration(int(entry.name[:4]), entry.name.removesuffix(".sql"), entry.read_text("utf-8")) for entry in entries
    ]
    return sorted(steps, key=lambda step: step.number)


def check(connection: apsw.Connection) -> None:
    """Refuse a file that is damaged, or that is no store of ours.

    Raises:
        StoreDamagedError: SQLite's quick check found something wrong.
        StoreError: the file belongs to another program.
    """
    try:
        findings = connection.execute("PRAGMA quick_check(1)").get
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StoreDamagedError(f"{connection.filename} is damaged: {error}") from error
    if findings != "ok":
        raise StoreDamagedError(f"{connection.filename} is damaged: {findings}")
    owner, tables = connection.execute(
        "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id"
    ).get
    if owner != APPLICATION_ID and (owner or tables):
        raise StoreError(f"{connection.filename} is a database of another program")


def migrate(connection: apsw.Connection, now: datetime, steps: list[Migration]) -> None:
    """Bring the file to this version's schema, in one transaction.

    Raises:
        StoreTooNewError: it has a migration that this version does not know.
        StoreError: a migration was changed after it had been applied.
    """
    connection.execute("PRAGMA foreign_keys = OFF")  # or a table that is made anew would take along what refers to it
    try:
        _migrate(connection, now, steps)
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def _migrate(connection: apsw.Connection, now: datetime, steps: list[Migration]) -> None:
    with connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(LEDGER)
        applied = refuse_unknown(connection, steps)
        for step in steps:
            if step.number not in applied:
                _apply(connection, step, now)


def refuse_unknown(connection: apsw.Connection, steps: list[Migration]) -> dict[int, str]:
    """Return the checksums of the migrations that a file has had, by number.

    Raises:
        StoreTooNewError: it has one that this version does not know.
        StoreError: one was changed after it had been applied.
    """
    rows: list[Row] = connection.execute("SELECT number, checksum FROM migration").fetchall()
    applied: dict[int, str] = dict(rows)
    filename, newest = connection.filename, steps[-1].number if steps else 0
    if applied and max(applied) > newest:
        raise StoreTooNewError(
            f"{filename} was written by a newer bridge (schema {max(applied)}, this one knows {newest}): update bridge"
        )
    for step in steps:
        if applied.get(step.number, step.checksum) != step.checksum:
            raise StoreError(f"{filename}: migration {step.name} is not the one that was applied to this file")
    return applied


def _apply(connection: apsw.Connection, step: Migration, now: datetime) -> None:
    connection.execute(step.sql)
    connection.execute(
        "INSERT INTO migration (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
        (step.number, step.name, step.checksum, microseconds(now)),
    )
