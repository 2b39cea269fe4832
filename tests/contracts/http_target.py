"""What every target promises that speaks HTTP, on top of what all do."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime

import pytest

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Message, Receipt
from tests.contracts.target import DELIVERY, NOW, KnownLinks, Service, TargetContract, Trouble, everything_told, once
from tests.support.contract_server import (
    ContractServer,
    Seen,
    Step,
    answer,
    half_close,
    raw,
    reset,
    stall,
    violations,
)

RETRY_AFTER = [
    ("7", 7.0),
    ("0", 0.0),
    ("1.5", 1.5),
    ("-3", 0.0),
    ("99999999999", 86_400.0),
    (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
    (format_datetime(NOW - timedelta(days=9), usegmt=True), 0.0),
    (format_datetime(NOW + timedelta(days=9), usegmt=True), 86_400.0),
    ("soon", None),
    ("", None),
]
UNKNOWN = {
    "the first byte never comes": stall(),
    "the headers break off": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "the headers never end": stall(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "the body never ends": stall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok"),
    "the body breaks off": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok"),
    "the connection is reset": reset(),
    "the connection is half closed": half_close(),
    "the answer is no HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "the answer has two lengths": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok"),
    "a chunk is broken": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n"),
}


class HttpTargetContract(TargetContract):
    """What holds for a target that speaks HTTP."""

    def accepted(self) -> Step:
        """Answer as the service does when it accepts a message."""
        return answer()

    @staticmethod
    def violations(seen: Seen) -> list[str]:
        """Return what a request breaks of its service's contract."""
        return violations(seen)

    @pytest.fixture(autouse=True)
    def _nowhere(self, unused_tcp_port: int) -> None:
        self.nowhere = f"http://127.0.0.1:{unused_tcp_port}"

    @asynccontextmanager
    async def facing(self, trouble: Trouble | None, seconds: float) -> AsyncIterator[Service]:
        async with ContractServer(self.accepted(), contract=self.violations) as server:
            if trouble:
                server.script(_troubled(trouble, server))
            url = self.nowhere if trouble is Trouble.NOBODY else server.url
            yield Service(self.build(url, seconds), server.arrived, lambda: once(server.seen), server.hung_up)

    async def again(self, service: Service, client: Client) -> None:
        """Send again: what a look-up finds is for the tests of each service, which know its answers."""
        assert (await self.ending(service, client)).receipt

    @pytest.fixture
    async def server(self) -> AsyncIterator[ContractServer]:
        async with ContractServer(self.accepted(), contract=self.violations) as running:
            yield running

    async def send(self, url: str, client: Client, seconds: float = 15) -> Receipt:
        target = self.build(url, seconds)
        return await target.send(Message(DELIVERY, "deal:1", self.content), self.links(), client)

    async def failure(self, url: str, client: Client, seconds: float = 15) -> DeliveryFailure:
        """Return how sending fails, having seen to it that nothing of it tells a secret."""
        with pytest.raises(DeliveryFailure) as caught:
            await self.send(url, client, seconds)
        self.assert_no_secret(*everything_told(caught.value))
        return caught.value

    async def test_a_message_is_delivered_with_a_receipt(self, server: ContractServer, client: Client) -> None:
        receipt = await self.send(server.url, client)
        assert receipt.status == 200
        assert receipt.excerpt
        assert len(server.seen) == 1

    async def test_every_status_has_its_meaning(self, server: ContractServer, client: Client) -> None:
        target = self.build(server.url)
        for status in range(200, 600):
            server.script(answer(status, b"no") if status >= 300 else self.accepted())
            kind = await _ending(target, client, self.content, self.links())
            assert kind is _meaning(status), status
        assert len(server.seen) == 400

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
    @pytest.mark.parametrize(("value", "seconds"), RETRY_AFTER)
    async def test_the_wish_of_the_service_to_wait_is_kept_within_a_day(
        self, server: ContractServer, client: Client, status: int, value: str, seconds: float | None
    ) -> None:
        server.script(answer(status, b"later", Retry_After=value))
        failure = await self.failure(server.url, client)
        assert isinstance(failure, TransientFailure)
        assert failure.retry_after == seconds
        assert failure.status == status
        assert failure.excerpt == "later"

    @pytest.mark.parametrize("step", UNKNOWN.values(), ids=UNKNOWN.keys())
    async def test_without_a_complete_answer_the_outcome_is_unknown(
        self, server: ContractServer, client: Client, step: Step
    ) -> None:
        server.script(step)
        failure = await self.failure(server.url, client, seconds=0.3)
        assert isinstance(failure, UnknownOutcome)
        assert len(server.seen) == 1

    async def test_a_refusal_whose_body_never_ends_is_still_a_refusal(
        self, server: ContractServer, client: Client
    ) -> None:
        server.script(stall(b"HTTP/1.1 429 x\r\nRetry-After: 3\r\nContent-Length: 10\r\n\r\nslow"))
        failure = await self.failure(server.url, client, seconds=0.3)
        assert isinstance(failure, TransientFailure)
        assert (failure.retry_after, failure.excerpt) == (3.0, "slow")

    async def test_a_name_that_nobody_has_is_safe_to_try_again(self, client: Client) -> None:
        failure = await self.failure("http://nobody.invalid", client)
        assert isinstance(failure, TransientFailure)

    async def test_a_redirect_is_refused_and_not_followed(self, server: ContractServer, client: Client) -> None:
        server.script(answer(302, b"", Location="/elsewhere"))
        failure = await self.failure(server.url, client)
        assert isinstance(failure, PermanentFailure)
        assert "redirect" in failure.reason
        assert len(server.seen) == 1

    async def test_a_service_that_sets_cookies_gets_none_back(self, server: ContractServer, client: Client) -> None:
        server.script(answer(503, Set_Cookie="track=1"), self.accepted())
        await self.failure(server.url, client)
        await self.send(server.url, client)
        assert not any("cookie" in seen.headers for seen in server.seen)

    async def test_it_tells_who_sends(self, server: ContractServer, client: Client) -> None:
        await self.send(server.url, client)
        assert re.fullmatch(r"bridge/\d+\.\d+\.\d+\S*", server.seen[0].headers["user-agent"])


def _meaning(status: int) -> type[DeliveryFailure] | None:
    if status < 300:
        return None
    if status in {401, 403, 410}:
        return AccessRefused
    return TransientFailure if status in {408, 425, 429} or status >= 500 else PermanentFailure


async def _ending(
    target: AnyTarget, client: Client, content: JsonObject, links: KnownLinks
) -> type[DeliveryFailure] | None:
    try:
        await target.send(Message(DELIVERY, "deal:1", content), links, client)
    except DeliveryFailure as failure:
        return type(failure)
    return None


def _troubled(trouble: Trouble, server: ContractServer) -> Step:
    async def quote(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        return await answer(400, str(server.seen[-1]).encode())(reader, writer)

    steps = {Trouble.LATER: answer(503, b"busy"), Trouble.SILENT: stall(), Trouble.BROKEN: reset()}
    return {**steps, Trouble.NEVER: quote, Trouble.SHUT: answer(401, b"no")}.get(trouble, stall())
