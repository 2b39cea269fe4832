"""What commands print: tables and colours on a terminal, plain aligned text when piped, JSON on demand.

Event data is a stranger's: its control characters never reach the terminal.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from textwrap import fill
from typing import TYPE_CHECKING, Final

import click

from bridge.model import Json

if TYPE_CHECKING:
    from rich.table import Table

    from bridge.control.shapes import Shape

GAP: Final = 3
"""Characters between two columns of a table for people."""
FOLDED: Final = 12
"""Characters that a column which folds has at least, where it needs them."""
STYLES = {
    "received": "cyan",
    "routed": "green",
    "unmatched": "bright_black",
    "quarantined": "red",
    "duplicate": "bright_black",
    "stale": "yellow",
    "deferred": "cyan",
    "pending": "cyan",
    "delivering": "cyan",
    "delivered": "green",
    "dead": "red",
    "parked": "yellow",
    "cancelled": "bright_black",
    "transient": "yellow",
    "unknown": "yellow",
    "permanent": "red",
    "ready": "green",
    "waiting": "cyan",
    "paused": "yellow",
    "open": "red",
    "half_open": "yellow",
    "gone": "yellow",
}
"""The colour of every state and outcome."""

_STEERING = (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_NO_XML = (*range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
_HARMLESS = dict.fromkeys((*_STEERING, *_NO_XML), "�")
del _HARMLESS[0x09], _HARMLESS[0x0A]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. ``fold`` may be broken over lines on a narrow terminal; the others never are."""

    title: str
    fold: bool = False


def clean(text: object) -> str:
    """Return a text without what would steer a terminal, or could stand in no XML."""
    return str(text).translate(_HARMLESS)


def colour(state: object) -> str:
    """Return a state in its colour."""
    return coloured(state, STYLES.get(str(state)))


def coloured(text: object, colour: str | None) -> str:
    """Return a text in a colour; None is the terminal's own."""
    return click.style(clean(text), fg=colour)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: none, one or several."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number or 'no'} {noun if number == 1 else many}"


def dim(text: object) -> str:
    """Return a text that steps back."""
    return click.style(clean(text), fg="bright_black")


def say(text: str = "") -> None:
    """Print a line; colours vanish when piped."""
    click.echo(text)


def note(text: str) -> None:
    """Print a remark beside the output, on stderr."""
    click.echo(text, err=True)


def note_skipped(skipped: "Sequence[Shape]") -> None:
    """Tell on stderr which deliveries were left as they are, and why."""
    for delivery in skipped:
        note(f"{delivery['id']} is left as it is: {delivery['reason']}")


def note_left(left: int, noun: str) -> None:
    """Tell on stderr how many were beyond the limit, if any were."""
    if left:
        note(f"{counted(left, noun)} left for another time.")


def dump(value: "Json | Shape") -> None:
    """Print JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def indented(text: str, margin: str = "  ") -> str:
    """Return a text of several lines behind a margin."""
    return "\n".join(margin + line for line in clean(text).splitlines())


def facts(named: Mapping[str, object]) -> None:
    """Print what is known, a name and a value on each line."""
    for name, value in named.items():
        if value:
            say(f"  {dim(name.ljust(9))} {clean(value)}")


def table(columns: Sequence[Column], rows: Sequence[Sequence[object]], *, nothing: str) -> None:
    """Print rows under their titles; with no rows, a remark."""
    if not rows:
        note(nothing)
        return
    texts = [[clean("" if cell is None else cell) for cell in row] for row in rows]
    (_draw if sys.stdout.isatty() else _align)(columns, texts)


def _draw(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print a table for people; a column that holds nothing would only make the others narrower."""
    from rich.console import Console

    filled = [index for index, cells in enumerate(zip(*rows, strict=True)) if any(cells)]
    columns, rows = [columns[index] for index in filled], [[row[index] for index in filled] for row in rows]
    console = Console(highlight=False)
    widths = _widths(columns, rows)
    if sum(widths) + GAP * len(widths) <= console.width:
        console.print(_grid(columns, rows))
    else:
        _stack(columns, rows, widths, console.width)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return what each column takes at least: of one that folds a part will do."""
    cells = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    parts = (min(width, FOLDED) if each.fold else width for each, width in zip(columns, cells, strict=True))
    return [max(width, len(each.title)) for each, width in zip(columns, parts, strict=True)]


def _grid(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        drawn.add_column(column.title, no_wrap=not column.fold, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    return drawn


def _stack(columns: Sequence[Column], rows: Sequence[Sequence[str]], widths: Sequence[int], room: int) -> None:
    """Print as many columns as a narrow terminal has room for, and below each row the others, by their names."""
    fit = max(sum(total <= room for total in accumulate(width + 2 for width in widths)), 1)
    titles = (column.title.ljust(width) for column, width in zip(columns[:fit], widths, strict=False))
    click.echo(click.style("  ".join(titles).rstrip(), bold=True))
    for row in rows:
        cells = (
            click.style(cell.ljust(width), fg=STYLES.get(cell)) for cell, width in zip(row[:fit], widths, strict=False)
        )
        click.echo("  ".join(cells))
        below = ", ".join(
            f"{column.title.lower()} {cell}" for column, cell in zip(columns[fit:], row[fit:], strict=True) if cell
        )
        if below:
            click.echo(fill(below, room, initial_indent="    ", subsequent_indent="    "))


def _align(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    lines = [[column.title for column in columns], *([cell.replace("\n", " ") for cell in row] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
