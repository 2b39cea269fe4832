"""``bridge send``."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import options, screen
from bridge.control.shapes import Shape
from bridge.model import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.control.client import DaemonClient

TYPE = "rdstation_crm"
"""The type of source whose samples are meant when no daemon tells."""


@click.command(short_help="Post a sample event to the running daemon.")
@click.argument("sample", required=False)
@options.settings
@click.option("--file", help="Send the body in this file instead of a sample; - for stdin.")
@click.option("--new", is_flag=True, help="About an entity never seen before, with an id of its own.")
@click.option("--source", help="The source to post to, if there are several.")
@click.option("--url", help="Post to this address; by default the running daemon tells its own.")
@click.option("--wait", type=click.FloatRange(0, 600), default=5, show_default=True, help="Seconds to follow it.")
@click.option("--list", "listing", is_flag=True, help="List the samples.")
@options.data
@options.output
@click.pass_context
def command(  # noqa: PLR0913 (one parameter for each option)
    ctx: click.Context,
    *,
    sample: str | None,
    settings: tuple[str, ...],
    file: str | None,
    source: str | None,
    url: str | None,
    wait: float,
    data: Path,
    form: str,
    new: bool,
    listing: bool,
) -> None:
    """Post SAMPLE to the running daemon as the CRM would, and tell what became of it.

    SAMPLE is the name of an event, such as crm_deal_updated, or of a trigger, such as deal.lost. A trigger that
    compares with an earlier state has that posted first. Exit code 1: it was refused, or could not be delivered.
    """
    if listing:
        _list(form)
        return
    if (sample is None) == (file is None):
        raise click.UsageError("give a SAMPLE, or --file; bridge send --list shows the samples")
    sending = Sending(sample, file, _changes(settings, new=new), source, url, wait, data)
    outcome = asyncio.run(sending.run())
    if form == "json":
        screen.dump(outcome)
    else:
        from bridge.cli.outcome import show_outcome

        show_outcome(outcome, sample or "")
    ctx.exit(_exit_code(outcome))


@dataclass(frozen=True, slots=True)
class Sending:
    """One use of ``bridge send``."""

    sample: str | None
    file: str | None
    settings: tuple[str, ...]
    source: str | None
    url: str | None
    wait: float
    data: Path

    async def run(self) -> Shape:
        """Post the story, and follow its last event."""
        from bridge.cli.connection import answers, running
        from bridge.control.client import DaemonClient

        if self.url is None:
            async with running(self.data) as daemon:
                place = _place((await daemon.sources())["sources"], self.source)
                return await self._post(place, daemon)
        async with DaemonClient(self.data) as daemon:
            place = {"local_address": self.url, "headers": {}, "type": TYPE}
            return await self._post(place, daemon if await answers(daemon) else None)

    async def _post(self, place: Shape, daemon: "DaemonClient | None") -> Shape:
        from bridge.cli.sending import post

        address, headers = place["local_address"], place["headers"]
        for body in self._story(place["type"]):
            status, answer = await post(address, body, headers, verify=self.url is not None)
        outcome: Shape = {"status": status, "answer": answer, "event": None, "explanation": None}
        event_id = answer.get("event_id") if isinstance(answer, dict) else None
        if daemon is None or not isinstance(event_id, str):
            return outcome
        return {**outcome, **await self._follow(daemon, event_id)}

    async def _follow(self, daemon: "DaemonClient", event_id: str) -> Shape:
        from bridge.cli.sending import follow
        from bridge.errors import RequestRefusedError

        try:
            event = await follow(lambda: daemon.event(event_id), self.wait)
        except RequestRefusedError:  # the address given with --url is another daemon's
            return {}
        told = await daemon.explain(event_id) if event["state"] == "unmatched" else None
        return {"event": event, "explanation": told}

    def _story(self, type_: str) -> "Sequence[Json]":
        from bridge.cli import body

        told = [body.read(self.file)] if self.file else body.story(type_, self.sample or "", datetime.now(UTC))
        return body.changed(told, self.settings)


def _changes(settings: tuple[str, ...], *, new: bool) -> tuple[str, ...]:
    """Return what is to be set in the body: with ``new`` also an id, which then cannot be given."""
    from bridge.cli.body import ID, new_id

    if new and any(setting.startswith(ID) for setting in settings):
        raise click.UsageError("--new gives an id of its own: leave it out, or the document.id")
    return (*settings, new_id()) if new else settings


def _place(sources: "Sequence[Shape]", name: str | None) -> Shape:
    """Return the source that was named, or the only one."""
    chosen = [source for source in sources if name in (None, source["name"])]
    if len(chosen) != 1:
        raise click.UsageError(f"name the source with --source; there are: {', '.join(s['name'] for s in sources)}")
    if chosen[0]["local_address"] is None:
        raise click.UsageError("the daemon knows no address of its own; give one with --url")
    return chosen[0]


def _exit_code(outcome: Shape) -> int:
    event = outcome["event"] or {"state": "", "deliveries": ()}
    failed = event["state"] == "quarantined" or any(each["state"] == "dead" for each in event["deliveries"])
    return 1 if failed or not 200 <= outcome["status"] < 300 else 0  # noqa: PLR2004 (what the CRM takes for success)


def _list(form: str) -> None:
    from bridge.cli.body import sample_names

    names = sample_names(TYPE, datetime.now(UTC))
    if form == "json":
        screen.dump({"samples": [{"name": name, "description": text} for name, text in names.items()]})
        return
    columns = (screen.Column("SAMPLE"), screen.Column("WHAT HAPPENS", fold=True))
    screen.table(columns, list(names.items()), nothing="No samples.")
