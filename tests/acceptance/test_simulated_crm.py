"""The real daemon beside the simulated CRM: what it announces is what really happened."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import pytest

from bridge.document import lookup
from bridge.model import Entity
from bridge.rdstation.timestamps import as_document_time
from bridge.simulator import Simulator, SimulatorSettings, Truth, VirtualClock
from bridge.store.sqlite import open_store
from tests.support.daemon import ROOT, Daemon
from tests.support.sink import Sink

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  team: {type: http, url: "{sink}/team", concurrency: 16}
  copy: {type: http, url: "{sink}/copy", concurrency: 16}
routes:
  - name: closings
    on: [deal.won, deal.lost]
    deliver:
      - {to: team, body: {id: "{{ deal.id }}", status: "{{ deal.status }}", at: "{{ document.closed_at }}"}}
  - name: everything
    on: crm_deal_*
    deliver:
      - {to: copy, body: {id: "{{ deal.id }}", name: "{{ event.name }}", document: "{{ document }}"}}
"""
DEEDS = ("created", "updated", "deleted")
MINUTES = 4


def crm_of(**settings: float) -> Simulator:
    """Return a CRM at the time of this machine, by which the daemon judges what lies in the future."""
    given = SimulatorSettings(**{"events_per_hour": 10_000, "suspend_after": 10**6, **settings})  # type: ignore[arg-type]  # numbers all
    return Simulator(given, VirtualClock(datetime.now(UTC)))


def announced(sink: Sink) -> Counter[tuple[str, str, str]]:
    """Return how often each closing was announced."""
    told = (got.body for got in sink.got if got.path == "/team")
    return Counter((body["id"], body["status"], body["at"]) for body in told)


def closed(truth: Truth) -> list[tuple[str, str, str]]:
    return [(each.deal_id, each.status, as_document_time(each.at)) for each in truth.closings]


def lasting(truth: Truth) -> set[tuple[str, str, str]]:
    """Return the closings of deals that stayed so; of one that was reopened, a late loss comes too late."""
    last = {each[0]: each for each in closed(truth)}
    ends = {
        id_: document and document.get("status") for (kind, id_), document in truth.entities.items() if kind == "deal"
    }
    return {each for each in last.values() if ends[each[0]] == each[1]}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def last_told(sink: Sink) -> dict[str, str | None]:
    """Return of each deal when it was edited as the daemon told it last; None if that was its deletion."""
    told: dict[str, str | None] = {}
    for got in sink.got:
        if got.path == "/copy":
            told[got.body["id"]] = got.body["document"].get("updated_at")
    return told


