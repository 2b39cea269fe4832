"""``bridge schema``."""

import json

import click


@click.command(short_help="Print the JSON Schema of routes.yaml.")
def command() -> None:
    """Print the JSON Schema of routes.yaml, for editors that complete and check it."""
    from bridge.config import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
