"""The command ``bridge``: finds the command that was named, and turns errors into a sentence and an exit code."""

import importlib
import os
from typing import Any

import click

from bridge.errors import BridgeError, RequestRefusedError, SettingsError

COMMANDS = (
    "init",
    "run",
    "check",
    "test",
    "explain",
    "send",
    "simulate",
    "events",
    "deliveries",
    "retry",
    "replay",
    "discard",
    "targets",
    "pause",
    "resume",
    "status",
    "reload",
    "backup",
    "restore",
    "address",
    "crm",
    "schema",
    "version",
)
"""Every command, in the order in which people meet them."""
MISUSE = 2
MISUSES = frozenset({"bad-filter", "unknown-route", "unknown-source", "unknown-target"})
"""Refusals that mean the command line was wrong."""


class Failure(click.ClickException):
    """An error as the command line tells it: the problems of the rules if it is about those, and one sentence."""

    def __init__(self, message: str, exit_code: int = 1, problems: str = "") -> None:
        """Keep what stands before the sentence, and the exit code."""
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance
        self.problems = problems

    def show(self, file: Any = None) -> None:  # noqa: ANN401 (click's own signature)
        """Write all of it to stderr."""
        if self.problems:
            click.echo(self.problems, err=True)
        click.echo(f"bridge: {self.message}", err=True)


class Commands(click.Group):
    """Imports the module of a command when it is named, so that `bridge version` does not wait for all others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"bridge.cli.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named; one that there is not is told with what was probably meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            ctx.fail(f'there is no command "{name}"; {_meant(name)}'.rstrip("; "))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's own signature)
        """Run a command; an error of ours is a sentence, any other a short note, both with the exit code they merit."""
        try:
            return super().invoke(ctx)
        except BridgeError as error:
            if ctx.params["debug"]:
                raise
            raise _failure(error) from error
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.params["debug"]:
                raise
            told = f"{type(error).__name__}: {error}".rstrip(": ")
            raise Failure(f"this should not have happened: {told}\nbridge --debug … shows where") from error


def _meant(name: str) -> str:
    """Return what to write instead: a command, or one of the CRM's, whose first word is left out easily."""
    from bridge.cli.commands.crm import command as crm
    from bridge.options import nearest

    if name in crm.commands:
        return f"did you mean `bridge crm {name}`?"
    near = nearest(name, COMMANDS)
    return f"did you mean `bridge {near}`?" if near else ""


def _failure(error: BridgeError) -> Failure:
    from bridge.options import InvalidConfigurationError

    code = error.code if isinstance(error, RequestRefusedError) else ""
    if isinstance(error, InvalidConfigurationError) or code == "invalid-configuration":
        return Failure("these rules cannot be used", problems=str(error))
    misused = isinstance(error, SettingsError) or code in MISUSES
    return Failure(str(error), MISUSE if misused else 1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.pass_context
def bridge(ctx: click.Context, *, debug: bool) -> None:  # noqa: ARG001 (read where errors are told)
    """Tell people and services what changes in RD Station CRM, once."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False
