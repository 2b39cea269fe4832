"""The team hears of trouble in the messages it reads anyway, and trouble with those messages makes no more of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import pytest

from tests.support.daemon import Daemon
from tests.support.deals import Deal
from tests.support.sink import Sink

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  billing: {type: http, url: "{billing}", allow_private: [127.0.0.0/8]}
  team: {type: http, url: "{sink}", allow_private: [127.0.0.0/8], concurrency: 1}
routes:
  - name: losses
    on: deal.lost
    deliver:
      - {to: billing, body: {text: "{{ deal.name }}"}}
  - name: targets
    on: [bridge.target_paused, bridge.target_resumed]
    deliver:
      - {to: team, body: {text: "{{ target.name }} {{ target.state }} {{ target.by }}: {{ target.reason }}"}}
  - name: letters
    on: bridge.delivery_dead
    deliver:
      - {to: team, body: {text: "{{ dead_letter.count }} dead of {{ dead_letter.route }}: {{ dead_letter.reason }}"}}
  - name: rules
    on: bridge.reload_*
    deliver:
      - {to: team, body: {text: "{{ rules.state }}: {{ rules.count }}"}}
"""


@pytest.fixture
async def billing() -> AsyncIterator[Sink]:
    async with Sink() as running:
        yield running


async def start(daemon: Daemon, billing: Sink) -> None:
    await daemon.start(RULES.replace("{billing}", billing.url))


async def own_events(daemon: Daemon) -> Counter[str]:
    events = (await daemon.ask("/api/events?source=bridge&limit=1000"))["events"]
    return Counter(event["name"] for event in events)


async def told(daemon: Daemon, expected: Mapping[str, int]) -> None:
    """Return once these events about bridge are stored, and nothing waits."""
    async with asyncio.timeout(15):
        while await own_events(daemon) != expected:
            await asyncio.sleep(0.02)
    await daemon.settle()


async def test_a_target_that_is_refused_and_its_return_are_told_through_another(
    daemon: Daemon, sink: Sink, billing: Sink
) -> None:
    billing.status = 401
    await start(daemon, billing)
    await daemon.post(Deal("d1").lost())
    await sink.reached(1)
    assert sink.texts == ["billing paused bridge: answered 401 Unauthorized"]
    billing.status = 200
    assert (await daemon.bridge("resume", "billing"))[0] == 0
    await sink.reached(2)
    await billing.reached(2)
    assert sink.texts[1:] == ["billing ready person: "]
    assert len(billing.got) == 2, "what waited went out"
    code, out, _ = await daemon.bridge("explain", "bridge.target_paused")
    assert code == 0
    assert "✓ targets" in out


async def test_a_dead_letter_is_told_and_the_death_of_that_message_is_not(
    daemon: Daemon, sink: Sink, billing: Sink
) -> None:
    billing.status = sink.status = 400
    await start(daemon, billing)
    await daemon.post(Deal("d1").lost())
    await sink.reached(1)
    await daemon.settle()
    assert sink.texts == ["1 dead of losses: answered 400 Bad Request"]
    dead = (await daemon.ask("/api/deliveries?state=dead"))["deliveries"]
    assert Counter(delivery["route"] for delivery in dead) == {"losses": 1, "letters": 1}
    assert await own_events(daemon) == {"bridge.delivery_dead": 1}


async def test_a_target_that_hears_of_its_own_pause_hears_of_it_once(daemon: Daemon, sink: Sink, billing: Sink) -> None:
    billing.status = sink.status = 401
    await start(daemon, billing)
    await daemon.post(Deal("d1").lost())
    await sink.reached(1)
    await told(daemon, {"bridge.target_paused": 2})  # of billing, and of the team's own
    sink.status = 200
    await daemon.bridge("resume", "team")
    await sink.reached(4)
    await daemon.settle()
    assert [text.split(":")[0] for text in sink.texts[1:]] == [
        "billing paused bridge",
        "team paused bridge",
        "team ready person",
    ]
    assert await own_events(daemon) == {"bridge.target_paused": 2, "bridge.target_resumed": 1}


async def test_refused_rules_are_told_by_those_in_force(daemon: Daemon, sink: Sink, billing: Sink) -> None:
    await start(daemon, billing)
    sound = (daemon.folder / "routes.yaml").read_text()
    daemon.write_rules(sound.replace("deal.lost", "deal.lots"))
    await sink.reached(1)
    daemon.write_rules(sound)
    await sink.reached(2)
    assert sink.texts == ["refused: 1", "in_force: "]


LOOKING = """\
version: 1
sources:
  crm: {type: rdstation_crm, silence: 1s}
targets:
  billing: {type: http, url: "{billing}", concurrency: 1}
  team: {type: http, url: "{sink}"}
routes:
  - name: losses
    on: deal.lost
    deliver:
      - {to: billing, body: {text: "{{ deal.name }}"}}
  - name: silent
    on: bridge.source_silent
    deliver:
      - {to: team, body: {text: "silent: {{ feed.name }} {{ feed.silence }}"}}
  - name: growing
    on: bridge.backlog_growing
    deliver:
      - {to: team, body: {text: "growing: {{ backlog.threshold }} {{ backlog.target }}"}}
"""


async def test_a_silent_source_and_a_growing_backlog_are_told(daemon: Daemon, sink: Sink, billing: Sink) -> None:
    billing.hold()
    await daemon.start(LOOKING.replace("{billing}", billing.url), BRIDGE_BACKLOG_ALARM="3")
    for number in range(3):
        await daemon.post(Deal(f"d{number}").lost())
    await sink.reached(2)
    assert sorted(sink.texts) == ["growing: 3 billing", "silent: crm 1s"]


async def test_what_was_noticed_last_is_stored_before_the_end(daemon: Daemon, sink: Sink, billing: Sink) -> None:
    billing.status = 400
    await start(daemon, billing)
    for number in range(5):
        await daemon.post(Deal(f"d{number}").lost())
    await sink.reached(1)
    await daemon.settle()
    assert await daemon.stop() == 0
    assert len(sink.texts) == 1
    await daemon.start()
    await sink.reached(2)
    told = [int(text.partition(" ")[0]) for text in sink.texts]
    assert (len(told), sum(told)) == (2, 5), "what died with the first was told at once, and all others at the end"
