"""``bridge retry``."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import options, screen
from bridge.control.shapes import Shape

if TYPE_CHECKING:
    from bridge.store.base import DeliveryQuery


@click.command(short_help="Try deliveries again now.")
@click.argument("delivery_ids", nargs=-1)
@options.delivery_filters
@options.yes
@options.data
@options.output
def command(delivery_ids: tuple[str, ...], data: Path, form: str, *, yes: bool, **filters: object) -> None:
    """Try deliveries again now: those with DELIVERY_IDS, or all that filters choose, after asking.

    Only dead deliveries and those that wait for their next attempt can be retried, and only if there is a message: if
    it could not be rendered, replay the event. Filters without --state choose dead ones. Exit code 1: nothing was
    retried.
    """
    given = options.parameters(filters)
    if bool(delivery_ids) == bool(given):
        raise click.UsageError("give delivery ids, or filters such as --state dead --target sales")
    click.get_current_context().exit(asyncio.run(_retry(data, delivery_ids, given, form, yes=yes)))


async def _retry(data: Path, ids: Sequence[str], given: dict[str, list[str]], form: str, *, yes: bool) -> int:
    from bridge.cli.connection import connect
    from bridge.control.filters import delivery_query

    chosen: Sequence[str] | DeliveryQuery = ids or delivery_query({"state": ["dead"], **given})
    async with connect(data) as control:
        if not ids and not yes:
            planned = await control.retry(chosen, dry_run=True)
            options.confirm(len(planned["retried"]), "delivery", "deliveries", "Retry")
        answer = await control.retry(chosen)
    if form == "json":
        screen.dump(answer)
    else:
        _tell(answer)
    return 0 if answer["retried"] else 1


def _tell(answer: Shape) -> None:
    retried, skipped = answer["retried"], answer["skipped"]
    for delivery_id in retried:
        screen.say(f"{delivery_id}  {screen.colour('pending')}")
    for delivery in skipped:
        screen.note(f"{delivery['id']} is left as it is: {delivery['reason']}")
    if not retried and not skipped:
        screen.note("No such deliveries.")
