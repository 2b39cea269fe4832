"""``bridge reload``."""

import asyncio
from pathlib import Path

import click

from bridge.cli import options, screen
from bridge.control.shapes import Shape


@click.command(short_help="Let the daemon read its rules again.")
@options.data
@options.output
def command(data: Path, form: str) -> None:
    """Let the daemon read its rules again; broken ones are refused, with their problems, and the old ones stay."""
    answer = asyncio.run(_reload(data))
    if form == "json":
        screen.dump(answer)
    else:
        screen.say(f"revision {answer['revision']} is in force, with {screen.counted(len(answer['routes']), 'route')}")
        for change in answer["changes"] or ("nothing changed",):
            screen.say(f"  {change}")


async def _reload(data: Path) -> Shape:
    from bridge.cli.connection import running

    async with running(data) as daemon:
        return await daemon.reload()
