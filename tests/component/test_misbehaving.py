"""Services that misbehave on real sockets: each gives the outcome of the table of retries, and harms nobody else.

What they do to a delivery and its target is read from a real store, after a real worker has met them.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import trustme

from bridge.component.client import Client
from bridge.delivery.worker import Worker
from bridge.model import (
    Breaker,
    Delivery,
    DeliveryState,
    EventState,
    Json,
    Link,
    Outcome,
    RoutedEvent,
    TargetState,
    Terms,
)
from bridge.store.base import Store
from bridge.store.sqlite import open_store
from bridge.targets.http import HttpOptions, HttpService
from bridge.targets.slack import Slack, SlackOptions
from tests.contracts.store_steps import a_delivery, an_event, decided, the
from tests.support.clock import ManualClock
from tests.support.contract_server import ContractServer, Step, answer, half_close, raw, reset, says, stall, trickle

NOW = ManualClock().now()
PATIENCE = 0.3
"""Seconds an attempt may take, of real time: that long take the cases in which nothing comes."""
PIECE = b"400\r\n" + bytes(0x400) + b"\r\n"
"""A chunk of a body: large enough that the first 64 KiB come well within that time."""
USUAL = Terms()

Scene: TypeAlias = Callable[[], AbstractAsyncContextManager[str]]
"""Opens a place where a service misbehaves, and gives its address."""


@dataclass(frozen=True)
class Met:
    """What a worker made of a service."""

    delivery: Delivery
    target: TargetState
    outcome: Outcome
    status: int | None


@dataclass
class Desk:
    """A store, a clock and a client: what it takes to deliver."""

    store: Store
    clock: ManualClock
    client: Client

    def worker(self, url: str, **options: Any) -> Worker:
        target = HttpService("sales", HttpOptions.model_validate({"url": url, "timeout": PATIENCE} | options))
        return Worker(target, self.store, self.client, self.clock)

    async def plan(self, *keys: str, terms: Terms = USUAL, **content: Json) -> list[str]:
        event = an_event(self.clock)
        await self.store.add(event)
        deliveries = tuple(
            replace(a_delivery(event.id, self.clock, key, entry=entry), content={"text": key, **content}, terms=terms)
            for entry, key in enumerate(keys)
        )
        await decided(self.store, RoutedEvent(event.id, EventState.ROUTED, deliveries=deliveries))
        return [delivery.id for delivery in deliveries]

    async def meet(self, url: str, terms: Terms = USUAL) -> Met:
        """Make one attempt at one delivery."""
        [id_] = await self.plan("deal:1", terms=terms)
        await work(self.worker(url))
        [attempt] = await self.store.attempts(id_)
        return Met(await the(self.store, id_), await self.target(), attempt.outcome, attempt.status)

    async def target(self) -> TargetState:
        [state] = await self.store.targets()
        return state


async def work(worker: Worker) -> None:
    """Let a worker claim once and finish what it claimed."""
    await worker.step()
    await worker.drain(5)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = ManualClock()
    store = await open_store(tmp_path, clock)
    await store.adopt(["sales"])
    async with Client(clock, connect_timeout=PATIENCE) as client:
        yield Desk(store, clock, client)
    await store.close()


def serving(*script: Step) -> Scene:
    """Answer each request with the next step, and then with the last one for ever."""

    @asynccontextmanager
    async def scene() -> AsyncIterator[str]:
        async with ContractServer(*script) as server:
            yield server.url

    return scene


def at(url: str) -> Scene:
    """Name an address where nobody is."""

    @asynccontextmanager
    async def scene() -> AsyncIterator[str]:
        yield url

    return scene


@asynccontextmanager
async def refusing() -> AsyncIterator[str]:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    yield f"http://127.0.0.1:{port}"


def behind_tls(scheme: str) -> Scene:
    """Serve behind a certificate that nobody trusts, at an address that says ``https`` or forgets to."""

    @asynccontextmanager
    async def scene() -> AsyncIterator[str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        async with ContractServer(tls=context) as server:
            yield f"{scheme}://127.0.0.1:{server.port}"

    return scene


def listening(behaviour: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> Scene:
    """Listen without TLS at an address that says ``https``."""

    @asynccontextmanager
    async def scene() -> AsyncIterator[str]:
        async with await asyncio.start_server(behaviour, "127.0.0.1", 0) as server:
            yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    return scene


async def plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speak HTTP where TLS was asked for."""
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


