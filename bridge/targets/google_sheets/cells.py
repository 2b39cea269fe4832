"""Rows of a sheet: where they are, and what goes into their cells."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from bridge.component.lengths import cut
from bridge.model import Json

KEY: Final = "key"
"""What column A is called in a sheet that bridge begins."""
FULLEST: Final = 50_000
"""Characters that a cell holds."""
WIDEST: Final = 2**53
"""Beyond it a sheet's numbers are no whole ones any more."""
Cell = str | int | float | bool | None
"""None leaves a cell as it is, and an empty text empties it."""


def quoted(sheet: str) -> str:
    """Return the name of a sheet as ranges have it."""
    return "'{}'".format(sheet.replace("'", "''"))


def place_of(key: str, column: Sequence[Json]) -> int | None:
    """Return the number of the row that has a key, of those below the names; None if there is none."""
    return next((number for number, cell in enumerate(column, 1) if number > 1 and str(cell) == key), None)


def missing(names: Sequence[str], row: Mapping[str, Json]) -> list[str]:
    """Return what an entry writes that has no column; column A is for keys."""
    return [name for name in row if name not in names[1:]]


def cells(names: Sequence[str], key: str, row: Mapping[str, Json], *, delete: bool) -> list[Cell]:
    """Return the cells of a row: those of columns that it does not name are left alone, or emptied."""
    rest = "" if delete else None
    return [key, *(cell(row[name]) if name in row else rest for name in names[1:])]


def cell(value: Json) -> Cell:
    """Return a value as a cell takes it."""
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < WIDEST):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return cut(text.encode("utf-8", "replace").decode(), FULLEST)
