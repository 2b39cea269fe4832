"""``bridge pause``."""

from pathlib import Path

import click

from bridge.cli import options
from bridge.cli.held import change


@click.command(short_help="Send nothing to a target until it is resumed.")
@click.argument("target")
@click.option("--reason", help="Why, for others to see.")
@options.data
@options.routes
@options.output
@click.pass_context
def command(ctx: click.Context, target: str, reason: str | None, data: Path, routes: Path, form: str) -> None:
    """Send nothing to TARGET until it is resumed. What is for it waits in order, and nothing of it is lost.

    What is under way ends. Exit code 1: it was paused already.
    """
    already = "It was paused already:"
    ctx.exit(change(data, routes, form, lambda control: control.pause(target, reason), already))
