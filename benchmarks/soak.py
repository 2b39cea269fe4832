"""Does anything grow? ``make soak``.

A fixed number of deals is lost and reopened in turns, at a steady rate, for twenty minutes, and retention lets go of
what is older than a tenth of that. Memory, open files, log and database are looked at meanwhile; what each of them
grows by in a minute is told of the second half, when everything has come to its size.
"""

import argparse
import asyncio
import itertools
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import aiohttp
import apsw
import uvloop

from benchmarks.drain import settled
from benchmarks.ingest import SAMPLE
from benchmarks.running import THEIRS, Running, daemon, pin, until
from benchmarks.sink import Sink

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
MEASURED = {"memory": "MiB", "files": "open", "log": "MiB", "database": "MiB"}


@dataclass
class Seen:
    """What was measured, with the seconds from the beginning, and how many webhooks were acknowledged."""

    moments: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MEASURED})
    acknowledged: int = 0
    refused: int = 0

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
    async with session.post(f"http://127.0.0.1:{running.port}{running.path}", data=body, headers=headers) as answer:
        await answer.read()
        if answer.ok:
            seen.acknowledged += 1
        else:
            seen.refused += 1


async def watch(running: Running, seen: Seen, every: float) -> None:
    """Look again and again."""
    began = time.perf_counter()
    while True:
        seen.look(running, time.perf_counter() - began)
        await asyncio.sleep(every)


async def measure(folder: Path, seconds: float, rate: float) -> None:
    """Load, watch, and report."""
    sink, seen, kept = Sink(), Seen(), max(2, round(seconds / 10))
    (folder / "routes.yaml").write_text(RULES.replace("SINK", await sink.serve()))
    async with daemon(folder, BRIDGE_KEEP_EVENTS=f"{kept}s", BRIDGE_KEEP_BODIES=f"{max(1, kept // 2)}s") as running:
        watching = asyncio.create_task(watch(running, seen, seconds / SAMPLES))
        await load(running, seen, seconds, rate)
        watching.cancel()
        await until(lambda: sink.count >= seen.acknowledged, 60)
        await settled(running)
    versions = f"Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}"
    print(f"machine    {platform.machine()}, {versions}, one processor for the daemon")
    print(f"load       {rate:g} webhooks a second of {DEALS} deals for {seconds:g} s; events kept for {kept} s")
    tell(seen, sink)


def tell(seen: Seen, sink: Sink) -> None:
    """Print what grew, and what came of the messages."""
    for name, unit in MEASURED.items():
        values = seen.values[name]
        half = values[len(values) // 2 :]
        span = f"{min(half):.1f} to {max(half):.1f} {unit} in the second half"
        print(f"{name:10} {span}, {seen.slope(name):+.3f} a minute; most {max(values):.1f}")
    lost = seen.acknowledged - sink.count
    print(f"webhooks   acknowledged {seen.acknowledged}, refused {seen.refused}")
    print(f"messages   expected {seen.acknowledged}, lost {lost}, duplicated {sink.repeated}")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--rate", type=float, default=50, help="webhooks a second")
    arguments = parser.parse_args()
    pin(THEIRS)
    with tempfile.TemporaryDirectory() as name, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(Path(name), 60 * arguments.minutes, arguments.rate))


if __name__ == "__main__":
    main()
