"""``bridge version``."""

from importlib.metadata import version

import click


@click.command(short_help="Print the version.")
def command() -> None:
    """Print the version."""
    click.echo(version("bridge"))
