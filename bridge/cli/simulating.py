"""Runs the simulated CRM before one's eyes: a line for everything that happens."""

import asyncio
import signal
from collections import Counter
from datetime import UTC, datetime
from typing import Final

from bridge.cli import screen
from bridge.errors import SettingsError
from bridge.simulator import Simulator, SimulatorSettings, VirtualClock
from bridge.simulator.registrations import RefusedError
from bridge.simulator.telling import Note, shown, untold

COLOURS: Final = {"good": "green", "bad": "red"}
WIDE: Final = 40
"""Characters that names are given, so that what happened stands below each other."""


async def simulate(settings: SimulatorSettings, listen: tuple[str, int], post_to: str | None, *, quiet: bool) -> None:
    """Run until SIGINT or SIGTERM, then tell what it came to."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    show = untold if quiet else _show
    async with Simulator(settings, VirtualClock(datetime.now(UTC)), show, listen) as crm:
        _register(crm, post_to)
        _introduce(crm, post_to)
        running = asyncio.create_task(crm.run())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        running.cancel()
        _conclude(crm)


def _register(crm: Simulator, post_to: str | None) -> None:
    if post_to is None:
        return
    try:
        crm.register_all(post_to)
    except RefusedError as error:
        raise SettingsError(f"--post-to {error.message}: {post_to}") from None


def _introduce(crm: Simulator, post_to: str | None) -> None:
    settings = crm.settings
    screen.say(f"A simulated RD Station CRM is ready at {crm.url}; Ctrl-C ends it.")
    screen.facts(
        {
            "API v1": f"token {settings.token}",
            "API v2": f"client_id {settings.client_id}, client_secret {settings.client_secret}",
            "webhooks": f"every event, to {shown(post_to)}" if post_to else "as they are registered",
            "events": f"{settings.events_per_hour:g} an hour, seed {settings.seed}",
        }
    )
    screen.say()


def _conclude(crm: Simulator) -> None:
    truth = crm.truth()
    closed = Counter(closing.status for closing in truth.closings)
    posted = sum(each.result == "delivered" for each in truth.tries)
    screen.say()
    screen.say(
        f"{closed['won']} won, {closed['lost']} lost; {screen.counted(posted, 'webhook')} delivered, "
        f"{screen.counted(len(truth.lost), 'webhook')} lost for good"
    )


def _show(note: Note) -> None:
    at = screen.dim(f"{note.at.astimezone():%H:%M:%S}")
    text = screen.coloured(note.text, COLOURS.get(note.tone))
    screen.say(f"{at}  {screen.clean(note.what).ljust(12)}  {screen.clean(note.name).ljust(WIDE)}  {text}")
