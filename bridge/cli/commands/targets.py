"""``bridge targets``."""

import asyncio
from pathlib import Path

import click

from bridge.cli import options, screen
from bridge.cli.screen import Column
from bridge.cli.times import shown
from bridge.control.shapes import Shape

COLUMNS = (
    Column("TARGET", fold=True),
    Column("TYPE"),
    Column("STATE"),
    Column("SINCE"),
    Column("UNTIL"),
    Column("AT ONCE"),
    Column("RATE"),
    Column("PENDING"),
    Column("PARKED"),
    Column("DELIVERING"),
    Column("DEAD"),
    Column("REASON", fold=True),
)


@click.command(short_help="List targets: which are held, and what waits.")
@options.data
@options.routes
@options.output
def command(data: Path, routes: Path, form: str) -> None:
    """List targets: whether something may be sent to each, and if not, why and until when; limits, and what waits."""
    answer = asyncio.run(_ask(data, routes))
    if form == "json":
        screen.dump(answer)
    else:
        screen.table(COLUMNS, [_row(target) for target in answer["targets"]], nothing="No targets.")


async def _ask(data: Path, routes: Path) -> Shape:
    from bridge.cli.connection import connect

    async with connect(data, routes) as control:
        return await control.targets()


def _row(target: Shape) -> tuple[object, ...]:
    counts = target["deliveries"]
    return (
        target["name"],
        target["type"],
        target["state"],
        shown(target["since"]),
        shown(target["until"]),
        target["concurrency"],
        target["rate"],
        *(counts[state] or "" for state in ("pending", "parked", "delivering", "dead")),
        target["reason"],
    )
