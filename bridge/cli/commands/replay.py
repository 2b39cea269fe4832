"""``bridge replay``."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import options, screen
from bridge.cli.held import note_held
from bridge.control.shapes import Shape
from bridge.model import Rate

if TYPE_CHECKING:
    from bridge.cli.connection import Control
    from bridge.control.amount import Amount, Manner
    from bridge.store.nouns import EventQuery


@click.command(short_help="Route stored events again.")
@click.argument("event_ids", nargs=-1)
@options.event_filters
@click.option("--route", help="Only what this route makes of them.")
@click.option("--as-planned", is_flag=True, help="Send what was planned then, whatever the rules say today.")
@click.option("--again", is_flag=True, help="Also what was delivered, or is on its way, already.")
@options.most
@options.rate
@options.yes
@options.data
@options.routes
@options.output
def command(  # noqa: PLR0913 (one parameter for each option)
    event_ids: tuple[str, ...],
    *,
    route: str | None,
    as_planned: bool,
    again: bool,
    limit: int | None,
    rate: Rate | None,
    yes: bool,
    data: Path,
    routes: Path,
    form: str,
    **filters: object,
) -> None:
    """Route stored events again under today's rules: those with EVENT_IDS, or all that filters choose, after asking.

    With --as-planned, the messages that were planned for them then are sent again instead. What a route has delivered
    already for an event is left out, unless --again. Exit code 1: nothing was added.
    """
    from bridge.control.amount import Amount, Manner

    given = options.parameters(filters)
    if bool(event_ids) == bool(given):
        raise click.UsageError("give event ids, or filters such as --name crm_deal_updated --since 2h")
    replaying = Replaying(event_ids, given, Manner(route, as_planned, again), Amount(limit, rate))
    answer = asyncio.run(replaying.run(data, routes, ask=not (yes or event_ids)))
    if form == "json":
        screen.dump(answer)
    else:
        _tell(answer, replaying.manner, each=bool(event_ids))
    click.get_current_context().exit(0 if any(event["added"] for event in answer["events"]) else 1)


@dataclass(frozen=True, slots=True)
class Replaying:
    """One use of ``bridge replay``."""

    ids: tuple[str, ...]
    given: dict[str, list[str]]
    manner: "Manner"
    amount: "Amount"

    async def run(self, data: Path, routes: Path, *, ask: bool) -> Shape:
        """Replay what was chosen; ask first, with what that would add."""
        from bridge.cli.connection import connect

        chosen = self._chosen()
        async with connect(data, routes, needs_rules=not self.manner.as_planned) as control:
            if ask:
                await self._ask(control, chosen)
            return await control.replay(chosen, self.manner, self.amount)

    def _chosen(self) -> "Sequence[str] | EventQuery":
        from bridge.control.filters import event_query

        return self.ids or event_query(self.given)

    async def _ask(self, control: "Control", chosen: "Sequence[str] | EventQuery") -> None:
        planned = await control.replay(chosen, self.manner, self.amount, dry_run=True)
        lacking = [event["lacking"] for event in planned["events"] if event["lacking"]]
        adds = screen.counted(sum(lacking), "delivery")
        extent = options.extent(sum(lacking), 0, self.amount.rate)
        left = f", and leaves {screen.counted(planned['left'], 'event')}" if planned["left"] else ""
        options.confirm("Replay", len(lacking), "event", f", which adds {adds}{extent}{left}")


def _tell(answer: Shape, manner: "Manner", *, each: bool) -> None:
    """Tell of each event that was named; of those that a filter chose, how many got nothing, and why."""
    for event in answer["events"]:
        if each or event["added"]:
            _tell_event(event, manner)
    if not each:
        _tell_idle([event for event in answer["events"] if not event["added"]], manner)
    note_held(answer["held"])
    screen.note_left(answer["left"], "event")
    if not answer["events"]:
        screen.note("No such events.")


def _tell_event(event: Shape, manner: "Manner") -> None:
    screen.say(f"{event['id']}  {screen.clean(event['name'])}  {screen.colour(event['state'])}")
    for delivery in event["added"]:
        screen.say(f"  {delivery['id']}  {screen.clean(delivery['route'])} → {screen.clean(delivery['target'])}")
    if not event["added"]:
        screen.say(f"  nothing added: {_why(event, manner, event['id'])}")


def _tell_idle(events: Sequence[Shape], manner: "Manner") -> None:
    reasons = Counter(_why(event, manner, "EVENT_ID") for event in events)
    for reason, count in reasons.most_common():
        screen.note(f"Nothing added for {screen.counted(count, 'event')}: {reason}")


def _why(event: Shape, manner: "Manner", id_: str) -> str:
    if event["gone"]:
        return f"{event['gone']}, so it cannot be decided anew; --as-planned sends again what was planned"
    if event["planned"] and not manner.again:
        return "all of it is delivered or on its way already; --again sends it once more"
    if event["reason"]:
        return screen.clean(event["reason"])
    if manner.as_planned:
        return "nothing was planned for it"
    return f"{'the route does not match' if manner.route else 'no route matches'}; why: bridge explain {id_}"
