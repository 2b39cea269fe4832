"""What commands print: tables and colours on a terminal, plain aligned text when piped, JSON on demand.

Event data is a stranger's: its control characters never reach the terminal.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click

from bridge.control.shapes import Shape
from bridge.model import Json

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

_HARMLESS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "�")
del _HARMLESS[0x09], _HARMLESS[0x0A]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. ``fold`` may be broken over lines on a narrow terminal; the others never are."""

    title: str
    fold: bool = False


def clean(text: object) -> str:
    """Return a text without what would steer a terminal."""
    return str(text).translate(_HARMLESS)


def colour(state: object) -> str:
    """Return a state in its colour."""
    return click.style(clean(state), fg=STYLES.get(str(state)))


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


def note_skipped(skipped: Sequence[Shape]) -> None:
    """Tell on stderr which deliveries were left as they are, and why."""
    for delivery in skipped:
        note(f"{delivery['id']} is left as it is: {delivery['reason']}")


def note_left(left: int, noun: str) -> None:
    """Tell on stderr how many were beyond the limit, if any were."""
    if left:
        note(f"{counted(left, noun)} left for another time.")


def dump(value: Json | Shape) -> None:
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
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    filled = [index for index, cells in enumerate(zip(*rows, strict=True)) if any(cells)]
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for index in filled:
        drawn.add_column(columns[index].title, no_wrap=not columns[index].fold, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(row[index], style=STYLES.get(row[index], "")) for index in filled))
    Console(highlight=False).print(drawn)


def _align(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    lines = [[column.title for column in columns], *([cell.replace("\n", " ") for cell in row] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
