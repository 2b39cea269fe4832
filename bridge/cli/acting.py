"""What the commands that act on deliveries share: whom they choose, the question before it, and what is told after."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from bridge.cli import options, screen
from bridge.cli.held import note_held
from bridge.control.shapes import Shape
from bridge.model import Rate

if TYPE_CHECKING:
    from bridge.cli.connection import Control
    from bridge.store.nouns import DeliveryQuery

    Chosen: TypeAlias = Sequence[str] | DeliveryQuery


@dataclass(frozen=True, slots=True)
class Action:
    """What is done: the verb of its question, where the answer lists the done ones, their state then, and the pace.

    ``do`` takes the deliveries, and whether only to tell what would be done.
    """

    verb: str
    done: str
    state: str
    do: "Callable[[Control, Chosen, bool], Awaitable[Shape]]"
    rate: Rate | None = None


def choose(ids: Sequence[str], filters: Mapping[str, object]) -> "Chosen":
    """Return what the command line chooses: ids, or filters, which choose dead ones unless they name a state."""
    from bridge.control.filters import delivery_query

    given = options.parameters(filters)
    if bool(ids) == bool(given):
        raise click.UsageError("give delivery ids, or filters such as --state dead --target sales")
    return ids or delivery_query({"state": ["dead"], **given})


def act(data: Path, chosen: "Chosen", action: Action, form: str, *, ask: bool) -> int:
    """Do it, and tell of it; return the exit code, 1 if nothing was done."""
    answer = asyncio.run(_act(data, chosen, action, ask=ask))
    if form == "json":
        screen.dump(answer)
    else:
        _tell(answer, action)
        if not answer[action.done] and not answer["skipped"]:
            screen.note(_none(chosen))
    return 0 if answer[action.done] else 1


async def _act(data: Path, chosen: "Chosen", action: Action, *, ask: bool) -> Shape:
    from bridge.cli.connection import connect

    async with connect(data) as control:
        if ask:
            planned = await action.do(control, chosen, True)
            count = len(planned[action.done])
            options.confirm(action.verb, count, "delivery", options.extent(count, planned["left"], action.rate))
        return await action.do(control, chosen, False)


def _tell(answer: Shape, action: Action) -> None:
    for delivery_id in answer[action.done]:
        screen.say(f"{delivery_id}  {screen.colour(action.state)}")
    screen.note_skipped(answer["skipped"])
    note_held(answer.get("held", []))
    screen.note_left(answer["left"], "delivery")


def _none(chosen: "Chosen") -> str:
    """Return what is said where filters found nothing, with the state that was looked for: perhaps nobody named it."""
    states = () if isinstance(chosen, Sequence) else chosen.states
    return f"No such delivery is {' or '.join(states)}; --state chooses others."
