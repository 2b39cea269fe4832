"""Targets that are held, and what is done about it, as a person reads it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli.screen import clean, colour, counted, dump, note, say
from bridge.cli.times import shown
from bridge.control.shapes import Shape

if TYPE_CHECKING:
    from bridge.cli.connection import Control


def show_held(target: Shape) -> None:
    """Print a target in a line: since when it is held, by whom and why."""
    since = f" since {shown(target['since'])}" if target["since"] else ""
    by = f" by {'a person' if target['paused_by'] == 'person' else 'bridge'}" if target["state"] == "paused" else ""
    why = f": {clean(target['reason'])}" if target["reason"] else ""
    say(f"  {clean(target['name'])}  {colour(target['state'])}{since}{by}{why}")


def note_held(names: list[str]) -> None:
    """Tell which targets are held for which something was set going."""
    for name in names:
        note(f"{clean(name)} is held, so what goes to it is parked; why: bridge targets")


def change(data: Path, routes: Path, form: str, do: "Callable[[Control], Awaitable[Shape]]", unchanged: str) -> int:
    """Hold a target or let it go; print how it is then, and return the exit code."""
    answer = asyncio.run(_change(data, routes, do))
    if form == "json":
        dump(answer)
    else:
        _tell(answer, unchanged)
    return 0 if answer["changed"] else 1


async def _change(data: Path, routes: Path, do: "Callable[[Control], Awaitable[Shape]]") -> Shape:
    from bridge.cli.connection import connect

    async with connect(data, routes) as control:
        return await do(control)


def _tell(answer: Shape, unchanged: str) -> None:
    target = answer["target"]
    if not answer["changed"]:
        note(unchanged)
    show_held(target)
    counts = target["deliveries"]
    if parked := counts["parked"]:
        note(f"{counted(parked, 'delivery')} parked")
    elif pending := counts["pending"]:
        note(f"{counted(pending, 'delivery')} waiting")
