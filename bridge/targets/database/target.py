"""The database target: one row a key, as of its newest event, and one row of history for each event."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Table, inspect
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from bridge.component import Http, Links, Target
from bridge.errors import AccessRefused, PermanentFailure
from bridge.model import JsonObject, Message, Receipt
from bridge.targets.database.address import kind_of, place
from bridge.targets.database.options import DatabaseAction, DatabaseOptions, TableOptions, unknown_columns
from bridge.targets.database.session import Session
from bridge.targets.database.statements import Row, record, upsert
from bridge.targets.database.tables import Pair, full_name, tables
from bridge.targets.database.values import bound, clean, moment

OF_AN_EVENT: Final[JsonObject] = {"version": "{{ event.version }}", "event_id": "{{ event.id }}"}
"""What an entry says of how new it is, and of which event, where it does not say it itself."""
OF_MANY: Final[JsonObject] = {"version": "{{ now }}"}
"""The same in a digest."""


class Database(Target[DatabaseOptions, DatabaseAction]):
    """Keeps one row a key: makes it, changes it, and empties it when what it tells of is deleted.

    A statement compares versions, so that what comes late, or twice, changes nothing.
    """

    Options = DatabaseOptions
    Action = DatabaseAction
    main_field = "row"
    idempotent = True

    def __init__(self, name: str, options: DatabaseOptions) -> None:
        """Prepare the tables; nothing is opened yet."""
        super().__init__(name, options)
        self._session = Session(options)
        self._kind = kind_of(self._session.url)
        self._tables = tables(options.tables)
        self._zone = ZoneInfo(options.timezone)
        self._seen: set[str] = set()
        self._looking = asyncio.Lock()

    @classmethod
    def prepare(cls, content: JsonObject, *, gathered: bool = False) -> JsonObject:
        """Add what tells how new an event is, and which one it is, where the entry does not say."""
        return {**(OF_MANY if gathered else OF_AN_EVENT), **content}

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Write one row, and one of the history if the table has one, in one transaction."""
        action = self.action(message)
        declared, pair = self._table(action.table)
        row = self._row(message, action, declared)
        await self._look_at(action.table, pair)

        async def write(connection: AsyncConnection) -> int:
            if pair.history is not None:
                await connection.execute(record(self._kind, pair.history, declared, row))
            written = await connection.execute(upsert(self._kind, pair.current, declared, row))
            return written.rowcount

        late = await self._session.run(write) == 0
        return Receipt(None, f"a newer row stays in {action.table}" if late else f"written to {action.table}")

    def upserts(self, content: JsonObject) -> bool:
        """Tell whether a message replaces what is waiting of its row: where a history is kept, each one counts."""
        declared = self.options.tables.get(str(content.get("table")))
        return declared is None or declared.history is None

    async def probe(self, http: Http) -> str:
        """Look for the tables and their columns; one that is missing and would be made is none that is missed."""
        for pair in self._tables.values():
            await self._session.aside(partial(self._missing, pair))
        return f"writes to {', '.join(self._tables)} in {place(self._session.url)}"

    def preview(self, content: JsonObject) -> str:
        """Return the row, a column on each line."""
        marks = ["deleted"] if content.get("delete") else []
        head = " · ".join([str(content.get("table")), str(content.get("version") or "now"), *marks])
        row = content.get("row")
        written = row.items() if isinstance(row, dict) else ()
        return "\n".join([head, *(f"{name}: {'' if value is None else value}" for name, value in written)])

    def warnings(self, content: JsonObject) -> tuple[str, ...]:
        """Return a sentence for a table, or a column, that the target does not have."""
        name, row = content.get("table"), content.get("row")
        if not isinstance(name, str) or "{" in name:
            return ()
        declared = self.options.tables.get(name)
        if declared is None:
            return (f'the target has no table "{name}"',)
        missing = unknown_columns(declared, row) if isinstance(row, dict) else []
        return tuple(f'the table "{name}" has no column "{each}"' for each in missing)

    def _table(self, name: str) -> tuple[TableOptions, Pair]:
        if name not in self._tables:
            raise PermanentFailure(f'the target has no table "{name}"')
        return self.options.tables[name], self._tables[name]

    def _row(self, message: Message, action: DatabaseAction, declared: TableOptions) -> Row:
        if missing := unknown_columns(declared, action.row):
            raise PermanentFailure(f'the table "{action.table}" has no column "{missing[0]}"')
        if action.version is None:
            raise PermanentFailure("the message does not tell how new it is")
        values = {}
        for name, value in action.row.items():
            try:
                values[name] = bound(declared.columns[name], value, self._zone)
            except ValueError as error:
                raise PermanentFailure(f'the column "{name}": {error}') from None
        version = moment(action.version, self._zone)
        return Row(str(clean(message.key)), version, values, action.delete, action.event_id or message.delivery_id)

    async def _look_at(self, name: str, pair: Pair) -> None:
        """See to it once that a table is there, and is such that it has one row a key."""
        async with self._looking:
            if name not in self._seen:
                await self._session.aside(partial(self._ready, pair))
                self._seen.add(name)

    def _ready(self, pair: Pair, connection: Connection) -> None:
        for table in self._missing(pair, connection):
            connection.execute(CreateTable(table, if_not_exists=True))

    def _missing(self, pair: Pair, connection: Connection) -> list[Table]:
        """Return the tables that are to be made.

        Raises:
            AccessRefused: one is missing that is not to be made, or is not as it was declared.
        """
        there = inspect(connection)
        missing = [each for each in pair.all if not there.has_table(each.name, schema=each.schema)]
        if missing and not self.options.create:
            raise AccessRefused(f'there is no table "{full_name(missing[0])}"; make it, or write `create: true`')
        for table in pair.all:
            if table not in missing:
                _check(connection, table)
        return missing


def _check(connection: Connection, table: Table) -> None:
    """Refuse a table that lacks a column, or that could have two rows of one key.

    MySQL would write the second without a word.
    """
    there = inspect(connection)
    known = {each["name"] for each in there.get_columns(table.name, schema=table.schema)}
    if missing := [column.name for column in table.columns if column.name not in known]:
        raise AccessRefused(f'the table "{full_name(table)}" has no column "{missing[0]}"')
    key = {column.name for column in table.primary_key}
    if not any(each == key for each in _unique(there, table)):
        raise AccessRefused(f'the table "{full_name(table)}" needs a unique key of {" and ".join(sorted(key))}')


def _unique(there: Inspector, table: Table) -> Iterator[set[str | None]]:
    """Yield the columns of which no two rows have the same; an index of some of the rows is no such thing."""
    name, schema = table.name, table.schema
    yield set(there.get_pk_constraint(name, schema=schema)["constrained_columns"])
    for constraint in there.get_unique_constraints(name, schema=schema):
        yield set(constraint["column_names"])
    for index in there.get_indexes(name, schema=schema):
        if index["unique"] and not any(option.endswith("_where") for option in index.get("dialect_options", ())):
            yield set(index["column_names"])
