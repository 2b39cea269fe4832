"""How much does it ask the CRM, to put names into messages? ``make bench-names``.

A simulated CRM with ten thousand events an hour, and its limit of 120 requests a minute over both APIs; a daemon with
500 routes, each of which speaks of people, contacts, organizations and deals that no webhook tells of. It prints
how many requests went in the busiest minute, how often the CRM had to refuse one, where names were found, and how many
messages had to go without one.

The exit code is 1 if an event or a message was lost, or the CRM refused a request for being one too many.
"""

import argparse
import asyncio
import contextlib
import json
import re
import sys
import tempfile
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import uvloop

from benchmarks.running import Running, daemon, settled
from benchmarks.sink import Sink
from benchmarks.verdict import bar, conclude, counted
from bridge.simulator import Simulator, SimulatorSettings, VirtualClock
from bridge.simulator.telling import Note

HEAD = """\
version: 1
sources:
  crm: {type: rdstation_crm, api: {token: simulated, url: "URL"}}
targets:
  team: {type: http, url: "SINK", concurrency: 32}
routes:
"""
DEAL = """\
  - name: deal-NUMBER
    on: crm_deal_updated
    match: {id: {ends_with: "DIGIT"}}
    deliver:
      - to: team
        body: {deal: "{{ deal.name }}", contacts: "{{ deal.contacts | map(attribute='name') | list }}",
               organization: "{{ deal.organization.name }}", stage: "{{ deal.deal_stage.name }}"}
"""
TASK = """\
  - name: task-NUMBER
    on: [crm_task_created, crm_task_updated]
    match: {id: {ends_with: "DIGIT"}}
    deliver:
      - to: team
        body: {task: "{{ task.name }}", deal: "{{ task.deal.name }}",
               owners: "{{ task.owners | map(attribute='name') | list }}"}
"""
BAR = 120
MINUTE = timedelta(minutes=1)
LOOKED_UP = re.compile(r'bridge_look_ups_total\{place="(\w+)",source="crm"\} (\d+)')


def rules(routes: int, crm: str, sink: str) -> str:
    """Return so many routes; a sixteenth of them hears of each entity, by the last digit of its id."""
    made = [(DEAL, TASK)[number % 2].replace("NUMBER", str(number)) for number in range(routes)]
    parts = [part.replace("DIGIT", f"{number // 2 % 16:x}") for number, part in enumerate(made)]
    return HEAD.replace("URL", crm).replace("SINK", sink) + "".join(parts)


def busiest(moments: list[datetime]) -> int:
    """Return how many requests the busiest minute had."""
    within: deque[datetime] = deque()
    most = 0
    for moment in moments:
        within.append(moment)
        while within[0] <= moment - MINUTE:
            within.popleft()
        most = max(most, len(within))
    return most


async def places(running: Running) -> dict[str, int]:
    """Return where names were found, as the daemon counts it."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{running.port}/metrics") as answer:
        return {place: int(count) for place, count in LOOKED_UP.findall(await answer.text())}


async def incomplete(folder: Path) -> tuple[int, int]:
    """Return how many events were told, and how many of them without a name, of the newest thousand."""
    connector = aiohttp.UnixConnector(str(folder / "data/bridge.sock"))
    address = "http://bridge/api/events?state=routed&limit=10000"
    async with aiohttp.ClientSession(connector=connector) as session, session.get(address) as answer:
        events = (await answer.json())["events"]
    return len(events), sum("without" in (event["reason"] or "") for event in events)


async def run(options: argparse.Namespace, folder: Path) -> int:
    """Let the team live for some minutes, and print what came of it."""
    requests: list[datetime] = []
    refused = 0

    def hear(note: Note) -> None:
        nonlocal refused
        if note.what.startswith("api"):
            requests.append(note.at)
            refused += note.text.endswith(" 429")

    sink = Sink()
    settings = SimulatorSettings(events_per_hour=options.events, suspend_after=10**6, deals=400)
    address = await sink.serve()
    async with Simulator(settings, VirtualClock(datetime.now(UTC)), hear) as crm:
        (folder / "routes.yaml").write_text(rules(options.routes, crm.url, address))
        async with daemon(folder) as running:
            crm.register_all(f"http://127.0.0.1:{running.port}{running.path}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(crm.run(), options.minutes * 60)
            done = await settled(folder)
            found, (told, without) = await places(running), await incomplete(folder)
            lost = len(crm.truth().lost)
    most, looked = busiest(requests), sum(found.values())
    near = sum(found.get(place, 0) for place in ("state", "memory"))
    print(f"routes     {options.routes}, {options.minutes:g} minutes at {options.events:g} events an hour")
    print(
        f"requests   {len(requests)}, {most} in the busiest minute ({bar(BAR, holds=most <= BAR)}), {refused} refused"
    )
    print(f"looked up  {looked}: {json.dumps(found)}; {near / max(looked, 1):.1%} without asking the CRM")
    print(f"messages   {sink.count}, {sink.repeated} repeated; events told {told}, {without} of them without a name")
    faults = counted(lost_events=lost, refused_requests=refused)
    return conclude(faults if done else [*faults, "it never settled"])


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--routes", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--events", type=float, default=10_000.0)
    with tempfile.TemporaryDirectory() as folder:
        return uvloop.run(run(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
