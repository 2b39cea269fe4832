"""Do bad targets touch the good one? ``make bench-isolation``.

Two daemons take the same steady load of webhooks in turns: one delivers to a healthy target alone; the other also to a
target that is dead, to one that answers after 20 seconds, and to one that may be sent one message a second. What is
compared is how long the CRM waits for its answer, and how long a message takes to the healthy target.

The exit code is 1 if anything was lost on the way to the healthy target, or refused. A bar that is missed is told, and
is no failure.
"""

import argparse
import asyncio
import contextlib
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import uvloop

from benchmarks.ingest import webhooks
from benchmarks.running import THEIRS, Running, daemon, pin
from benchmarks.sink import Sink
from benchmarks.verdict import bar, conclude, counted

HEAD = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  healthy: {type: http, url: "HEALTHY"}
"""
BAD = """\
  dead: {type: http, url: "http://127.0.0.1:9/"}
  slow: {type: http, url: "SLOW", timeout: 30}
  limited: {type: http, url: "LIMITED", rate: 1/s}
"""
BAR = 1.5
ROUTE = """\
  - name: NAME
    on: deal.lost
    deliver: [{to: NAME, body: {deal: "{{ deal.id }}"}}]
"""


@dataclass
class Seen:
    """What one kind of rounds came to, in seconds."""

    acknowledged: list[float] = field(default_factory=list)
    delivered: list[float] = field(default_factory=list)
    refused: int = 0
    lost: int = 0


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share stayed under, in milliseconds."""
    ordered = sorted(values)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def post_steadily(running: Running, sink: Sink, seen: Seen, count: int, rate: float, series: str) -> None:
    """Post so many losses a second, each at its time, and wait until the healthy target has them."""
    sink.clear()
    posted: dict[str, float] = {}
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        began = time.perf_counter()
        for number, body in enumerate(webhooks(count, series, lost_in=1)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            posted[f"{series}-{number}"] = time.perf_counter()
            tasks.create_task(_post(session, running, body, seen))
    await sink.has(count)
    arrived = dict(zip((json.loads(body)["deal"] for body in sink.bodies), sink.times, strict=True))
    seen.delivered += [arrived[deal] - moment for deal, moment in posted.items() if deal in arrived]
    seen.lost += len(posted.keys() - arrived.keys())


async def _post(session: aiohttp.ClientSession, running: Running, body: bytes, seen: Seen) -> None:
    sent = time.perf_counter()
    headers = {"Content-Type": "application/json"}
    async with session.post(f"http://127.0.0.1:{running.port}{running.path}", data=body, headers=headers) as answer:
        await answer.read()
        seen.acknowledged.append(time.perf_counter() - sent)
        seen.refused += not answer.ok


@contextlib.asynccontextmanager
async def started(folder: Path, addresses: Mapping[str, str]) -> AsyncIterator[Running]:
    """Run a daemon with a route for each target."""
    folder.mkdir()
    rules = HEAD + (BAD if "SLOW" in addresses else "") + "routes:\n"
    names = ["healthy", "dead", "slow", "limited"] if "SLOW" in addresses else ["healthy"]
    rules += "".join(ROUTE.replace("NAME", name) for name in names)
    for name, address in addresses.items():
        rules = rules.replace(name, address)
    (folder / "routes.yaml").write_text(rules)
    async with daemon(folder) as running:
        yield running


async def measure(folder: Path, arguments: argparse.Namespace) -> int:
    """Alternate between the two, report, and return the exit code."""
    healthy, slow, limited = Sink(), Sink(delay=20), Sink()
    own = {"HEALTHY": await healthy.serve()}
    bad = {**own, "SLOW": await slow.serve(), "LIMITED": await limited.serve()}
    alone, beside = Seen(), Seen()
    async with started(folder / "alone", own) as first, started(folder / "beside", bad) as second:
        for number in range(arguments.rounds):
            await post_steadily(first, healthy, alone, arguments.count, arguments.rate, f"a{number}")
            await post_steadily(second, healthy, beside, arguments.count, arguments.rate, f"b{number}")
    print(f"machine    {platform.machine()}, Python {platform.python_version()}")
    print(f"load       {arguments.rounds} rounds of {arguments.count} losses, {arguments.rate:g} a second")
    tell("answer", alone.acknowledged, beside.acknowledged)
    tell("message", alone.delivered, beside.delivered)
    print(f"lost       {alone.lost} alone, {beside.lost} beside; the limited target got {limited.count}")
    refused = counted(refused=alone.refused + beside.refused)
    return conclude([*refused, *counted(lost_alone=alone.lost, lost_beside=beside.lost)])


def tell(what: str, alone: list[float], beside: list[float]) -> None:
    """Print a latency without and with the bad targets."""
    if not alone or not beside:
        print(f"{what:10} none came, so there is nothing to compare")
        return
    shares = {"p50": 0.5, "p99": 0.99}
    told = []
    for name, share in shares.items():
        without, with_them = percentile(alone, share), percentile(beside, share)
        told.append(f"{name} {without:.1f} → {with_them:.1f} ms, ratio {with_them / without:.2f}")
    held = bar(BAR, holds=with_them <= BAR * without)
    print(f"{what:10} {'; '.join(told)} ({held}); mean {1000 * statistics.mean(beside):.1f} ms")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--rate", type=float, default=100)
    arguments = parser.parse_args()
    pin(THEIRS)
    with tempfile.TemporaryDirectory() as name, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(measure(Path(name), arguments)))


if __name__ == "__main__":
    main()