async def test_every_deal_that_is_won_or_lost_is_announced_once(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(RULES)
    async with crm_of(duplicates=0.05, reordered=0.05, updated_after_created=True) as crm:
        crm.register_all(daemon.hook)
        await crm.advance(timedelta(minutes=MINUTES))
        crm._life.step = lambda: None  # type: ignore[method-assign]  # nothing more happens; what is late still comes
        await crm.advance(timedelta(minutes=1))
        truth = crm.truth()
    await daemon.settle()
    told = announced(sink)
    assert len(truth.closings) > 30
    assert set(told.values()) == {1}
    assert set(told) <= set(closed(truth))
    assert lasting(truth) <= set(told)
    assert not truth.lost
    assert len(truth.tries) > len({each.uuid for each in truth.tries}), "creations share their uuid with an update"
    _same_in_the_end(sink, truth)


async def test_what_happens_while_the_daemon_is_killed_comes_with_the_retries(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(RULES)
    async with crm_of(duplicates=0.05, reordered=0.05) as crm:
        crm.register_all(daemon.hook)
        await crm.advance(timedelta(minutes=1))
        await daemon.kill()
        await crm.advance(timedelta(minutes=1))
        port = daemon.base.rpartition(":")[2]
        await daemon.spawn("bridge", "run", "--listen", f"127.0.0.1:{port}")
        assert await daemon.ready()
        crm._life.step = lambda: None  # type: ignore[method-assign]  # nothing more happens; what failed is tried again
        await crm.advance(timedelta(minutes=40))
        truth = crm.truth()
    await daemon.settle()
    failed = [each for each in truth.tries if each.result == "unreachable"]
    assert len(failed) > 50
    assert not truth.lost
    told = announced(sink)
    assert set(told.values()) == {1}
    assert lasting(truth) <= set(told) <= set(closed(truth))
    _same_in_the_end(sink, truth)


def _same_in_the_end(sink: Sink, truth: Truth) -> None:
    """See that the daemon's last word on each deal is the CRM's."""
    told = last_told(sink)
    assert told
    ends = {id_: document for (kind, id_), document in truth.entities.items() if kind == "deal"}
    for id_, at in told.items():
        document = ends[id_]
        assert at == (document["updated_at"] if document else None)


BROWSER = """\
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=20).read()
"""


@pytest.mark.parametrize("api", ["token: simulated", "client_id: simulated, client_secret: simulated"])
async def test_webhooks_that_are_registered_by_a_command_bring_all_that_happens(
    daemon: Daemon, sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: str
) -> None:
    """The whole way: consent, registration with its probe, suspension and activation, and what is posted."""
    browser = tmp_path / "browser.py"
    browser.write_text(BROWSER)
    monkeypatch.setenv("BROWSER", f"{sys.executable} {browser} %s &")
    async with crm_of() as crm:
        access = f'{{type: rdstation_crm, api: {{{api}, url: "{crm.url}"}}}}'
        await daemon.start(RULES.replace("{type: rdstation_crm}", access))
        if "client_id" in api:
            code, out, err = await daemon.bridge("crm", "login", "--port", str(free_port()))
            assert code == 0, out + err
        for _ in range(2):
            code, out, err = await daemon.bridge("crm", "webhooks", "sync")
            assert code == 0, out + err
        assert {each.event_name for each in crm.registry} == {f"crm_deal_{each}" for each in DEEDS}
        assert crm.registry.suspend(daemon.hook) == 3
        code, out, err = await daemon.bridge("crm", "webhooks", "sync")
        assert code == 0, out + err
        assert {each.status for each in crm.registry} == {"active"}
        await crm.advance(timedelta(minutes=1))
        truth = crm.truth()
    await daemon.settle()
    assert truth.closings
    assert set(announced(sink)) >= lasting(truth)


@pytest.fixture
def near() -> Iterator[Path]:
    """Return a folder with a short path: that of a socket has a hundred bytes."""
    with TemporaryDirectory(prefix="d-") as name:
        yield Path(name)


async def test_the_demo_shows_a_life_of_deals_until_it_is_interrupted(tmp_path: Path, near: Path) -> None:
    bridge = tmp_path / "bridge"
    bridge.write_text(f'#!/bin/sh\nexec {sys.executable} -m bridge "$@"\n')
    bridge.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    demo = await asyncio.create_subprocess_exec(
        *(f"{ROOT}/deploy/demo/demo.sh", str(bridge), "--listen", "127.0.0.1:0", "--events-per-hour", "40000"),
        env={**environ, "PYTHONPATH": ROOT, "TMPDIR": str(near)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert demo.stdout
    lines: list[str] = []
    try:
        async with asyncio.timeout(90):
            while not _shown(lines):
                line = await demo.stdout.readline()
                assert line, lines
                lines.append(line.decode())
        os.killpg(demo.pid, signal.SIGINT)
        rest, _ = await asyncio.wait_for(demo.communicate(), 30)
    finally:
        if demo.returncode is None:
            os.killpg(demo.pid, signal.SIGKILL)
    assert demo.returncode == 0, "".join(lines) + rest.decode()
    assert re.search(r"\d+ won, \d+ lost; \d+ webhooks delivered, no webhooks lost for good", rest.decode())
    assert list(near.iterdir()) == [], "nothing is left of it"


def _shown(lines: list[str]) -> bool:
    """Tell whether a deal was won in the CRM, and announced by the daemon."""
    text = "".join(lines)
    return bool(re.search(r"deal .* won, R\$", text) and "┌─ vendas" in text and "*Ganha:*" in text)


async def test_the_rules_of_the_demo_have_no_problem(daemon: Daemon) -> None:
    code, out, err = await daemon.bridge("check", f"{ROOT}/deploy/demo/routes.yaml")
    assert (code, out) == (0, "")
    assert err.endswith("no problems\n")


async def test_a_daemon_registers_its_webhooks_by_itself(daemon: Daemon, sink: Sink) -> None:
    async with crm_of() as crm:
        access = f'{{type: rdstation_crm, api: {{token: simulated, url: "{crm.url}", subscribe: auto}}}}'
        await daemon.start(RULES.replace("{type: rdstation_crm}", access))
        assert "Paste" not in daemon.out
        async with asyncio.timeout(20):
            while {each.event_name for each in crm.registry} != {f"crm_deal_{each}" for each in DEEDS}:
                await asyncio.sleep(0.05)
        people = "  - {name: people, on: contact.created, deliver: [{to: copy, body: {id: 1}}]}\n"
        daemon.write_rules(RULES.replace("{type: rdstation_crm}", access) + people)
        async with asyncio.timeout(20):
            while "crm_contact_created" not in {each.event_name for each in crm.registry}:
                await asyncio.sleep(0.05)
        await crm.advance(timedelta(minutes=1))
        truth = crm.truth()
    await daemon.settle()
    assert truth.closings
    assert set(announced(sink)) >= lasting(truth)


ACCESS = {"v1": "token: simulated", "v2": "client_id: simulated, client_secret: simulated"}


async def connected(daemon: Daemon, crm: Simulator, version: str, more: str = "") -> None:
    """Start a daemon that has access to the CRM's API, and that webhooks are posted to."""
    access = f'{{type: rdstation_crm, api: {{{ACCESS[version]}, url: "{crm.url}"{more}}}}}'
    await daemon.start(RULES.replace("{type: rdstation_crm}", access))
    crm.register_all(daemon.hook)
    if version == "v2":
        code, out, err = await daemon.bridge("crm", "login", "--port", str(free_port()))
        assert code == 0, out + err


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = tmp_path / "browser.py"
    browser.write_text(BROWSER)
    monkeypatch.setenv("BROWSER", f"{sys.executable} {browser} %s &")


async def restarted(daemon: Daemon) -> None:
    await daemon.spawn("bridge", "run", "--listen", f"127.0.0.1:{daemon.base.rpartition(':')[2]}")
    assert await daemon.ready()


async def repaired(daemon: Daemon) -> dict[str, Any]:
    """Return what came of the repair of the daemon's own accord."""
    async with asyncio.timeout(100):
        while True:
            try:
                told = await daemon.tell("/api/remote/progress")
            except aiohttp.ClientResponseError:
                told = {"ended_at": None}
            if told["ended_at"]:
                await daemon.settle()
                return dict(told)
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize("retries", [0, 5], ids=["lost", "late"])
@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_what_happens_while_the_daemon_is_killed_is_found_by_the_api(
    daemon: Daemon, sink: Sink, version: str, retries: int
) -> None:
    """Ten minutes without a daemon: each closing is announced, once, whether its webhook is lost or only late."""
    async with crm_of(events_per_hour=600, retries=retries, requests_per_minute=0) as crm:
        await connected(daemon, crm, version)
        await crm.advance(timedelta(minutes=20))
        await daemon.kill()
        before, gap = len(crm.truth().closings), crm.clock.now()
        await crm.advance(timedelta(minutes=10))
        crm._life.step = lambda: None  # type: ignore[method-assign]  # nothing more happens
        await restarted(daemon)
        told = await repaired(daemon)
        assert told["error"] is None
        assert len(crm.truth().closings) > before + 2
        _same_in_the_end(sink, crm.truth())
        once = announced(sink)
        assert set(once.values()) == {1}
        assert lasting(crm.truth()) <= set(once) <= set(closed(crm.truth()))
        await crm.advance(timedelta(hours=1))
        await daemon.settle()
        truth = crm.truth()
    late = [each for each in truth.tries if each.at > gap + timedelta(minutes=10) and each.result == "delivered"]
    assert bool(late) is bool(retries)
    assert announced(sink) == once, "what comes late announces nothing twice"
    code, out, err = await daemon.bridge("events", "--limit", "1000")
    assert code == 0, err
    assert out.count("(repaired)") == told["added"] > 3


ALL_KINDS = """\
  - name: others
    on: [crm_task_*, crm_contact_*, crm_organization_*]
    deliver:
      - {to: others, body: {id: "{{ document.id }}"}}
"""
KINDS = {
    "deal": ("name", "status", "amount_total", "rating", "user.id", "deal_stage.id", "deal_lost_reason.id"),
    "task": ("name", "status", "type", "owner_ids", "deal_id"),
    "contact": ("name", "job_title", "phones.phone", "organization_id"),
    "organization": ("name", "url", "owner_id"),
}
"""What the API can tell of each kind, and is told."""
SPAN = timedelta(minutes=10)
"""Virtual time in which no daemon runs."""


@pytest.mark.usefixtures("browser")
async def test_ten_minutes_without_a_daemon_at_the_rush_of_one_account(daemon: Daemon, sink: Sink) -> None:
    """Ten thousand events an hour, some twice, some late, and webhooks that the CRM suspends as it is built to.

    Each deal that is won or lost is announced once, all that is known is as it is in the CRM, deletions too, and at
    the end no webhook is suspended. Nobody does anything about it.
    """
    async with crm_of(duplicates=0.05, reordered=0.05, suspend_after=SimulatorSettings().suspend_after) as crm:
        await watched_over(daemon, crm)
        await crm.advance(timedelta(minutes=4))
        await daemon.settle()
        await daemon.kill()
        before = len(crm.truth().closings)
        for deal in [deal for deal in crm.team.deals.values() if deal.open and deal.id in last_told(sink)][:3]:
            crm.team.delete(deal)
        await crm.advance(SPAN)
        assert {each.status for each in crm.registry} == {"suspended"}
        await restarted(daemon)
        await until_active(crm)
        told = await repaired(daemon)
        assert (told["error"], told["unsure"]) == (None, {})
        assert len(crm.truth().closings) > before + 50
        await crm.advance(timedelta(minutes=2))
        crm._life.step = lambda: None  # type: ignore[method-assign]  # nothing more happens; what failed is tried again
        await crm.advance(timedelta(hours=1))
        await daemon.settle()
        truth = crm.truth()
        assert {each.status for each in crm.registry} == {"active"}
    once = announced(sink)
    assert set(once.values()) == {1}
    assert lasting(truth) <= set(once) <= set(closed(truth))
    _same_in_the_end(sink, truth)
    assert await daemon.stop() == 0
    await _all_is_known(daemon, truth)


async def watched_over(daemon: Daemon, crm: Simulator) -> None:
    """Start a daemon that registers webhooks for four kinds of entities by itself."""
    access = f'{{type: rdstation_crm, api: {{{ACCESS["v2"]}, url: "{crm.url}", subscribe: auto}}}}'
    rules = RULES.replace("routes:", '  others: {type: http, url: "{sink}/others", concurrency: 16}\nroutes:')
    await daemon.start(rules.replace("{type: rdstation_crm}", access) + ALL_KINDS)
    code, out, err = await daemon.bridge("crm", "login", "--port", str(free_port()))
    assert code == 0, out + err
    code, out, err = await daemon.bridge("crm", "webhooks", "sync")
    assert code == 0, out + err
    assert {each.event_name for each in crm.registry} == {f"crm_{kind}_{deed}" for kind in KINDS for deed in DEEDS}


async def until_active(crm: Simulator) -> None:
    """Let the team work on, until the daemon has had all webhooks activated: what happens meanwhile is missed too."""
    async with asyncio.timeout(20):
        while {each.status for each in crm.registry} != {"active"}:
            await crm.advance(timedelta(seconds=1))
            await asyncio.sleep(0.02)


async def _all_is_known(daemon: Daemon, truth: Truth) -> None:
    """See that the last states are those of the CRM, and that nothing is known any more which was deleted there."""
    store = await open_store(daemon.data)
    try:
        for kind, paths in KINDS.items():
            there = {id_: document for (of, id_), document in truth.entities.items() if of == kind}
            living = set(await store.living("crm", kind))
            assert living <= {id_ for id_, document in there.items() if document}
            for id_ in living:
                state, document = await store.last_state("crm", Entity(kind, id_)), there[id_]
                assert state
                assert document
                for path in paths:
                    assert lookup(state.document, path) == lookup(document, path), (kind, id_, path)
    finally:
        await store.close()
