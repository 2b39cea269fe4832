"""``bridge explain``."""

import asyncio
from pathlib import Path

import click
from click.core import ParameterSource

from bridge.cli import options, screen
from bridge.control.shapes import Shape


@click.command(short_help="Tell what the rules make of an event, and why.")
@click.argument("event")
@options.settings
@click.option("--source", help="The source that the event comes from, if there are several.")
@options.data
@options.routes
@options.output
@click.pass_context
def command(  # noqa: PLR0913 (one parameter for each option)
    ctx: click.Context,
    *,
    event: str,
    settings: tuple[str, ...],
    source: str | None,
    data: Path,
    routes: Path,
    form: str,
) -> None:
    """Tell what the rules make of EVENT, route by route, and what they would send. Nothing is sent or stored.

    EVENT is the id of a stored event, a .json file, - for stdin, or the name of a sample such as deal.lost.
    A stored event is compared with what preceded it, any other with what is known of its entity now.
    With --routes, the rules in that file decide; without it, those of the running daemon do, if one runs.
    Exit code 1: the event cannot be understood, or a message cannot be rendered.
    """
    from bridge.cli.explaining import Question

    own_rules = ctx.get_parameter_source("routes") is ParameterSource.COMMANDLINE
    question = Question(event, settings, source, data, routes, own_rules=own_rules)
    told = asyncio.run(question.answer())
    if form == "json":
        screen.dump(told)
    else:
        from bridge.cli.explanation import show_explanation

        show_explanation(told)
    ctx.exit(1 if _failed(told) else 0)


def _failed(told: Shape) -> bool:
    errors = [each["error"] for route in told["routes"] for each in (route, *route["deliveries"])]
    return told["state"] == "quarantined" or any(errors)
