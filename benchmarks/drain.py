"""How fast does a backlog leave, and how fast do webhooks become messages? ``make bench-delivery``.

The daemon has one processor to itself; so has, in its turns, a bare aiohttp client that posts the same bodies to the
same service. Rounds alternate; each pair gives a ratio, and the median of the ratios is the figure.

- drain: events that are stored already are matched, rendered, claimed, posted and recorded
- end to end: webhooks are received and their messages delivered, all at once
"""

import argparse
import asyncio
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import apsw
import uvloop

from benchmarks.ingest import RULES, webhooks
from benchmarks.load import post_all
from benchmarks.running import THEIRS, Running, daemon, pin, until
from benchmarks.sink import Sink
from bridge.component import SourceOptions
from bridge.model import Event, SystemClock, new_id
from bridge.sources.rdstation_crm import RdStationCrm
from bridge.store.sqlite import open_store

CONNECTIONS = 16


async def fill(folder: Path, count: int, series: str) -> None:
    """Store so many losses as ingest would, without a daemon."""
    store, clock = await open_store(folder / "data"), SystemClock()
    source = RdStationCrm("crm", SourceOptions())
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


async def drain(folder: Path, sink: Sink, count: int, series: str) -> tuple[float, list[float]]:
    """Return how many of the stored events a second were delivered, and what memory the daemon took meanwhile."""
    await fill(folder, count, series)
    sink.clear()
    memory: list[float] = []
    async with daemon(folder) as running:
        watching = asyncio.create_task(_watch(running, memory))
        await until(lambda: sink.count >= count, 600)
        watching.cancel()
        await settled(running)
    return sink.rate, memory


async def end_to_end(folder: Path, sink: Sink, count: int, series: str) -> float:
    """Return how many webhooks a second were received and delivered."""
    sink.clear()
    bodies = list(webhooks(count, series, lost_in=1))
    async with daemon(folder) as running:
        began = time.perf_counter()
        result = await post_all(running.port, running.path, iter(bodies), 64)
        assert result.acknowledged == count
        await until(lambda: sink.count >= count, 600)
        taken = sink.times[-1] - began
        await settled(running)
    return count / taken


async def settled(running: Running) -> None:
    """Return once the last outcome is recorded."""
    async with asyncio.timeout(30):
        while any((await running.ask("/api/status"))["backlog"]["deliveries"].values()):  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.02)


async def _watch(running: Running, memory: list[float]) -> None:
    while True:
        memory.append(running.memory())
        await asyncio.sleep(0.25)


async def measure(folder: Path, arguments: argparse.Namespace) -> None:
    """Alternate, and report."""
    sink = Sink()
    address = await sink.serve()
    (folder / "routes.yaml").write_text(RULES.replace("SINK", address))
    drained, sustained, posted, lost, twice = [], [], [], 0, 0
    for number in range(arguments.rounds):
        posted.append(await bare(sink, address, arguments.count))
        rate, _ = await drain(folder, sink, arguments.count, f"d{number}")
        drained.append(rate)
        lost, twice = lost + arguments.count - sink.count, twice + sink.repeated
        sustained.append(await end_to_end(folder, sink, arguments.count, f"e{number}"))
        lost, twice = lost + arguments.count - sink.count, twice + sink.repeated
    print(f"machine    {platform.machine()}, Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}")
    print(f"load       {arguments.rounds} rounds of {arguments.count} losses, {CONNECTIONS} at once, one processor")
    print(f"bare       {statistics.median(posted):7.0f}/s")
    tell("drain", drained, posted, 0.5)
    tell("end to end", sustained, posted, 0.3)
    print(f"messages   expected {2 * arguments.rounds * arguments.count}, lost {lost}, duplicated {twice}")
    if arguments.long:
        await tell_long(folder, sink, arguments.long)


def tell(what: str, ours: Sequence[float], theirs: Sequence[float], bar: float) -> None:
    """Print a rate beside the bare client's."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    rounds = [round(ratio, 2) for ratio in ratios]
    print(f"{what:10} {statistics.median(ours):7.0f}/s  ratio {statistics.median(ratios):.2f} (bar {bar}), {rounds}")


async def tell_long(folder: Path, sink: Sink, count: int) -> None:
    """Drain a long backlog, and print what memory that took."""
    rate, memory = await drain(folder, sink, count, "long")
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
        runner.run(measure(Path(name), arguments))


if __name__ == "__main__":
    main()
