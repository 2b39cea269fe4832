"""``bridge schema``."""

import json

import click

LANGUAGES = ("en", "pt-BR")


@click.command(short_help="Print the JSON Schema of routes.yaml.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES, case_sensitive=False),
    default="en",
    show_default=True,
    help="Of what the keys mean.",
)
@click.option("--part", is_flag=True, help="Of a file that routes.yaml includes.")
def command(*, language: str, part: bool) -> None:
    """Print the JSON Schema of routes.yaml, for editors that complete and check it."""
    from bridge.config.schema import json_schema

    click.echo(json.dumps(json_schema(language, part=part), indent=2, ensure_ascii=False))
