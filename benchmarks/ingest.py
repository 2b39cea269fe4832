"""How fast is a durable 2xx, against a handler that keeps nothing? ``make bench-ingest``.

Both handlers live on one event loop of one process; this process is the CRM, and the service that gets the messages.
Rounds alternate; each pair gives a ratio, and the median of the ratios is the figure. Between rounds the daemon works
off its backlog, so that no round pays for another's.

The exit code is 1 if anything was lost, refused or left unfinished. A bar that is missed is told, and is no failure.
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
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import apsw
import uvloop
from aiohttp import web

from benchmarks.load import Result, post_all
from benchmarks.running import settled
from benchmarks.verdict import bar, conclude, counted

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  team: {type: http, url: "SINK", concurrency: 16}
routes:
  - name: losses
    on: deal.lost
    match: {amount_total: {gte: 1000}}
    deliver:
      - {to: team, body: {deal: "{{ deal.id }}", text: "{{ deal.name }}: {{ deal.amount_total | money }}"}}
"""
BAR = 0.5
SAMPLE = Path(__file__).parents[1] / "bridge/rdstation/official/crm_deal_updated.json"


def webhooks(count: int, series: str, lost_in: int = 10) -> Iterator[bytes]:
    """Yield updates of ever new deals; one in so many is a loss."""
    body = json.loads(SAMPLE.read_text())
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
    for number in range(count):
        lost = number % lost_in == 0
        body["transaction_uuid"] = str(uuid4())
        body["document"] |= {
            "id": f"{series}-{number}",
            "amount_total": 11050.5,
            "updated_at": stamp,
            "status": "lost" if lost else "ongoing",
            "closed_at": stamp if lost else None,
        }
        yield json.dumps(body).encode()


class Sink:
    """Counts the deals it is told of."""

    def __init__(self) -> None:
        """Start empty."""
        self.told: Counter[str] = Counter()

    async def take(self, request: web.Request) -> web.Response:
        """Count one message."""
        self.told[(await request.json())["deal"]] += 1
        return web.Response(text="ok")

    async def serve(self) -> str:
        """Return the address it listens on."""
        app = web.Application()
        app.router.add_post("/", self.take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/"


@contextlib.asynccontextmanager
async def server(folder: Path) -> AsyncIterator[dict[str, str]]:
    """Run the server process, and stop it with SIGTERM."""
    command = (sys.executable, "-m", "benchmarks.server", str(folder))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    while not (line := await process.stdout.readline()).startswith(b'{"bare"'):
        if not line:
            raise SystemExit("the server did not start")
    yield json.loads(line)
    process.terminate()
    await process.wait()


async def measure(folder: Path, rounds: int, count: int, connections: int) -> tuple[list[Result], list[Result], Sink]:
    """Alternate between the two, and return what each round came to."""
    sink = Sink()
    (folder / "routes.yaml").write_text(RULES.replace("SINK", await sink.serve()))
    bare, product = [], []
    async with server(folder) as ports:
        port, path = int(ports["address"].split(":")[2].split("/")[0]), "/" + ports["address"].split("/", 3)[3]
        await post_all(int(ports["bare"]), "/hooks/crm/bare", iter(list(webhooks(2000, "w"))), connections)
        for number in range(rounds):
            bodies = list(webhooks(count, f"b{number}"))
            bare.append(await post_all(int(ports["bare"]), "/hooks/crm/bare", iter(bodies), connections))
            product.append(await post_all(port, path, iter(bodies), connections))
            began = time.perf_counter()
            product[-1].settled = await settled(folder)
            product[-1].worked_off = time.perf_counter() - began
    return bare, product, sink


def stored(folder: Path) -> int:
    """Count the webhooks in the file the daemon left, beside which are its own events."""
    connection = apsw.Connection(str(folder / "data/bridge.db"), flags=apsw.SQLITE_OPEN_READONLY)
    [(count,)] = connection.execute("SELECT count(*) FROM event WHERE source = 'crm'")
    return int(count)


def report(bare: list[Result], product: list[Result], sink: Sink, in_store: int, arguments: argparse.Namespace) -> int:
    """Print the figures with what they were taken on and the verdict, and return the exit code."""
    ratios = [ours.rate / theirs.rate for ours, theirs in zip(product, bare, strict=True)]
    acknowledged = sum(result.acknowledged for result in product)
    refused = arguments.rounds * arguments.count - acknowledged
    lost, twice = max(0, acknowledged - in_store), max(0, in_store - acknowledged)
    losses = arguments.rounds * -(-arguments.count // 10)
    told, repeated = len(sink.told), sum(sink.told.values()) - len(sink.told)
    print(f"machine    {platform.machine()}, Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}")
    print(f"load       {arguments.rounds} rounds of {arguments.count} webhooks, {arguments.connections} connections")
    print(f"bare       {rates(bare)}")
    print(f"bridge     {rates(product)}")
    ratio = statistics.median(ratios)
    print(f"ratio      {ratio:.2f} ({bar(BAR, holds=ratio >= BAR)}), by round {[round(each, 2) for each in ratios]}")
    after = statistics.median(arguments.count / result.worked_off for result in product)
    print(f"worked off {after:7.0f}/s after each burst")
    print(f"events     acknowledged {acknowledged}, refused {refused}, lost {lost}, duplicated {twice}")
    print(f"messages   expected {losses}, lost {losses - told}, duplicated {repeated}")
    unsettled = sum(not result.settled for result in product)
    return conclude(
        counted(refused=refused, lost_events=lost, lost_messages=losses - told, rounds_that_did_not_settle=unsettled)
    )


def rates(results: list[Result]) -> str:
    """Return the medians over the rounds, and the worst round's p99."""
    rate = statistics.median(result.rate for result in results)
    median = statistics.median(result.percentile(0.5) for result in results)
    p99 = [result.percentile(0.99) for result in results]
    return f"{rate:7.0f}/s  p50 {median:.1f} ms  p99 {statistics.median(p99):.1f} ms (worst {max(p99):.1f})"


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=64)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        folder = Path(name)
        bare, product, sink = runner.run(measure(folder, arguments.rounds, arguments.count, arguments.connections))
        sys.exit(report(bare, product, sink, stored(folder), arguments))


if __name__ == "__main__":
    main()
