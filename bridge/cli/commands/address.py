"""``bridge address``."""

import asyncio
from pathlib import Path

import click

from bridge.cli import options, screen
from bridge.control.shapes import Shape


@click.command(short_help="Print the addresses to paste into the CRM.")
@click.argument("source", required=False)
@options.data
@options.output
def command(source: str | None, data: Path, form: str) -> None:
    """Print the addresses to paste into the CRM, of all sources or of SOURCE.

    They hold the secrets that let a webhook in: whoever knows one can post events.
    """
    sources = asyncio.run(_ask(data))["sources"]
    chosen = [each for each in sources if source in (None, each["name"])]
    if not chosen:
        raise click.UsageError(f'there is no source "{source}"; there are: {", ".join(e["name"] for e in sources)}')
    if form == "json":
        screen.dump({"sources": chosen})
        return
    for each in chosen:
        for address in each["addresses"]:
            screen.say(address if source else f"{each['name']}  {address}")


async def _ask(data: Path) -> Shape:
    from bridge.cli.connection import running

    async with running(data) as daemon:
        return await daemon.sources()
