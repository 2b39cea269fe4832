"""``bridge init``."""

import os
from pathlib import Path

import click

from bridge.cli import options
from bridge.cli.starter.languages import LANGUAGES, spoken
from bridge.cli.starter.words import SOURCES, TARGETS
from bridge.errors import BridgeError, SettingsError


@click.command(short_help="Ask a few questions and write the first rules.")
@click.argument("folder", type=options.FOLDER, default=".")
@click.option(
    "--language",
    type=click.Choice(list(LANGUAGES), case_sensitive=False),
    metavar="|".join(LANGUAGES),
    help="The language of questions, comments and messages; by default that of LC_ALL or LANG.",
)
@click.option("--source", type=click.Choice(list(SOURCES)), help="The CRM that events come from.")
@click.option("--target", type=click.Choice(TARGETS), help="Where messages go.")
@click.option("--channel", help="The id of the Slack channel; goes with --target slack.")
@click.option("--url", help="The address of the service; goes with --target http.")
@click.option(
    "--moment", "moments", multiple=True, metavar="TRIGGER", help="Tell of this, such as deal.lost; repeatable."
)
@click.option("--minimum", metavar="AMOUNT", help="Tell of losses of this amount or more alone.")
@click.option("--locale", help="How numbers and dates are written, such as pt-BR; by default as --language says.")
@click.option("--timezone", help="The timezone of times in messages, such as America/Sao_Paulo.")
@click.option("--currency", help="The currency of amounts, such as BRL.")
@click.option("--force", is_flag=True, help="Write over a routes.yaml that is there.")
@options.yes
def command(
    folder: Path, *, language: str | None, force: bool, yes: bool, **given: str | tuple[str, ...] | None
) -> None:
    """Write a commented routes.yaml into FOLDER, by default this one, after asking where to tell of what.

    An option answers its question, and --yes takes the defaults of all others. Passwords are not asked for: the file
    refers to variables, and .env.example lists them. Exit code 1: there is a routes.yaml already; it stays as it is.
    """
    from bridge.cli.starter.outcome import show
    from bridge.cli.starter.questions import Given, Interview, on_terminal
    from bridge.cli.starter.writing import is_there, write

    words = LANGUAGES[language or spoken(os.environ)]
    if is_there(folder) and not force:
        raise BridgeError(words.there_already.format(folder / "routes.yaml"))
    if not yes and not on_terminal():
        raise SettingsError(words.no_terminal.format(targets="|".join(TARGETS), languages="|".join(LANGUAGES)))
    answers = Interview(words, Given(**given), asks=not yes).hold()  # type: ignore[arg-type]  # click gives them by name
    show(folder, answers, write(folder, answers, force=force))
