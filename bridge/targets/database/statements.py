"""The statements: one row a key, unless it is newer already, and one row of history for each event."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, case, or_
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from bridge.targets.database.address import Kind
from bridge.targets.database.options import DELETED, EVENT_ID, TableOptions
from bridge.targets.database.values import Bound


@dataclass(frozen=True, slots=True)
class Row:
    """What is to be known of a key as of a version: the values of columns, by name."""

    key: str
    version: datetime
    values: Mapping[str, Bound]
    deleted: bool
    event_id: str


def upsert(kind: Kind, table: Table, declared: TableOptions, row: Row) -> Insert:
    """Return the statement that writes a row, and leaves one that is newer as it is.

    Both are compared by the database, in the one statement, so whoever else writes meanwhile cannot come between.
    A deletion leaves the row, without what was in it: it is what keeps a late event from bringing the row back.
    """
    gone = dict.fromkeys(declared.columns) if row.deleted else {}
    values = {
        **gone,
        **row.values,
        declared.deleted_at: row.version if row.deleted else None,
        declared.version: row.version,
    }
    key = {declared.key: row.key}
    if kind == "mysql":
        return _mysql(table, declared, {**values, **key}, list(values), row)
    insert = _insert(kind, table).values({**key, **values})
    return insert.on_conflict_do_update(
        index_elements=[table.c[declared.key]],
        set_={table.c[name]: insert.excluded[name] for name in values},
        where=_is_newer(table, declared, insert.excluded[declared.version], row),
    )


def record(kind: Kind, table: Table, declared: TableOptions, row: Row) -> Insert:
    """Return the statement that adds a row to the history, unless it has that event's already."""
    values = {
        EVENT_ID: row.event_id,
        declared.key: row.key,
        declared.version: row.version,
        DELETED: row.deleted,
        **row.values,
    }
    if kind == "mysql":  # INSERT IGNORE would let other mistakes pass as well
        same: dict[Any, Any] = {EVENT_ID: table.c[EVENT_ID]}
        return mysql.insert(table).values(values).on_duplicate_key_update(same)
    unique = [table.c[EVENT_ID], table.c[declared.key]]
    return _insert(kind, table).values(values).on_conflict_do_nothing(index_elements=unique)


def _insert(kind: Kind, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return a statement of a database that knows ON CONFLICT."""
    return postgresql.insert(table) if kind == "postgresql" else sqlite.insert(table)


def _mysql(table: Table, declared: TableOptions, values: Mapping[str, Bound], names: Iterable[str], row: Row) -> Insert:
    """Return it for MySQL, which assigns one column after the other: what is compared must come last."""
    insert = mysql.insert(table).values(dict(values))
    newer = _is_newer(table, declared, insert.inserted[declared.version], row)
    assigned: list[tuple[str, Any]] = [
        (name, case((newer, insert.inserted[name]), else_=table.c[name])) for name in names
    ]
    return insert.on_duplicate_key_update(assigned)


def _is_newer(
    table: Table, declared: TableOptions, version: Column[Any] | ColumnElement[Any], row: Row
) -> ColumnElement[bool]:
    """Return whether what is told is as new as the row, at least; of two that are equal, the deletion counts."""
    known = table.c[declared.version]
    equal = known == version
    return or_(
        known.is_(None), known < version, equal if row.deleted else and_(equal, table.c[declared.deleted_at].is_(None))
    )
