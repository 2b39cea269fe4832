"""Tables as SQLAlchemy knows them: made of what the options declare, with types that each database has."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Float, MetaData, Numeric, Table, Text
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.types import JSON, TypeDecorator, TypeEngine

from bridge.targets.database.options import DELETED, EVENT_ID, ColumnType, TableOptions


class Number(TypeDecorator[Decimal]):
    """Exact, as far as a database has numbers that are; SQLite has none."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of a database."""
        kinds: dict[str, TypeEngine[Any]] = {"sqlite": Float(), "mysql": mysql.DECIMAL(38, 10)}
        return dialect.type_descriptor(kinds.get(dialect.name, Numeric()))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:  # noqa: ANN401 (as the driver takes it)
        """Return a number as the database takes it."""
        return float(value) if value is not None and dialect.name == "sqlite" else value


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond; where a database does not keep the zone, the name of the column must."""

    impl = postgresql.TIMESTAMP
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of a database."""
        kinds: dict[str, TypeEngine[Any]] = {"sqlite": DateTime(), "mysql": mysql.DATETIME(fsp=6)}
        return dialect.type_descriptor(kinds.get(dialect.name, postgresql.TIMESTAMP(timezone=True)))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return a moment without its zone, UTC, where the database keeps none."""
        return value.replace(tzinfo=None) if value and dialect.name != "postgresql" else value


# In MySQL a key is compared to the letter, and texts may be as long as elsewhere.
KEY: Final[TypeEngine[Any]] = Text().with_variant(mysql.VARCHAR(255, collation="utf8mb4_bin"), "mysql")
TYPES: Final[Mapping[ColumnType, TypeEngine[Any]]] = {
    "text": Text().with_variant(mysql.LONGTEXT(), "mysql"),
    "integer": BigInteger(),
    "number": Number(),
    "boolean": Boolean(),
    "date": Date(),
    "moment": Moment(),
    "json": JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
}


class Pair(NamedTuple):
    """A table, and its history if it has one."""

    current: Table
    history: Table | None

    @property
    def all(self) -> tuple[Table, ...]:
        """Return both, or the one."""
        return tuple(each for each in self if each is not None)


def tables(declared: Mapping[str, TableOptions]) -> dict[str, Pair]:
    """Return the tables of a target by the names that entries call them."""
    metadata = MetaData()
    return {name: Pair(_current(name, each, metadata), _history(each, metadata)) for name, each in declared.items()}


def full_name(table: Table) -> str:
    """Return the name of a table as it is written in the rules."""
    return f"{table.schema}.{table.name}" if table.schema else table.name


def _current(name: str, declared: TableOptions, metadata: MetaData) -> Table:
    return _table(
        name,
        metadata,
        _column(declared.key, KEY, primary_key=True),
        _column(declared.version, Moment(), nullable=False),
        _column(declared.deleted_at, Moment()),
        *_declared(declared),
    )


def _history(declared: TableOptions, metadata: MetaData) -> Table | None:
    """Return the table of all events: unique by the event and the key, for one event may tell of several."""
    if declared.history is None:
        return None
    return _table(
        declared.history,
        metadata,
        _column(EVENT_ID, KEY, primary_key=True),
        _column(declared.key, KEY, primary_key=True),
        _column(declared.version, Moment(), nullable=False),
        _column(DELETED, Boolean(), nullable=False),
        *_declared(declared),
    )


def _table(name: str, metadata: MetaData, *columns: Column[Any]) -> Table:
    schema, _, bare = name.rpartition(".")
    return Table(
        quoted_name(bare, quote=True),
        metadata,
        *columns,
        schema=quoted_name(schema, quote=True) if schema else None,
        mysql_charset="utf8mb4",
    )


def _declared(declared: TableOptions) -> list[Column[Any]]:
    return [_column(name, TYPES[kind]) for name, kind in declared.columns.items()]


def _column(name: str, kind: TypeEngine[Any], *, primary_key: bool = False, nullable: bool = True) -> Column[Any]:
    return Column(
        quoted_name(name, quote=True),
        kind,
        primary_key=primary_key,
        nullable=nullable and not primary_key,
        autoincrement=False,
    )
