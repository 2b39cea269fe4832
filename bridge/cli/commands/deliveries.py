"""``bridge deliveries``."""

import asyncio
from pathlib import Path

import click

from bridge.cli import options, screen
from bridge.cli.details import reason_text, show_delivery
from bridge.cli.screen import Column
from bridge.cli.times import shown
from bridge.control.shapes import Shape

COLUMNS = (
    Column("ID"),
    Column("CREATED"),
    Column("STATE"),
    Column("ROUTE", fold=True),
    Column("TARGET", fold=True),
    Column("TRIES"),
    Column("REASON", fold=True),
)


@click.command(short_help="List deliveries, or show one.")
@click.argument("delivery_id", required=False)
@options.delivery_filters
@options.limit
@options.data
@options.routes
@options.output
def command(delivery_id: str | None, data: Path, routes: Path, form: str, limit: int, **filters: object) -> None:
    """List deliveries, newest first; or show DELIVERY_ID in detail, with its message and attempts."""
    given = options.parameters(filters)
    if delivery_id and given:
        raise click.UsageError("give a delivery id or filters, not both")
    if delivery_id:
        asyncio.run(_show(data, routes, delivery_id, form))
    else:
        asyncio.run(_list(data, {**given, "limit": [str(limit)]}, form))


async def _show(data: Path, routes: Path, delivery_id: str, form: str) -> None:
    from bridge.cli.connection import connect

    async with connect(data, routes) as control:
        delivery = await control.delivery(delivery_id)
    (screen.dump if form == "json" else show_delivery)(delivery)


async def _list(data: Path, given: dict[str, list[str]], form: str) -> None:
    from bridge.cli.connection import connect
    from bridge.control.filters import delivery_query

    async with connect(data) as control:
        answer = await control.deliveries(delivery_query(given))
    if form == "json":
        screen.dump(answer)
    else:
        _table(answer)


def _table(answer: Shape) -> None:
    rows = [
        (
            delivery["id"],
            shown(delivery["created_at"]),
            delivery["state"],
            delivery["route"],
            delivery["target"],
            delivery["attempt_count"],
            reason_text(delivery),
        )
        for delivery in answer["deliveries"]
    ]
    screen.table(COLUMNS, rows, nothing="No deliveries.")
