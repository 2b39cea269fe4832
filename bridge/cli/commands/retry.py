"""``bridge retry``."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import options, screen
from bridge.cli.held import note_held
from bridge.control.shapes import Shape
from bridge.model import Rate

if TYPE_CHECKING:
    from bridge.control.amount import Amount
    from bridge.store.base import DeliveryQuery


@click.command(short_help="Try deliveries again now.")
@click.argument("delivery_ids", nargs=-1)
@options.delivery_filters
@options.most
@options.rate
@options.yes
@options.data
@options.output
def command(
    delivery_ids: tuple[str, ...],
    data: Path,
    form: str,
    *,
    limit: int | None,
    rate: Rate | None,
    yes: bool,
    **filters: object,
) -> None:
    """Try deliveries again now: those with DELIVERY_IDS, or all that filters choose, after asking.

    Only dead deliveries and those that wait for their next attempt can be retried, and only if there is a message: if
    it could not be rendered, replay the event. Filters without --state choose dead ones. Exit code 1: nothing was
    retried.
    """
    from bridge.control.amount import Amount

    given = options.parameters(filters)
    if bool(delivery_ids) == bool(given):
        raise click.UsageError("give delivery ids, or filters such as --state dead --target sales")
    task = _retry(data, delivery_ids, given, form, Amount(limit, rate), yes=yes)
    click.get_current_context().exit(asyncio.run(task))


async def _retry(
    data: Path, ids: Sequence[str], given: dict[str, list[str]], form: str, amount: "Amount", *, yes: bool
) -> int:
    from bridge.cli.connection import connect
    from bridge.control.filters import delivery_query

    chosen: Sequence[str] | DeliveryQuery = ids or delivery_query({"state": ["dead"], **given})
    async with connect(data) as control:
        if not ids and not yes:
            planned = await control.retry(chosen, amount, dry_run=True)
            count = len(planned["retried"])
            options.confirm("Retry", count, "delivery", options.extent(count, planned["left"], amount.rate))
        answer = await control.retry(chosen, amount)
    if form == "json":
        screen.dump(answer)
    else:
        _tell(answer)
    return 0 if answer["retried"] else 1


def _tell(answer: Shape) -> None:
    for delivery_id in answer["retried"]:
        screen.say(f"{delivery_id}  {screen.colour('pending')}")
    screen.note_skipped(answer["skipped"])
    note_held(answer["held"])
    screen.note_left(answer["left"], "delivery")
    if not answer["retried"] and not answer["skipped"]:
        screen.note("No such deliveries.")
