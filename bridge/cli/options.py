"""Options that several commands share, each written once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click

from bridge.cli.screen import counted
from bridge.cli.times import LATEST, SOONEST, lasting
from bridge.model import DeliveryState, EventState, Rate

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)

data = click.option(
    "--data", type=FOLDER, default="data", show_default=True, envvar="BRIDGE_DATA", help="The data directory."
)
routes = click.option(
    "--routes", type=FILE, default="routes.yaml", show_default=True, envvar="BRIDGE_ROUTES", help="The rules."
)
output = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Output for people, or for programs.",
)
since = click.option("--since", type=SOONEST, help="From then on: 30m, 2h, 3d, 2026-11-24 or 2026-11-24T09:00.")
until = click.option("--until", type=LATEST, help="Until then; a day counts to its end.")
limit = click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The newest so many."
)
settings = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="Set a value of the body, such as document.status=lost; may be repeated.",
)
yes = click.option("--yes", is_flag=True, help="Do not ask.")
most = click.option("--limit", type=click.IntRange(1, 10_000), help="At most so many, the oldest.")


class _Pace(click.ParamType[Rate]):
    """How many in a time, on the command line."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Rate:
        """Return the rate."""
        from bridge.options.quantity import rate

        try:
            read = rate(value)
        except ValueError as error:
            self.fail(f"{error}, not {value!r}", param, ctx)
        assert isinstance(read, Rate)  # noqa: S101 (it says object, because pydantic hands it anything)
        return read


rate = click.option("--rate", type=_Pace(), metavar="N/TIME", help="No faster than this: 10/m, 1/s, 100/10s.")


def parameters(filters: Mapping[str, object]) -> dict[str, list[str]]:
    """Return the filters that were given, as the control API takes them."""
    return {name: _texts(value) for name, value in filters.items() if value not in (None, ())}


def confirm(verb: str, count: int, noun: str, more: str = "") -> None:
    """Ask before many things are done at once; nothing to do needs no question.

    Raises:
        click.Abort: the answer is no.
        click.UsageError: there is no answer, for the command runs in a script.
    """
    if not count:
        return
    try:
        click.confirm(f"{verb} {counted(count, noun)}{more}?", abort=True, err=True)
    except click.Abort as abort:
        if isinstance(abort.__context__, EOFError):
            raise click.UsageError("there is nobody to ask: add --yes") from None
        raise


def extent(count: int, left: int, pace: Rate | None) -> str:
    """Return how much of what was chosen that is, and how long it takes at a rate."""
    some = f", the oldest of {count + left}" if left else ""
    if pace is None or count <= 1:
        return some
    return f"{some}, over {lasting((count - 1) * pace.seconds / pace.count)}"


def _texts(value: object) -> list[str]:
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return [value.isoformat() if isinstance(value, datetime) else str(value)]


def _many(*decorators: Callable[[CommandT], CommandT]) -> Callable[[CommandT], CommandT]:
    """Return one decorator that applies several, in the order in which help shows them."""

    def apply(command: CommandT) -> CommandT:
        for decorate in reversed(decorators):
            command = decorate(command)
        return command

    return apply


def _state(states: type[StrEnum]) -> Callable[[CommandT], CommandT]:
    names = [str(state) for state in states]
    return click.option("--state", type=click.Choice(names), multiple=True, help="In this state; may be repeated.")


event_filters = _many(
    _state(EventState),
    click.option("--source", help="From this source."),
    click.option("--name", help="Of this name, such as crm_deal_updated."),
    click.option("--entity", help="About this entity, as kind:id, such as deal:65f1."),
    since,
    until,
)
delivery_filters = _many(
    _state(DeliveryState),
    click.option("--target", help="To this target."),
    click.option("--route", help="By this route."),
    click.option("--event", help="Of the event with this id."),
    since,
    until,
)
