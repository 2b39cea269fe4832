"""What bounds a running daemon: a disk that fills up, a file that cannot be written, limits, retention."""

import asyncio
import resource
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tests.acceptance.test_life_of_a_deal import LOSSES
from tests.support.daemon import Daemon
from tests.support.deals import Deal
from tests.support.sink import Sink

MIB = 2**20


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.05)


async def status_of(daemon: Daemon, body: Any) -> tuple[int, str]:
    """Post a webhook; return the status, and the id of its event if it was acknowledged."""
    async with aiohttp.ClientSession() as session, session.post(daemon.hook, json=body) as answer:
        return answer.status, (await answer.json())["event_id"] if answer.status < 300 else ""


async def readiness(daemon: Daemon) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(daemon.base + "/readyz") as answer:
        return answer.status, await answer.json()


async def test_a_disk_that_is_full_makes_no_answer_false_and_is_left_without_a_restart(
    daemon: Daemon, sink: Sink
) -> None:
    await daemon.start(LOSSES)
    kept = {(await status_of(daemon, Deal("first").lost()))[1]}
    await daemon.settle()
    full = (daemon.data / "bridge.db-wal").stat().st_size + 200_000
    no_limit = daemon.limit(resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    statuses = []
    for number in range(60):
        status, event_id = await status_of(daemon, Deal(f"full-{number}", "x" * 5000).lost())
        statuses.append(status)
        kept |= {event_id} - {""}
    assert statuses[0] == 200, "there was room for some"
    assert set(statuses) == {200, 503}

    async def told() -> bool:
        return "the store cannot be used now" in (await readiness(daemon))[1].get("reason", "")

    await until(told)
    assert "the store cannot be used now" in (await daemon.ask("/api/status"))["no_room"]
    daemon.limit(resource.RLIMIT_FSIZE, no_limit)
    assert (await status_of(daemon, Deal("later").lost()))[0] == 200

    async def ready() -> bool:
        return (await readiness(daemon))[0] == 200

    await until(ready)
    await daemon.settle(30)
    events = (await daemon.ask("/api/events?limit=1000"))["events"]
    assert kept <= {event["id"] for event in events}
    assert len(events) == statuses.count(200) + 2
    assert len(sink.got) >= len(events), "and all of them were delivered"


async def test_a_store_that_was_moved_away_takes_nothing_until_it_is_put_back(daemon: Daemon) -> None:
    await daemon.start(LOSSES)
    kept = {(await status_of(daemon, Deal("first").lost()))[1]}
    await daemon.settle()
    elsewhere = daemon.data.with_name("elsewhere")
    daemon.data.rename(elsewhere)
    assert (await status_of(daemon, Deal("moved").lost()))[0] == 503
    daemon.data.mkdir()

    async def told() -> bool:
        status, answer = await readiness(daemon)
        return status == 503 and "was removed or replaced" in answer["reason"]

    await until(told)
    assert (await status_of(daemon, Deal("replaced").lost()))[0] == 503
    daemon.data.rmdir()
    elsewhere.rename(daemon.data)
    status, event_id = await status_of(daemon, Deal("later").lost())
    assert status == 200
    await daemon.settle(30)
    assert kept | {event_id} <= {event["id"] for event in (await daemon.ask("/api/events"))["events"]}


async def test_a_reached_backlog_turns_webhooks_away_and_a_drained_one_takes_them_again(
    daemon: Daemon, sink: Sink
) -> None:
    await daemon.start(LOSSES, BRIDGE_BACKLOG_LIMIT="3")
    sink.status = 503
    for number in range(3):
        assert (await status_of(daemon, Deal(f"d{number}").lost()))[0] == 200

    async def turned_away() -> bool:
        return (await readiness(daemon))[0] == 503

    await until(turned_away)
    told = (await readiness(daemon))[1]
    assert (told["ready"], told["reason"]) == (False, "the backlog has reached its limit: 3 of 3 wait")
    assert (await daemon.ask("/api/status"))["no_room"] == told["reason"]
    assert (await status_of(daemon, Deal("one-too-many").lost()))[0] == 503
    assert '"event":"no room"' in daemon.log
    sink.status = 200
    await daemon.settle(30)

    async def taken() -> bool:
        return (await status_of(daemon, Deal("taken-again").lost()))[0] == 200

    await until(taken)
    assert (await readiness(daemon))[1]["ready"]
    assert (await daemon.ask("/api/status"))["no_room"] is None
    await daemon.settle(30)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"BRIDGE_DISK_RESERVE": "9999TiB"}, "the disk is nearly full"),
        ({"BRIDGE_STORE_LIMIT": "1MiB"}, "the store has reached its limit"),
    ],
)
async def test_every_limit_has_its_effect(daemon: Daemon, settings: dict[str, str], reason: str) -> None:
    await daemon.start(LOSSES, **settings)

    async def turned_away() -> bool:
        await status_of(daemon, Deal(f"large-{asyncio.get_running_loop().time()}", "x" * 200_000).lost())
        return reason in (await readiness(daemon))[1].get("reason", "")

    await until(turned_away)
    assert (await status_of(daemon, Deal("no-room").lost()))[0] == 503


async def test_what_has_been_kept_for_long_enough_goes(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(LOSSES, BRIDGE_KEEP_EVENTS="2s", BRIDGE_KEEP_BODIES="1s")
    deal = Deal("busy")
    bodies = [change() for _ in range(5) for change in (deal.lost, deal.reopened)]
    for body in bodies:
        await daemon.post(body)
    await daemon.settle()

    async def gone() -> bool:
        return len((await daemon.ask("/api/events"))["events"]) <= 2

    await until(gone)
    assert '"event":"pruned"' in daemon.log
    sent = len(sink.got)
    _, answer = await daemon.post(bodies[0])
    assert answer["status"] == "stored", "its event is gone"
    await daemon.post(deal.lost())
    await daemon.settle()
    assert len(sink.got) == sent + 1, "what is repeated is no change all the same, and what is new is one"
