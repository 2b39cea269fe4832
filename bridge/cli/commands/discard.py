"""``bridge discard``."""

from pathlib import Path

import click

from bridge.cli import options
from bridge.cli.acting import Action, act, choose


@click.command(short_help="Take deliveries back for good.")
@click.argument("delivery_ids", nargs=-1)
@click.option("--reason", default="", help="Why; it is kept, and has to be given.")
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

    chosen = choose(delivery_ids, filters)
    if not reason.strip():
        raise click.UsageError('give a reason, with --reason "…": it is all that will tell why nobody was told')
    amount = Amount(limit)
    action = Action(
        "Discard",
        "discarded",
        "cancelled",
        lambda control, these, dry: control.discard(these, reason, amount, dry_run=dry),
    )
    click.get_current_context().exit(act(data, chosen, action, form, ask=not yes))
