"""``bridge status``."""

import asyncio
from pathlib import Path

import click

from bridge.cli import options, screen
from bridge.cli.times import lasting, shown
from bridge.control.shapes import Shape


@click.command(short_help="Tell how the daemon is, and what waits.")
@options.data
@options.output
def command(data: Path, form: str) -> None:
    """Tell how the daemon is: rules, uptime, what waits, and why the last change of the rules was refused.

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
    screen.say(f"\n{_waiting(backlog)}")
    for where, count in backlog["deliveries"].items():
        target, _, state = where.rpartition("/")
        screen.say(f"  {count:>6}  {screen.colour(state)}  to {screen.clean(target)}")
    if status["problems"]:
        screen.say("\nThe last change of the rules was refused; the ones before it are in force:")
    for problem in status["problems"]:
        screen.say(f"  {screen.clean(problem)}")


def _waiting(backlog: Shape) -> str:
    if backlog["events_received"]:
        return f"{backlog['events_received']} events to route, the oldest from {shown(backlog['oldest_received_at'])}"
    return "unfinished deliveries" if backlog["deliveries"] else "nothing waits"
