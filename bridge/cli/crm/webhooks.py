"""``bridge crm webhooks``: those that are registered, and those that should be."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import click

from bridge.cli import options, screen
from bridge.cli.remotely import Remotely, remotely
from bridge.cli.screen import Column
from bridge.control.shapes import Shape

source = click.option("--source", help="The source, where several have an API.")
dry_run = click.option("--dry-run", is_flag=True, help="Only show what would be done.")

LISTED = (Column("ID"), Column("EVENT"), Column("STATUS"), Column("OURS"), Column("ADDRESS", fold=True))
OURS: Mapping[bool | None, str] = {True: "yes", False: "no", None: "?"}
DONE: Mapping[str, str] = {
    "keep": "kept",
    "create": "created",
    "move": "moved",
    "activate": "activated",
    "update": "updated",
    "delete": "deleted",
}
"""What each act is called once it is done."""
STEPS = (Column("DO"), Column("EVENT"), Column("ID"), Column("STATUS"), Column("FAILED", fold=True))


@click.group(short_help="See, register and delete webhooks in the CRM.")
def command() -> None:
    """See, register and delete webhooks in the CRM."""


@command.command("list", short_help="List every registered webhook.")
@source
@options.data
@options.routes
@options.output
def list_(source: str | None, data: Path, routes: Path, form: str) -> None:
    """List every registered webhook, also those of others; in addresses, what opens them is left out."""
    answer = _ask(data, routes, lambda remote: remote.webhooks(source))
    if form == "json":
        screen.dump(answer)
        return
    rows = [
        (each["id"], each["event"], each["status"], "" if each["ours"] is False else OURS[each["ours"]], each["url"])
        for each in answer["webhooks"]
    ]
    screen.table(LISTED, rows, nothing="No webhook is registered.")


@command.command("get", short_help="Show one webhook.")
@click.argument("id_", metavar="ID")
@source
@options.data
@options.routes
@options.output
def get(id_: str, source: str | None, data: Path, routes: Path, form: str) -> None:
    """Show one registered webhook; in its address, what opens it is left out."""
    answer = _ask(data, routes, lambda remote: remote.webhook(source, id_))
    if form == "json":
        screen.dump(answer)
        return
    told = {name: answer[name] for name in ("id", "event", "status")}
    screen.facts({**told, "ours": OURS[answer["ours"]], "address": answer["url"]})


@command.command("sync", short_help="Register what the rules need, and nothing else.")
@source
@dry_run
@options.data
@options.routes
@options.output
def sync(source: str | None, dry_run: bool, data: Path, routes: Path, form: str) -> None:  # noqa: FBT001 (click's)
    """Have the CRM post exactly the events that the rules need, at the address of bridge.

    It creates what is missing, moves what has an old address, activates what is suspended and deletes what no rule
    listens to. Webhooks of others are left alone, and it can be run again at any time. Exit code 1: a step failed.
    """
    _show(_ask(data, routes, lambda remote: remote.sync(source, dry_run=dry_run)), form)


@command.command("update", short_help="Give webhooks the address and header of today.")
@click.argument("ids", nargs=-1)
@source
@dry_run
@options.data
@options.routes
@options.output
def update(ids: tuple[str, ...], source: str | None, dry_run: bool, data: Path, routes: Path, form: str) -> None:  # noqa: FBT001 (click's)
    """Give all webhooks that post to bridge, or those with these IDS, the address and the header of today.

    After a change of `auth_header` or of a secret: which header a webhook carries nobody is told, so `sync` cannot see
    an old one. Those that are suspended are activated. Exit code 1: a step failed.
    """
    _show(_ask(data, routes, lambda remote: remote.update(source, ids, dry_run=dry_run)), form)


@command.command("delete", short_help="Delete webhooks: ours, or those with these ids.")
@click.argument("ids", nargs=-1)
@source
@dry_run
@options.yes
@options.data
@options.routes
@options.output
def delete(ids: tuple[str, ...], source: str | None, data: Path, routes: Path, form: str, **flags: bool) -> None:
    """Delete all webhooks that post to bridge; or those with these IDS, whosever they are."""
    planned = _ask(data, routes, lambda remote: remote.delete(source, ids, dry_run=True))
    if not flags["dry_run"]:
        if not flags["yes"]:
            options.confirm("Delete", len(planned["steps"]), "webhook")
        planned = _ask(data, routes, lambda remote: remote.delete(source, ids))
    _show(planned, form)


def _ask(data: Path, routes: Path, question: Callable[[Remotely], Awaitable[Shape]]) -> Shape:
    async def ask() -> Shape:
        async with remotely(data, routes) as remote:
            return await question(remote)

    return asyncio.run(ask())


def _show(answer: Shape, form: str) -> None:
    if form == "json":
        screen.dump(answer)
    else:
        rows = [(each["act"], each["event"], each["id"], each["status"], each["error"]) for each in answer["steps"]]
        screen.table(STEPS, rows, nothing="There is nothing to do.")
        if answer["dry_run"]:
            screen.note("Nothing was done: this was a dry run.")
        elif answer["steps"]:
            screen.note(_summary(answer["steps"]))
    if any(each["error"] for each in answer["steps"]):
        raise click.exceptions.Exit(1)


def _summary(steps: Sequence[Shape]) -> str:
    """Return how many of what was to be done was done; the table alone looks the same before and after."""
    acts = Counter("failed" if each["error"] else DONE[each["act"]] for each in steps)
    return "; ".join(f"{count} {act}" for act, count in acts.items()) + "."
