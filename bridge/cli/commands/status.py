"""``bridge status``."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import click

from bridge.cli import options, screen
from bridge.cli.held import show_held
from bridge.cli.times import lasting, shown
from bridge.control.shapes import Shape


@click.command(short_help="Tell how the daemon is, and what waits.")
@options.data
@options.output
def command(data: Path, form: str) -> None:
    """Tell how the daemon is: rules, uptime, what waits, is dead or held, and why rules or webhooks are refused.

    Exit code 1: no daemon answers. A health check of a container can use that.
    """
    status = asyncio.run(_ask(data))
    if form == "json":
        screen.dump(status)
    else:
        _tell(status)


async def _ask(data: Path) -> Shape:
    from bridge.control.client import DaemonClient

    async with DaemonClient(data) as daemon:
        return await daemon.status()


def _tell(status: Shape) -> None:
    backlog = status["backlog"]
    uptime = f"{lasting(status['uptime_seconds'])}, since {shown(status['started_at'])}"
    screen.facts(
        {
            "version": status["version"],
            "uptime": uptime,
            "revision": status["revision"],
            "sources": ", ".join(status["sources"]),
            "routes": ", ".join(status["routes"]),
            "targets": ", ".join(status["targets"]),
        }
    )
    if status["no_room"]:
        screen.say(f"\ntaking no webhooks: {status['no_room']}")
    _tell_backlog(backlog)
    if status["held"]:
        screen.say("\nheld targets")
    for target in status["held"]:
        show_held(target)
    if status["problems"]:
        screen.say("\nThe last change of the rules was refused; the ones before it are in force:")
    for problem in status["problems"]:
        screen.say(f"  {screen.clean(problem)}")


def _tell_backlog(backlog: Shape) -> None:
    """Print what waits, and apart from it what is dead: nobody works on that any more."""
    counts = backlog["deliveries"].items()
    dead = {where: count for where, count in counts if where.endswith("/dead")}
    later = {where: count for where, count in counts if where.endswith("/deferred")}
    waiting = {where: count for where, count in counts if where not in dead.keys() | later.keys()}
    if received := backlog["events_received"]:
        oldest = shown(backlog["oldest_received_at"])
        screen.say(f"\n{screen.counted(received, 'event')} to route, the oldest from {oldest}")
    elif not waiting and not later:
        screen.say("\nnothing waits")
    _tell_deliveries("unfinished deliveries", waiting)
    _tell_deliveries("told later", later)
    _tell_deliveries("dead letters", dead)


def _tell_deliveries(title: str, counts: Mapping[str, int]) -> None:
    if counts:
        screen.say(f"\n{title}")
    for where, count in counts.items():
        target, _, state = where.rpartition("/")
        screen.say(f"  {count:>6}  {screen.colour(state)}  to {screen.clean(target)}")
