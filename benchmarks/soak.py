"""Does anything grow? ``make soak``.

A fixed number of deals is lost and reopened in turns, at a steady rate, for twenty minutes, and retention lets go of
what is older than a tenth of that. Memory, open files, log and database are looked at meanwhile; what each of them
grows by in a minute is told of the second half, when everything has come to its size.

The exit code is 1 if anything grew beyond its bounds, or was lost, refused or left unfinished.
"""

import argparse
import asyncio
import itertools
import json
import math
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import aiohttp
import apsw
import uvloop

from benchmarks.ingest import SAMPLE
from benchmarks.running import THEIRS, Running, daemon, pin, settled
from benchmarks.sink import Sink
from benchmarks.verdict import conclude, counted

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  team: {type: http, url: "SINK"}
routes:
  - name: news
    on: [deal.lost, deal.reopened]
    deliver: [{to: team, body: {deal: "{{ deal.id }}", text: "{{ deal.name }}: {{ deal.amount_total | money }}"}}]
"""
DEALS = 200
SAMPLES = 120
"""Looks in one run."""


class Bound(NamedTuple):
    """What may be seen of one thing: its unit, what it may grow by in a minute and in all, and the most there may be.

    Growth counts where both of its bounds are passed: a short run has steep slopes of nothing.
    """

    unit: str
    a_minute: float
    in_all: float
    most: float


MEASURED = {
    "memory": Bound("MiB", 0.2, 2, 256),
    "files": Bound("open", 0.2, 2, 100),
    "log": Bound("MiB", math.inf, math.inf, 80),
    "database": Bound("MiB", 0.2, 2, 256),
}
"""What is looked at, with its bounds at the usual load. The log grows as it likes until it is cut, at 64 MiB."""


@dataclass
class Seen:
    """What was measured, with the seconds from the beginning, and how many webhooks were acknowledged."""

    moments: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MEASURED})
    acknowledged: int = 0
    refused: int = 0
    settled: bool = False

    def look(self, running: Running, moment: float) -> None:
        """Measure once."""
        found = (running.memory(), running.descriptors(), running.size("bridge.db-wal"), running.size("bridge.db"))
        self.moments.append(moment)
        for name, value in zip(MEASURED, found, strict=True):
            self.values[name].append(value)

    def slope(self, name: str) -> float:
        """Return by how much something grew in a minute, over the second half."""
        half = len(self.moments) // 2
        return 60 * statistics.linear_regression(self.moments[half:], self.values[name][half:]).slope

    def faults(self, lost: int) -> list[str]:
        """Return what a soak must not show, and did."""
        minutes = (self.moments[-1] - self.moments[len(self.moments) // 2]) / 60
        grown = [fault for name, bound in MEASURED.items() for fault in self._beyond(name, bound, minutes)]
        left = [] if self.settled else ["not all was finished"]
        return [*grown, *counted(refused=self.refused, lost=lost), *left]

    def _beyond(self, name: str, bound: Bound, minutes: float) -> Iterator[str]:
        slope, most = self.slope(name), max(self.values[name])
        if slope > bound.a_minute and slope * minutes > bound.in_all:
            yield f"{name} grows by {slope:.3f} {bound.unit} a minute, of at most {bound.a_minute:g}"
        if most > bound.most:
            yield f"{name} came to {most:.1f} {bound.unit}, of at most {bound.most:g}"


def changes() -> Iterator[bytes]:
    """Yield losses and reopenings of the same deals, for ever."""
    body = json.loads(SAMPLE.read_text())
    for number in itertools.count():
        turn, deal = divmod(number, DEALS)
        lost, stamp = turn % 2 == 0, datetime.now(UTC).isoformat(timespec="milliseconds")
        state = {"status": "lost" if lost else "ongoing", "closed_at": stamp if lost else None, "updated_at": stamp}
        body["transaction_uuid"] = str(uuid4())
        body["document"] |= {"id": f"deal-{deal}", "amount_total": 11050.5, **state}
        yield json.dumps(body).encode()


async def load(running: Running, seen: Seen, seconds: float, rate: float) -> None:
    """Post steadily, each webhook at its time."""
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        for number, body in enumerate(itertools.islice(changes(), round(seconds * rate))):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            tasks.create_task(_post(session, running, body, seen))


async def _post(session: aiohttp.ClientSession, running: Running, body: bytes, seen: Seen) -> None:
    headers = {"Content-Type": "application/json"}
    address = f"http://127.0.0.1:{running.port}{running.path}"
    try:
        async with session.post(address, data=body, headers=headers) as answer:
            await answer.read()
    except aiohttp.ClientError:  # no answer is none that the CRM could take for a yes
        seen.refused += 1
        return
    seen.acknowledged += answer.ok
    seen.refused += not answer.ok


async def watch(running: Running, seen: Seen, every: float) -> None:
    """Look again and again."""
    began = time.perf_counter()
    while True:
        seen.look(running, time.perf_counter() - began)
        await asyncio.sleep(every)


async def measure(folder: Path, seconds: float, rate: float) -> int:
    """Load, watch, report, and return the exit code."""
    sink, seen, kept = Sink(), Seen(), max(2, round(seconds / 10))
    (folder / "routes.yaml").write_text(RULES.replace("SINK", await sink.serve()))
    async with daemon(folder, BRIDGE_KEEP_EVENTS=f"{kept}s", BRIDGE_KEEP_BODIES=f"{max(1, kept // 2)}s") as running:
        watching = asyncio.create_task(watch(running, seen, seconds / SAMPLES))
        await load(running, seen, seconds, rate)
        watching.cancel()
        await sink.has(seen.acknowledged)
        seen.settled = await settled(folder)
    versions = f"Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}"
    print(f"machine    {platform.machine()}, {versions}, one processor for the daemon")
    print(f"load       {rate:g} webhooks a second of {DEALS} deals for {seconds:g} s; events kept for {kept} s")
    return tell(seen, sink)


def tell(seen: Seen, sink: Sink) -> int:
    """Print what grew, what came of the messages and the verdict, and return the exit code."""
    for name, (unit, *_) in MEASURED.items():
        values = seen.values[name]
        half = values[len(values) // 2 :]
        span = f"{min(half):.1f} to {max(half):.1f} {unit} in the second half"
        print(f"{name:10} {span}, {seen.slope(name):+.3f} a minute; most {max(values):.1f}")
    lost = seen.acknowledged - sink.count
    print(f"webhooks   acknowledged {seen.acknowledged}, refused {seen.refused}")
    print(f"messages   expected {seen.acknowledged}, lost {lost}, duplicated {sink.repeated}")
    return conclude(seen.faults(lost))


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="what grows in the first one is warming up")
    parser.add_argument("--rate", type=float, default=50, help="webhooks a second")
    arguments = parser.parse_args()
    pin(THEIRS)
    with tempfile.TemporaryDirectory() as name, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(measure(Path(name), 60 * arguments.minutes, arguments.rate)))


if __name__ == "__main__":
    main()
