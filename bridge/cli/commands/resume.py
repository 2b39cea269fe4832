"""``bridge resume``."""

from pathlib import Path

import click

from bridge.cli import options
from bridge.cli.held import change


@click.command(short_help="Let a target go that is held.")
@click.argument("target")
@options.data
@options.routes
@options.output
@click.pass_context
def command(ctx: click.Context, target: str, data: Path, routes: Path, form: str) -> None:
    """Let TARGET go: end its pause, close its breaker, and wait no longer where its service asked for time.

    What waits for it is sent in order, within its limits. Exit code 1: nothing held or delayed it.
    """
    unchanged = "There is nothing to resume:"
    ctx.exit(change(data, routes, form, lambda control: control.resume(target), unchanged))
