"""What a database target and its deliver entries take."""

import ssl
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, JsonValue, field_validator, model_validator

from bridge.component import Action, TargetOptions
from bridge.component.base import Strict
from bridge.component.occasion import WhenOption, ZoneName
from bridge.model import Json
from bridge.options import Secret, is_stand_in
from bridge.targets.database.address import STAND_IN, Tls, parsed, stays_here

LONGEST_NAME: Final = 63
"""Bytes of an identifier in PostgreSQL, which cuts longer ones in silence."""
EVENT_ID: Final = "event_id"
"""The column of a history that tells repeats apart."""
DELETED: Final = "deleted"
"""The column of a history that tells whether its row was a deletion."""

ColumnType: TypeAlias = Literal["text", "integer", "number", "boolean", "date", "moment", "json"]


def _short(name: str) -> str:
    if len(name.encode()) > LONGEST_NAME:
        raise ValueError(f"is longer than the {LONGEST_NAME} bytes that databases take")
    return name


Name: TypeAlias = Annotated[str, Field(pattern=r"^[^\W\d][\w ]*$"), AfterValidator(_short)]
"""A name of a column: letters, digits, underscores and spaces; it is always quoted."""
TableName: TypeAlias = Annotated[str, Field(pattern=r"^[^\W\d][\w ]*(\.[^\W\d][\w ]*)?$")]
"""A name of a table, with or without its schema: `deals`, `bi.deals`."""


class TableOptions(Strict):
    """One table: its columns, and the names of those that bridge keeps itself."""

    columns: Annotated[dict[Name, ColumnType], Field(min_length=1)]
    """The columns that entries may write, each with its type."""
    key: Name = "key"
    """The column with the key of an entry; the table has one row for each."""
    version: Name = "version"
    """The column that tells how new a row is, a moment: what is older changes nothing."""
    deleted_at: Name = "deleted_at"
    """The column that tells when `delete` emptied a row; empty as long as it lives."""
    history: TableName | None = None
    """A second table with one row for each event, to which rows are only ever added."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        own = [self.key, self.version, self.deleted_at]
        names = [*own, *self.columns, *([EVENT_ID, DELETED] if self.history else [])]
        folded = [name.casefold() for name in names]
        twice = next((name for name in names if folded.count(name.casefold()) > 1), None)
        if twice is not None:
            raise ValueError(f'there would be two columns "{twice}"')
        return self


class DatabaseOptions(TargetOptions):
    """What a database target takes."""

    url: Secret
    """The address: `postgresql://user:password@host/database`, `mysql://…` likewise, or `sqlite:////data/bi.db`."""
    tables: Annotated[dict[TableName, TableOptions], Field(min_length=1)]
    """The tables that entries may write to."""
    create: bool = False
    """Whether tables that are missing are made, with the columns that are declared."""
    tls: Tls | None = None
    """`verify`, `unverified` or `off`; by default `verify`, and `off` for a database on the same machine."""
    ca_file: str | None = None
    """A file of certificate authorities to trust in place of the system's, in PEM."""
    timezone: ZoneName = "America/Sao_Paulo"
    """The time zone of moments that do not tell theirs, and of days."""

    @field_validator("url")
    @classmethod
    def _address(cls, value: Secret) -> Secret:
        url = Secret(STAND_IN) if is_stand_in(value.reveal()) else value
        parsed(url)
        return url

    @field_validator("ca_file")
    @classmethod
    def _authorities(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ssl.create_default_context(cafile=value)
            except (OSError, ValueError):
                raise ValueError("must be a readable file of certificates in PEM") from None
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.ca_file and self.secured == "off":
            raise ValueError('"ca_file" goes with "tls: verify"')
        names = [*self.tables, *(each.history for each in self.tables.values() if each.history)]
        if len({name.casefold() for name in names}) < len(names):
            raise ValueError("two of its tables, or histories, have the same name")
        return self

    @property
    def secured(self) -> Tls:
        """Return how the connection is encrypted."""
        return self.tls or ("off" if stays_here(parsed(self.url)) else "verify")

    def made_secrets(self) -> Iterator[str]:
        """Yield the password that is in the address."""
        if password := parsed(self.url).password:
            yield password


class DatabaseAction(Action):
    """What a deliver entry to a database target takes. Columns that it does not name stay as they are."""

    table: str
    """The table, one of the target's."""
    row: dict[str, JsonValue] = Field(default_factory=dict)
    """The columns to write, by name. What is empty is written as null."""
    delete: bool = False
    """Whether the row is emptied of all that `row` does not name, and marked as deleted."""
    version: WhenOption | None = None
    """How new it is; by default `{{ event.version }}`, in a digest `{{ now }}`. A newer row stays as it is."""
    event_id: str | None = None
    """What the history knows a repeat by; by default the event's id, in a digest the delivery's."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.row and not self.delete:
            raise ValueError('needs "row", or "delete: true"')
        return self


def unknown_columns(table: TableOptions, row: Mapping[str, Json]) -> list[str]:
    """Return what an entry writes that the table does not have."""
    return [name for name in row if name not in table.columns]
