"""The longer SQL by name, so that a second engine can answer to the same names in its own dialect."""

from importlib.resources import files
from typing import Any, Final, TypeAlias

import apsw

Row: TypeAlias = tuple[Any, ...]

_HEADING = "-- name: "


def _load() -> dict[str, str]:
    """Read every ``.sql`` file of this folder; a statement begins under its ``-- name:`` and ends at the next."""
    texts = (entry.read_text("utf-8") for entry in files(__name__).iterdir() if entry.name.endswith(".sql"))
    blocks = (block for text in texts for block in text.split(_HEADING)[1:])
    return {name.strip(): sql.strip() for name, _, sql in (block.partition("\n") for block in blocks)}


SQL: Final = _load()


def rows(connection: apsw.Connection, name: str, *values: str | bytes | float | None) -> list[Row]:
    """Run a statement by name and return all its rows."""
    return connection.execute(SQL[name], values).fetchall()


def first(connection: apsw.Connection, name: str, *values: str | bytes | float | None) -> Row | None:
    """Run a statement by name and return its first row, if it has any."""
    found = rows(connection, name, *values)
    return found[0] if found else None


def change(connection: apsw.Connection, name: str, *values: str | bytes | float | None) -> int:
    """Run a statement by name and return how many rows it changed."""
    connection.execute(SQL[name], values)
    return connection.changes()
