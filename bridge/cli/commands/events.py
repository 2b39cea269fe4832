"""``bridge events``."""

import asyncio
from pathlib import Path

import click

from bridge.cli import options, screen
from bridge.cli.details import entity_text, event_text, show_event
from bridge.cli.screen import Column
from bridge.cli.times import shown
from bridge.control.shapes import Shape

COLUMNS = (
    Column("ID"),
    Column("RECEIVED"),
    Column("STATE"),
    Column("NAME"),
    Column("ENTITY", fold=True),
    Column("REASON", fold=True),
)


@click.command(short_help="List stored events, or show one.")
@click.argument("event_id", required=False)
@options.event_filters
@options.limit
@options.data
@options.output
def command(event_id: str | None, data: Path, form: str, limit: int, **filters: object) -> None:
    """List stored events, newest first; or show EVENT_ID in detail, with its deliveries and their attempts."""
    given = options.parameters(filters)
    if event_id and given:
        raise click.UsageError("give an event id or filters, not both")
    asyncio.run(_show(data, event_id, form) if event_id else _list(data, {**given, "limit": [str(limit)]}, form))


async def _show(data: Path, event_id: str, form: str) -> None:
    from bridge.cli.connection import connect

    async with connect(data) as control:
        event = await control.event(event_id)
    (screen.dump if form == "json" else show_event)(event)


async def _list(data: Path, given: dict[str, list[str]], form: str) -> None:
    from bridge.cli.connection import connect
    from bridge.control.filters import event_query

    async with connect(data) as control:
        answer = await control.events(event_query(given))
    if form == "json":
        screen.dump(answer)
    else:
        _table(answer)


def _table(answer: Shape) -> None:
    rows = [
        (
            event["id"],
            shown(event["received_at"]),
            event["state"],
            event_text(event),
            entity_text(event["entity"]),
            event["reason"],
        )
        for event in answer["events"]
    ]
    screen.table(COLUMNS, rows, nothing="No events.")
