"""``bridge discard``."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import options, screen
from bridge.control.shapes import Shape

if TYPE_CHECKING:
    from bridge.control.amount import Amount
    from bridge.store.base import DeliveryQuery


@click.command(short_help="Take deliveries back for good.")
@click.argument("delivery_ids", nargs=-1)
@click.option("--reason", required=True, help="Why; it is kept.")
@options.delivery_filters
@options.most
@options.yes
@options.data
@options.output
def command(
    delivery_ids: tuple[str, ...],
    reason: str,
    data: Path,
    form: str,
    *,
    limit: int | None,
    yes: bool,
    **filters: object,
) -> None:
    """Take deliveries back for good, after asking: those with DELIVERY_IDS, or all that filters choose.

    Only what is dead or waits can be discarded. It is kept as cancelled, with the reason, and is never sent; what
    waited behind it goes on. Filters without --state choose dead ones. Exit code 1: nothing was discarded.
    """
    from bridge.control.amount import Amount

    given = options.parameters(filters)
    if bool(delivery_ids) == bool(given):
        raise click.UsageError("give delivery ids, or filters such as --state dead --target sales")
    if not reason.strip():
        raise click.UsageError("give a reason: it is all that will tell why nobody was told")
    chosen = delivery_ids or {"state": ["dead"], **given}
    click.get_current_context().exit(asyncio.run(_discard(data, chosen, reason, form, Amount(limit), yes=yes)))


async def _discard(
    data: Path,
    ids_or_given: Sequence[str] | dict[str, list[str]],
    reason: str,
    form: str,
    amount: "Amount",
    *,
    yes: bool,
) -> int:
    from bridge.cli.connection import connect
    from bridge.control.filters import delivery_query

    chosen: Sequence[str] | DeliveryQuery = (
        delivery_query(ids_or_given) if isinstance(ids_or_given, dict) else ids_or_given
    )
    async with connect(data) as control:
        if not yes:
            planned = await control.discard(chosen, reason, amount, dry_run=True)
            count = len(planned["discarded"])
            options.confirm("Discard", count, "delivery", options.extent(count, planned["left"], None))
        answer = await control.discard(chosen, reason, amount)
    if form == "json":
        screen.dump(answer)
    else:
        _tell(answer)
    return 0 if answer["discarded"] else 1


def _tell(answer: Shape) -> None:
    for delivery_id in answer["discarded"]:
        screen.say(f"{delivery_id}  {screen.colour('cancelled')}")
    screen.note_skipped(answer["skipped"])
    screen.note_left(answer["left"], "delivery")
    if not answer["discarded"] and not answer["skipped"]:
        screen.note("No such deliveries.")