async def silently(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the connection, and say nothing until it ends."""
    await reader.read()
    writer.close()


def date(**later: float) -> str:
    return format_datetime(NOW + timedelta(**later), usegmt=True)


PERMANENT: dict[str, tuple[Scene, int]] = {
    "it does not want the message": (serving(answer(422, b"no such field")), 422),
    "it does not know the address": (serving(answer(404)), 404),
    "it redirects without end": (serving(answer(302, b"", Location="/")), 302),
    "it redirects elsewhere": (serving(answer(308, b"", Location="http://127.0.0.1:9/")), 308),
    "it refuses at great length": (serving(answer(400, b"x" * (10 * 2**20))), 400),
    "it refuses and breaks off": (serving(raw(b"HTTP/1.1 400 x\r\nContent-Length: 9\r\n\r\nno")), 400),
    "it asks for something else first": (serving(raw(b"HTTP/1.1 101 x\r\nUpgrade: tea\r\n\r\n")), 101),
}
NOT_ACCEPTED: dict[str, tuple[Scene, int | None]] = {
    **{f"it answers {status}": (serving(answer(status)), status) for status in (408, 425, 500, 502, 503, 504, 599)},
    "it asks for time that nobody can read": (serving(answer(503, Retry_After="soon")), 503),
    "it asks for time until a year that none is": (serving(answer(503, Retry_After=f"{date()[:12]}99999999999")), 503),
    "it fails and never says how": (serving(stall(b"HTTP/1.1 500 x\r\nContent-Length: 9\r\n\r\nno")), 500),
    "it refuses the connection": (refusing, None),
    "it has a name that nobody has": (at("http://nobody.invalid"), None),
    "its certificate is not trusted": (behind_tls("https"), None),
    "it speaks no TLS": (listening(plainly), None),
    "it never agrees on TLS": (listening(silently), None),
}
TOO_FAST: dict[str, tuple[int, dict[str, str], float]] = {
    "in seconds": (429, {"Retry_After": "7"}, 7),
    "until a date": (429, {"Retry_After": date(seconds=90)}, 90),
    "until a date without a zone": (429, {"Retry_After": f"{date(seconds=90)[:-3]}-0000"}, 90),
    "until a date that is past": (429, {"Retry_After": date(days=-9)}, 1),
    "for no time": (429, {"Retry_After": "0"}, 1),
    "for less than no time": (429, {"Retry_After": "-5"}, 1),
    "for a fraction of a second": (429, {"Retry_After": "0.25"}, 1),
    "for a century": (429, {"Retry_After": "3155760000"}, 86_400),
    "for more seconds than there are": (429, {"Retry_After": "9" * 400}, 86_400),
    "until the last year there is": (429, {"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 86_400),
    "without saying how long": (429, {}, 5),
    "in words": (429, {"Retry_After": "in a while"}, 5),
    "until a year that none is": (429, {"Retry_After": "Fri, 01 Jan 99999999999999 00:00:00 GMT"}, 5),
    "until an hour that none is": (429, {"Retry_After": "Fri, 01 Jan 2027 99999999999999999999:00:00 GMT"}, 5),
    "in a zone that none is": (429, {"Retry_After": "Fri, 01 Jan 2027 00:00:00 +99999999999999999999"}, 5),
    "while it is out of service": (503, {"Retry_After": "120"}, 120),
    "until it is back in service": (503, {"Retry_After": date(hours=2)}, 7200),
    "after an error": (500, {"Retry_After": "30"}, 30),
}
UNKNOWN: dict[str, Scene] = {
    "the first byte never comes": serving(stall()),
    "the headers never end": serving(stall(b"HTTP/1.1 200 OK\r\nContent-Le")),
    "the headers are one word without end": serving(trickle(b"X")),
    "it goes on processing for ever": serving(trickle(b"HTTP/1.1 102 Processing\r\n\r\n")),
    "the body never ends": serving(stall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok")),
    "it resets after the request": serving(reset()),
    "it closes after the request": serving(raw(b"")),
    "it closes one half": serving(half_close()),
    "it speaks another protocol": serving(raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")),
    "it answers with noise": serving(raw(bytes(range(256)))),
    "its status is no number": serving(raw(b"HTTP/1.1 OK fine\r\n\r\n")),
    "its headers are larger than any": serving(raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")),
    "the headers are cut short": serving(raw(b"HTTP/1.1 200 OK\r\nContent-Le")),
    "the body is cut short": serving(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok")),
    "a chunk is cut short": serving(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nok")),
    "a chunk is none": serving(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n")),
    "there are two lengths": serving(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok")),
    "what is compressed is not": serving(answer(200, b"no gzip at all", Content_Encoding="gzip")),
    "it wants TLS and was spoken to plainly": behind_tls("http"),
}
DELIVERED: dict[str, Scene] = {
    "with 10 MiB": serving(answer(200, b"x" * (10 * 2**20))),
    "without end": serving(trickle(PIECE, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")),
    "and hangs up": serving(raw(b"HTTP/1.0 200 OK\r\n\r\nok")),
    "and asks for time": serving(answer(200, Retry_After="3600")),
    "after interim answers": serving(raw(b"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 103 x\r\n\r\nHTTP/1.1 204 x\r\n\r\n")),
}


@pytest.mark.parametrize("name", PERMANENT)
async def test_what_is_refused_for_good_is_dead_at_once(desk: Desk, name: str) -> None:
    scene, status = PERMANENT[name]
    async with scene() as url:
        met = await desk.meet(url)
    assert (met.outcome, met.status) == (Outcome.PERMANENT, status)
    assert (met.delivery.state, met.delivery.attempts) == (DeliveryState.DEAD, 1)
    assert str(met.delivery.reason).startswith(f"answered {status}")
    assert met.target == TargetState("sales"), "the target has done nothing wrong"


@pytest.mark.parametrize("name", NOT_ACCEPTED)
async def test_what_was_not_accepted_waits_by_its_schedule(desk: Desk, name: str) -> None:
    scene, status = NOT_ACCEPTED[name]
    async with scene() as url:
        met = await desk.meet(url)
    assert (met.outcome, met.status) == (Outcome.TRANSIENT, status)
    assert (met.delivery.state, met.delivery.failures, met.delivery.uncertain) == (DeliveryState.PENDING, 1, False)
    assert NOW <= met.delivery.due_at <= NOW + timedelta(seconds=5)
    assert met.delivery.give_up_at == NOW + timedelta(days=1)
    assert met.target == TargetState("sales")


@pytest.mark.parametrize("name", TOO_FAST)
async def test_who_asks_for_time_gets_it_from_the_whole_target_and_no_attempt_is_spent(desk: Desk, name: str) -> None:
    status, headers, seconds = TOO_FAST[name]
    async with ContractServer(answer(status, b"later", **headers), answer()) as server:
        met = await desk.meet(server.url)
        assert (met.outcome, met.status) == (Outcome.TRANSIENT, status)
        assert (met.delivery.state, met.delivery.failures, met.delivery.give_up_at) == (DeliveryState.PENDING, 0, None)
        assert met.target == TargetState("sales", wait_until=NOW + timedelta(seconds=seconds))
        [other] = await desk.plan("deal:2")
        desk.clock.advance(seconds=seconds - 0.5)
        await work(desk.worker(server.url))
        assert len(server.seen) == 1, "nor is anything else sent before"
        desk.clock.advance(seconds=0.5)
        await work(desk.worker(server.url))
    assert {(await the(desk.store, id_)).state for id_ in (met.delivery.id, other)} == {DeliveryState.DELIVERED}
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [401, 403, 410])
async def test_who_refuses_the_target_pauses_it_and_nothing_is_lost(desk: Desk, status: int) -> None:
    async with ContractServer(answer(status, b"no", Retry_After="5"), answer()) as server:
        met = await desk.meet(server.url)
        assert (met.outcome, met.status) == (Outcome.TRANSIENT, status)
        assert (met.delivery.state, met.delivery.failures) == (DeliveryState.PARKED, 0)
        assert (met.target.paused_by, met.target.since) == ("bridge", NOW)
        assert str(met.target.reason).startswith(f"answered {status}")
        desk.clock.advance(days=30)
        await work(desk.worker(server.url))
        assert len(server.seen) == 1
        await desk.store.resume("sales")
        await work(desk.worker(server.url))
    assert (await the(desk.store, met.delivery.id)).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("name", UNKNOWN)
async def test_what_may_have_arrived_is_sent_again_by_its_schedule(desk: Desk, name: str) -> None:
    async with UNKNOWN[name]() as url:
        met = await desk.meet(url)
    assert (met.outcome, met.status) == (Outcome.UNKNOWN, None)
    assert (met.delivery.state, met.delivery.failures, met.delivery.uncertain) == (DeliveryState.PENDING, 1, True)
    assert NOW <= met.delivery.due_at <= NOW + timedelta(seconds=5)
    assert met.target == TargetState("sales")


@pytest.mark.parametrize("name", UNKNOWN)
async def test_or_is_left_to_a_person_where_the_entry_says_so(desk: Desk, name: str) -> None:
    async with UNKNOWN[name]() as url:
        met = await desk.meet(url, Terms(on_unknown="park"))
    assert (met.outcome, met.delivery.state) == (Outcome.UNKNOWN, DeliveryState.PARKED)
    assert str(met.delivery.reason).startswith("it may have arrived: ")
    assert not met.target.held


@pytest.mark.parametrize("name", DELIVERED)
async def test_what_was_accepted_is_delivered_however_oddly_that_is_said(desk: Desk, name: str) -> None:
    async with DELIVERED[name]() as url:
        met = await desk.meet(url)
    assert (met.outcome, met.delivery.state) == (Outcome.DELIVERED, DeliveryState.DELIVERED)
    assert met.target == TargetState("sales")


async def test_what_is_sent_again_is_the_same_under_the_same_key(desk: Desk) -> None:
    async with ContractServer(answer(503), reset(), answer(429, Retry_After="60"), answer()) as server:
        [id_] = await desk.plan("deal:1")
        worker = desk.worker(server.url)
        for _ in range(4):
            await work(worker)
            desk.clock.advance(minutes=2)
    assert {(seen.headers["idempotency-key"], seen.body) for seen in server.seen} == {(id_, b"deal:1")}
    outcomes = [attempt.outcome for attempt in await desk.store.attempts(id_)]
    assert outcomes == [Outcome.TRANSIENT, Outcome.UNKNOWN, Outcome.TRANSIENT, Outcome.DELIVERED]
    assert (await the(desk.store, id_)).failures == 2, "who was too fast has not failed"


@pytest.mark.parametrize("step", [answer(500), reset(), stall()], ids=["500", "reset", "silence"])
async def test_who_fails_again_and_again_is_left_alone_until_a_probe_gets_through(desk: Desk, step: Step) -> None:
    keys = [f"deal:{number}" for number in range(12)]
    async with ContractServer(step) as server:
        ids = await desk.plan(*keys)
        worker = desk.worker(server.url, concurrency=5, breaker={"least": 10, "rest": "30s"})
        for _ in range(3):
            await work(worker)
        state = await desk.target()
        assert (state.breaker, state.retry_at) == (Breaker.OPEN, NOW + timedelta(seconds=30))
        asked = len(server.seen)
        assert asked >= 10
        assert {(await the(desk.store, id_)).state for id_ in ids} == {DeliveryState.PARKED}
        server.script(answer())
        desk.clock.advance(seconds=31)
        await work(worker)
        assert len(server.seen) == asked + 1, "one goes ahead to see"
        assert not (await desk.target()).held
        for _ in range(3):
            await work(worker)
    assert {(await the(desk.store, id_)).state for id_ in ids} == {DeliveryState.DELIVERED}


async def test_one_who_is_too_fast_or_unwanted_opens_no_breaker(desk: Desk) -> None:
    async with ContractServer(answer(404)) as server:
        await desk.plan(*(f"deal:{number}" for number in range(12)))
        worker = desk.worker(server.url, concurrency=12, breaker={"least": 2})
        await work(worker)
    assert len(server.seen) == 12
    assert await desk.target() == TargetState("sales")


# Slack, which can be asked what became of a message


def lost_in_slack(url: str) -> Slack:
    options = {"token": "xoxb-1", "channel": "C1", "api_url": url, "timeout": PATIENCE, "look_up": True}
    return Slack("sales", SlackOptions.model_validate(options))


async def lost(desk: Desk, server: ContractServer) -> tuple[str, Worker]:
    """Lose the answer to a message that opens a thread."""
    server.script(reset())
    [id_] = await desk.plan("deal:1", terms=Terms(on_unknown="park"), thread="deal:1")
    worker = Worker(lost_in_slack(server.url), desk.store, desk.client, desk.clock)
    await work(worker)
    assert (await the(desk.store, id_)).uncertain
    desk.clock.advance(seconds=5)
    return id_, worker


async def test_a_message_that_is_there_is_not_posted_again_and_its_thread_is_known(desk: Desk) -> None:
    async with ContractServer() as server:
        id_, worker = await lost(desk, server)
        posted = {"type": "message", "ts": "1.1", "metadata": server.seen[0].json["metadata"]}
        server.script(says({"ok": True, "messages": [posted]}))
        await work(worker)
    assert [seen.target for seen in server.seen] == ["/chat.postMessage", "/conversations.history"]
    assert (await the(desk.store, id_)).state is DeliveryState.DELIVERED
    assert await desk.store.find_link("sales", "deal:1") == Link("sales", "deal:1", "1.1", {"channel": "C1"})


async def test_one_that_is_not_there_is_posted_again(desk: Desk) -> None:
    async with ContractServer() as server:
        id_, worker = await lost(desk, server)
        server.script(says({"ok": True, "messages": []}), says({"ok": True, "channel": "C1", "ts": "1.2"}))
        await work(worker)
    assert [seen.target for seen in server.seen] == ["/chat.postMessage", "/conversations.history", "/chat.postMessage"]
    assert (await the(desk.store, id_)).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("step", [reset(), stall(), answer(500), says({"ok": False, "error": "internal_error"})])
async def test_one_that_cannot_be_looked_for_is_not_posted_again_and_tried_later(desk: Desk, step: Step) -> None:
    async with ContractServer() as server:
        id_, worker = await lost(desk, server)
        server.script(step)
        await work(worker)
    assert [seen.target for seen in server.seen] == ["/chat.postMessage", "/conversations.history"]
    delivery = await the(desk.store, id_)
    assert (delivery.state, delivery.failures, delivery.uncertain) == (DeliveryState.PENDING, 2, True)


async def test_who_may_not_look_is_paused_with_what_to_do(desk: Desk) -> None:
    async with ContractServer() as server:
        id_, worker = await lost(desk, server)
        server.script(says({"ok": False, "error": "missing_scope"}))
        await work(worker)
    assert (await the(desk.store, id_)).state is DeliveryState.PARKED
    state = await desk.target()
    assert state.paused_by == "bridge"
    assert "channels:history" in str(state.reason)
