"""A backup of a daemon at work, and a daemon on what was restored from it."""

import asyncio
import json
from typing import Any

import aiohttp

from tests.acceptance.test_life_of_a_deal import LOSSES
from tests.support.daemon import Daemon
from tests.support.deals import Deal


async def _post(daemon: Daemon, bodies: list[dict[str, Any]], acknowledged: list[str]) -> None:
    async with aiohttp.ClientSession() as session:
        for body in bodies:
            async with session.post(daemon.hook, json=body) as answer:
                assert answer.status == 200
                acknowledged.append((await answer.json())["event_id"])


async def test_a_backup_under_load_has_every_event_acknowledged_before_it_began(daemon: Daemon) -> None:
    await daemon.start(LOSSES)
    acknowledged: list[str] = []
    bodies = [[Deal(f"{c}-{n}").lost() for n in range(150)] for c in range(4)]
    load = asyncio.gather(*(_post(daemon, each, acknowledged) for each in bodies))
    async with asyncio.timeout(15):
        while len(acknowledged) < 40:
            await asyncio.sleep(0.005)
    before = list(acknowledged)
    code, out, err = await daemon.bridge("backup", "backup", "--format", "json")
    assert (code, err) == (0, "")
    kept = json.loads(out)["events"]
    meanwhile = len(acknowledged)
    await load
    assert meanwhile > len(before), "nothing was stored while the backup ran: it proves nothing"
    address = daemon.hook.partition("/hooks/")[2]
    code, _, err = await daemon.bridge("restore", "backup", "--yes")
    assert (code, "in use by process" in err) == (1, True)
    assert await daemon.stop() == 0
    code, _, err = await daemon.bridge("restore", "backup", "--yes")
    assert (code, err) == (0, "")
    await daemon.start()
    assert daemon.hook.partition("/hooks/")[2] == address
    await daemon.settle(60)
    events = {event["id"] for event in (await daemon.ask("/api/events?limit=1000"))["events"]}
    assert len(events) == kept
    assert set(before) <= events
    code, _, err = await daemon.bridge("events", "--data", "backup")
    assert code == 0, err
