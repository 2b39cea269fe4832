"""Options that several commands share, each written once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click

from bridge.cli.times import LATEST, SOONEST
from bridge.model import DeliveryState, EventState

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


def parameters(filters: Mapping[str, object]) -> dict[str, list[str]]:
    """Return the filters that were given, as the control API takes them."""
    return {name: _texts(value) for name, value in filters.items() if value not in (None, ())}


def confirm(count: int, one: str, many: str, verb: str) -> None:
    """Ask before many things are done at once; nothing to do needs no question."""
    if count:
        click.confirm(f"{verb} {count} {one if count == 1 else many}?", abort=True, err=True)


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
