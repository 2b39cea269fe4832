"""``bridge crm repair`` and ``bridge crm import``: what the API knows and bridge does not."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import click

from bridge.cli import options, screen
from bridge.cli.remotely import Remotely, remotely
from bridge.cli.times import SOONEST, shown
from bridge.control.shapes import Shape

EVERY = 0.5
"""Seconds between two questions how far it is."""
source_option = click.option("--source", help="The source, where several have an API.")


@click.command(short_help="Tell of what was missed while no webhook came.")
@source_option
@click.option("--since", type=SOONEST, help="From then on; by default since the last event that came.")
@click.option("--deletions", is_flag=True, help="Find out of all that is known whether it was deleted.")
@options.data
@options.routes
@options.output
def repair(source: str | None, since: datetime | None, data: Path, routes: Path, form: str, **flags: bool) -> None:
    """Ask the CRM for what was edited since, and tell of what no webhook told: each once, in its order.

    What was deleted is told too, where little enough is known that it costs few requests; with --deletions always. It
    can be interrupted and run again. Exit code 1: it failed.
    """
    moment = since.isoformat() if since else None
    _show(asyncio.run(_work(lambda remote: remote.repair(source, moment, **flags), data, routes)), form)


@click.command(short_help="Learn how all entities are, without a message.")
@source_option
@options.data
@options.routes
@options.output
def import_(source: str | None, data: Path, routes: Path, form: str) -> None:
    """Ask the CRM for all entities that the rules need, so that the first change of each is seen as a change.

    Nothing is told of them. What is known already stays as it is. It can be interrupted and run again. Exit code 1: it
    failed.
    """
    _show(asyncio.run(_work(lambda remote: remote.repair(source, baseline=True), data, routes)), form)


async def _work(begin: Callable[[Remotely], Awaitable[Shape]], data: Path, routes: Path) -> Shape:
    async with remotely(data, routes, storing=True) as remote:
        told = await begin(remote)
        shown_last = ""
        while told["ended_at"] is None:
            if (line := _counts(told["looked"])) and line != shown_last:
                screen.note(shown_last := line)
            await asyncio.sleep(EVERY)
            told = await remote.progress(told["source"])
        return told


def _show(told: Shape, form: str) -> None:
    if form == "json":
        screen.dump(told)
    elif told["since"] is None and not told["error"]:
        screen.say("Nothing was ever received: there is no gap. To learn how all entities are: bridge crm import")
    else:
        screen.facts(
            {
                "since": shown(told["since"]) if told["purpose"] == "repair" else None,
                "looked at": _counts(told["looked"]) or "nothing",
                "new": _new(told),
                "unsure": told["unsure"]
                and f"{_counts(told['unsure'])} may be deleted; find out: bridge crm repair --deletions",
                "error": told["error"],
            }
        )
    if told["error"]:
        raise click.exceptions.Exit(1)


def _new(told: Shape) -> str:
    deleted = f", {told['deleted']} of them of a deletion" if told["deleted"] else ""
    return screen.counted(told["added"], "event") + deleted


def _counts(counts: Shape) -> str:
    return ", ".join(screen.counted(count, kind) for kind, count in counts.items())
