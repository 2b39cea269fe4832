"""``bridge replay``."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import options, screen
from bridge.control.shapes import Shape

if TYPE_CHECKING:
    from bridge.store.base import EventQuery


@click.command(short_help="Route stored events again.")
@click.argument("event_ids", nargs=-1)
@options.event_filters
@click.option("--again", is_flag=True, help="Also what was delivered, or is on its way, already.")
@options.yes
@options.data
@options.routes
@options.output
def command(
    event_ids: tuple[str, ...],
    data: Path,
    routes: Path,
    form: str,
    *,
    again: bool,
    yes: bool,
    **filters: object,
) -> None:
    """Route stored events again under today's rules: those with EVENT_IDS, or all that filters choose, after asking.

    What a route has delivered already for an event is left out, unless --again. Exit code 1: nothing was added.
    """
    given = options.parameters(filters)
    if bool(event_ids) == bool(given):
        raise click.UsageError("give event ids, or filters such as --name crm_deal_updated --since 2h")
    task = _replay(data, routes, event_ids or given, form, again=again, yes=yes)
    click.get_current_context().exit(asyncio.run(task))


async def _replay(
    data: Path, routes: Path, ids_or_given: tuple[str, ...] | dict[str, list[str]], form: str, *, again: bool, yes: bool
) -> int:
    from bridge.cli.connection import connect
    from bridge.control.filters import event_query

    filtered = isinstance(ids_or_given, dict)
    chosen: Sequence[str] | EventQuery = event_query(ids_or_given) if isinstance(ids_or_given, dict) else ids_or_given
    async with connect(data, routes, needs_rules=True) as control:
        if filtered and not yes:
            planned = await control.replay(chosen, again=again, dry_run=True)
            options.confirm(len(planned["events"]), "event", "events", "Replay")
        answer = await control.replay(chosen, again=again)
    if form == "json":
        screen.dump(answer)
    else:
        _tell(answer["events"], again=again)
    return 0 if any(event["added"] for event in answer["events"]) else 1


def _tell(events: Sequence[Shape], *, again: bool) -> None:
    for event in events:
        screen.say(f"{event['id']}  {screen.clean(event['name'])}  {screen.colour(event['state'])}")
        for delivery in event["added"]:
            screen.say(f"  {delivery['id']}  {screen.clean(delivery['route'])} → {screen.clean(delivery['target'])}")
        if not event["added"]:
            screen.say(f"  nothing added: {_why(event, again=again)}")
    if not events:
        screen.note("No such events.")


def _why(event: Shape, *, again: bool) -> str:
    if event["planned"] and not again:
        return "all of it is delivered or on its way already; --again sends it once more"
    return screen.clean(event["reason"] or f"no route matches; why: bridge explain {event['id']}")
