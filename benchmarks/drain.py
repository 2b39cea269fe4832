"""How fast does a backlog leave, and how fast do webhooks become messages? ``make bench-delivery``.

The daemon has one processor to itself; so has, in its turns, a bare aiohttp client that posts the same bodies to the
same service. Rounds alternate; each pair gives a ratio, and the median of the ratios is the figure.

- drain: events that are stored already are matched, rendered, claimed, posted and recorded
- end to end: webhooks are received and their messages delivered, all at once

The exit code is 1 if anything was lost, refused or left unfinished. A bar that is missed is told, and is no failure.
"""

import argparse
import asyncio
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw
import uvloop

from benchmarks.ingest import RULES, webhooks
from benchmarks.load import post_all
from benchmarks.running import THEIRS, Running, daemon, pin, settled
from benchmarks.sink import Sink
from benchmarks.verdict import bar, conclude, counted
from bridge.model import Event, SystemClock, new_id
from bridge.sources.rdstation_crm import RdStationCrm, RdStationCrmOptions
from bridge.store.sqlite import open_store

CONNECTIONS = 16


@dataclass
class Tally:
    """What became of the webhooks and messages of all rounds, and how many rounds did not end."""

    expected: int = 0
    refused: int = 0
    lost: int = 0
    repeated: int = 0
    unsettled: int = 0

    async def take(self, folder: Path, sink: Sink, count: int) -> None:
        """Wait for so many messages and the last outcome, and add what came."""
        await sink.has(count)
        self.unsettled += not await settled(folder)
        self.expected += count
        self.lost += count - sink.count
        self.repeated += sink.repeated

    def faults(self) -> list[str]:
        """Return what there must be none of, and is."""
        return counted(refused=self.refused, lost=self.lost, rounds_that_did_not_settle=self.unsettled)


async def fill(folder: Path, count: int, series: str) -> None:
    """Store so many losses as ingest would, without a daemon."""
    store, clock = await open_store(folder / "data"), SystemClock()
    source = RdStationCrm("crm", RdStationCrmOptions())
    adding = []
    for body in webhooks(count, series, lost_in=1):
        read = source.read(body)
        event = Event(new_id("evt"), "crm", read.name, read.entity, read.dedup_key, body, clock.now(), read.occurred_at)
        adding.append(store.add(event))
        if len(adding) == 500:
            await asyncio.gather(*adding)
            adding = []
    await asyncio.gather(*adding)
    await store.close()


async def bare(sink: Sink, address: str, count: int) -> float:
    """Return how many bodies a second the bare client posts."""
    sink.clear()
    command = (sys.executable, "-m", "benchmarks.client", address, str(count), str(CONNECTIONS))
    process = await asyncio.create_subprocess_exec(*command)
    await process.wait()
    return sink.rate


async def drain(folder: Path, sink: Sink, count: int, series: str, tally: Tally) -> tuple[float, list[float]]:
    """Return how many of the stored events a second were delivered, and what memory the daemon took meanwhile."""
    await fill(folder, count, series)
    sink.clear()
    memory: list[float] = []
    async with daemon(folder) as running:
        watching = asyncio.create_task(_watch(running, memory))
        await tally.take(folder, sink, count)
        watching.cancel()
    return sink.rate, memory


async def end_to_end(folder: Path, sink: Sink, count: int, series: str, tally: Tally) -> float:
    """Return how many webhooks a second were received and delivered."""
    sink.clear()
    bodies = list(webhooks(count, series, lost_in=1))
    async with daemon(folder) as running:
        began = time.perf_counter()
        result = await post_all(running.port, running.path, iter(bodies), 64)
        tally.refused += count - result.acknowledged
        await tally.take(folder, sink, result.acknowledged)
    return sink.count / (sink.times[-1] - began) if sink.times else 0.0


async def _watch(running: Running, memory: list[float]) -> None:
    while True:
        memory.append(running.memory())
        await asyncio.sleep(0.25)


async def measure(folder: Path, arguments: argparse.Namespace) -> int:
    """Alternate, report, and return the exit code."""
    sink = Sink()
    address = await sink.serve()
    (folder / "routes.yaml").write_text(RULES.replace("SINK", address))
    drained, sustained, posted, tally = [], [], [], Tally()
    for number in range(arguments.rounds):
        posted.append(await bare(sink, address, arguments.count))
        rate, _ = await drain(folder, sink, arguments.count, f"d{number}", tally)
        drained.append(rate)
        sustained.append(await end_to_end(folder, sink, arguments.count, f"e{number}", tally))
    print(f"machine    {platform.machine()}, Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}")
    print(f"load       {arguments.rounds} rounds of {arguments.count} losses, {CONNECTIONS} at once, one processor")
    print(f"bare       {statistics.median(posted):7.0f}/s")
    tell("drain", drained, posted, 0.5)
    tell("end to end", sustained, posted, 0.3)
    print(f"messages   expected {tally.expected}, lost {tally.lost}, duplicated {tally.repeated}")
    if arguments.long:
        await tell_long(folder, sink, arguments.long, tally)
    return conclude(tally.faults())


def tell(what: str, ours: Sequence[float], theirs: Sequence[float], least: float) -> None:
    """Print a rate beside the bare client's."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    rounds = [round(ratio, 2) for ratio in ratios]
    ratio = statistics.median(ratios)
    told = bar(least, holds=ratio >= least)
    print(f"{what:10} {statistics.median(ours):7.0f}/s  ratio {ratio:.2f} ({told}), {rounds}")


async def tell_long(folder: Path, sink: Sink, count: int, tally: Tally) -> None:
    """Drain a long backlog, and print what memory that took."""
    rate, memory = await drain(folder, sink, count, "long", tally)
    fifth = max(1, len(memory) // 5)
    means = [statistics.mean(memory[n * fifth : (n + 1) * fifth]) for n in range(5) if memory[n * fifth :]]
    print(f"long       {count} at {rate:.0f}/s, lost {count - sink.count}, duplicated {sink.repeated}")
    print(f"memory     by fifths {[round(mean, 1) for mean in means]} MiB, most {max(memory):.1f}")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--long", type=int, default=0, help="drain so many more at the end, and watch the memory")
    arguments = parser.parse_args()
    pin(THEIRS)
    with tempfile.TemporaryDirectory() as name, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(measure(Path(name), arguments)))


if __name__ == "__main__":
    main()
