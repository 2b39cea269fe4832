"""The longer SQL by name, so that a second engine can answer to the same names in its own dialect."""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any, Final, TypeAlias

import apsw

Row: TypeAlias = tuple[Any, ...]

_HEADING = "-- name: "
RUN = 64
"""Rows of values in one statement at most: beyond, it gets longer and no quicker."""


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


def rows_of_each(connection: apsw.Connection, name: str, values: Sequence[Row]) -> list[Row]:
    """Run a statement for many rows of values, which stand at its ``{rows}``, and return all its rows."""
    return [row for sql, part in _parts(name, values) for row in connection.execute(sql, part).fetchall()]


def change_each(connection: apsw.Connection, name: str, values: Sequence[Row]) -> int:
    """Run a statement for many rows of values, which stand at its ``{rows}``; return how many rows it changed.

    Between two statements, and for each row that one returns, the thread has to win the interpreter's lock back from a
    busy event loop, which takes longer than most statements do.
    """
    changed = 0
    for sql, part in _parts(name, values):
        connection.execute(sql, part)
        changed += connection.changes()
    return changed


def _parts(name: str, values: Sequence[Row]) -> Iterator[tuple[str, Row]]:
    for begin in range(0, len(values), RUN):
        part = values[begin : begin + RUN]
        yield _repeated(name, len(part), len(part[0])), tuple(chain.from_iterable(part))


@cache
def _repeated(name: str, count: int, width: int) -> str:
    return SQL[name].format(rows=", ".join([f"({', '.join('?' * width)})"] * count))
