"""Never a flood, and nobody in the way of others: channels of Slack, turns of routes, and targets that are dead."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from tests.support.daemon import Daemon
from tests.support.deals import Deal
from tests.support.sink import Sink

CHANNELS = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  slack: {type: slack, token: xoxb-test, channel: C0SALES, api_url: "{sink}/api"}
routes:
  - name: losses
    on: deal.lost
    deliver:
      - {to: slack, text: "{{ deal.id }}"}
      - {to: slack, channel: C0BOARD, text: "{{ deal.id }}"}
"""
TURNS = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  team: {type: http, url: "{sink}/team", concurrency: 1, timeout: 60}
routes:
  - {name: bulk, on: deal.lost, deliver: [{to: team, body: {text: "lost {{ deal.id }}"}}]}
  - {name: alerts, on: deal.won, deliver: [{to: team, body: {text: "won {{ deal.id }}"}}]}
"""
DEAD = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  unreachable: {type: http, url: "http://127.0.0.1:9/"}
  silent: {type: http, url: "{silent}/", concurrency: 3, timeout: 60}
  team: {type: http, url: "{sink}/team"}
routes:
  - name: losses
    on: deal.lost
    deliver:
      - {to: unreachable, body: {text: "{{ deal.id }}"}}
      - {to: silent, body: {text: "{{ deal.id }}"}}
      - {to: team, body: {text: "{{ deal.id }}"}}
"""
APART = 0.5
"""Seconds, of the one that lies between two claims: on a busy machine the first request takes longer to arrive."""


@pytest.fixture
async def silent() -> AsyncIterator[Sink]:
    """A service that takes requests and answers none."""
    async with Sink() as running:
        running.hold()
        yield running


async def post_all(daemon: Daemon, bodies: Iterable[dict[str, Any]]) -> None:
    """Post webhooks one after another over one connection."""
    async with aiohttp.ClientSession() as session:
        for body in bodies:
            async with session.post(daemon.hook, json=body) as answer:
                assert answer.status == 200


def losses(count: int) -> Iterable[dict[str, Any]]:
    return (Deal(f"d{number}").lost() for number in range(count))


async def routed(daemon: Daemon) -> None:
    """Return once every event is decided."""
    async with asyncio.timeout(15):
        while (await daemon.ask("/api/status"))["backlog"]["events_received"]:
            await asyncio.sleep(0.02)


async def test_the_rate_of_a_known_service_holds_by_itself_for_each_channel(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(CHANNELS)
    await post_all(daemon, losses(3))
    await daemon.settle()
    assert len(sink.got) == 6
    times = {name: [got.at for got in sink.got if got.body["channel"] == name] for name in ("C0SALES", "C0BOARD")}
    for each in times.values():
        assert all(later - earlier >= APART for earlier, later in pairwise(each))
    assert times["C0BOARD"][0] < times["C0SALES"][1], "no channel waits for another"
    assert times["C0SALES"][0] < times["C0BOARD"][1], "no channel waits for another"


async def test_a_bulk_of_one_route_delays_an_alert_of_another_by_a_turn(daemon: Daemon, sink: Sink) -> None:
    sink.hold()
    await daemon.start(TURNS)
    await post_all(daemon, losses(300))
    await daemon.post(Deal("alert").lost(status="won", deal_lost_reason={}))
    await sink.reached(1)
    await routed(daemon)
    sink.release()
    await daemon.settle(60)
    assert len(sink.texts) == len(set(sink.texts)) == 301
    ahead = sink.texts.index("won alert")
    assert ahead <= 3, "what is under way, what was claimed ahead, and one turn"


async def test_targets_that_are_dead_delay_no_other(daemon: Daemon, sink: Sink, silent: Sink) -> None:
    await daemon.start(DEAD.replace("{silent}", silent.url))
    await post_all(daemon, losses(100))
    await silent.reached(3)
    await sink.reached(100)
    assert len({got.id for got in sink.got}) == len(sink.got) == 100
    assert len(silent.got) == 3, "its places are taken, and it takes nobody else's"
