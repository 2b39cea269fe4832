"""``bridge retry``."""

from pathlib import Path

import click

from bridge.cli import options
from bridge.cli.acting import Action, act, choose
from bridge.model import Rate


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

    Only dead deliveries and those that wait, for their next attempt, for a person or to be told later, can be retried.
    If the message could not be rendered, replay the event. Filters without --state choose dead ones. Exit code 1:
    nothing was retried.
    """
    from bridge.control.amount import Amount

    chosen, amount = choose(delivery_ids, filters), Amount(limit, rate)
    action = Action(
        "Retry",
        "retried",
        "pending",
        lambda control, these, dry: control.retry(these, amount, dry_run=dry),
        rate,
    )
    click.get_current_context().exit(act(data, chosen, action, form, ask=not (yes or delivery_ids)))
