"""``bridge crm status``."""

import asyncio
from pathlib import Path

import click

from bridge.cli import options, screen
from bridge.cli.remotely import remotely
from bridge.control.remotes import UNKNOWN_ADDRESS
from bridge.control.shapes import Shape


@click.command(short_help="Tell whether the API answers, and for whom.")
@options.data
@options.routes
@options.output
@click.pass_context
def command(ctx: click.Context, data: Path, routes: Path, form: str) -> None:
    """Tell for each source that has an API whether it answers, whose account it opens, and how its webhooks are.

    Exit code 1: one does not answer, or a webhook of ours is suspended.
    """
    answer = asyncio.run(_ask(data, routes))
    if form == "json":
        screen.dump(answer)
    elif not answer["sources"]:
        screen.note("No source has an `api` in the rules: give it a token, or client_id and client_secret.")
    else:
        for source in answer["sources"]:
            _show(source)
    ctx.exit(0 if all(map(_well, answer["sources"])) else 1)


async def _ask(data: Path, routes: Path) -> Shape:
    async with remotely(data, routes) as remote:
        return await remote.status()


def _well(source: Shape) -> bool:
    return source["error"] is None and not (source["webhooks"] or {}).keys() - {"active"}


def _show(source: Shape) -> None:
    screen.say(screen.clean(source["name"]))
    screen.facts(
        {
            "account": source["account"],
            "error": source["error"],
            "webhooks": None if source["error"] else _webhooks(source["webhooks"]),
            "requests": f"{source['requests_left']} left of those that the CRM allows in a minute",
        }
    )


def _webhooks(counts: Shape | None) -> str:
    if counts is None:
        return f"which are ours cannot be told: {UNKNOWN_ADDRESS}"
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    return told or "none of ours; register them: bridge crm webhooks sync"
