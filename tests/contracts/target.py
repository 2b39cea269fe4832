"""What every target promises. A test of a target inherits a suite and says what it is about."""

import asyncio
import json
import re
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import ClassVar

import pytest
from pydantic import ValidationError

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.component.discovery import target_types
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Link, Message, Receipt
from bridge.options import secrets_in
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

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DELIVERY = "dlv_019200000000aaaaaaaaaaaaaaaa"


class FixedClock:
    """Stands still."""

    def now(self) -> datetime:
        return NOW


class KnownLinks:
    """The links of a test: what receipts bring is kept."""

    def __init__(self, *links: Link) -> None:
        self.kept = {link.key: link for link in links}
        self.asked: list[str] = []

    async def find(self, key: str) -> Link | None:
        self.asked.append(key)
        return self.kept.get(key)

    def keep(self, receipt: Receipt) -> None:
        self.kept |= {link.key: link for link in receipt.links}


class TargetContract:
    """What holds for a target of any kind."""

    type_name: ClassVar[str]
    content: ClassVar[JsonObject]
    seen_by_people: ClassVar[str]
    """What the preview of the content must show."""

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        """Return a target that talks to the address; without I/O."""
        raise NotImplementedError

    @pytest.fixture
    def target(self) -> AnyTarget:
        return self.build("http://127.0.0.1:9")

    def test_its_type_is_found_under_its_name(self, target: AnyTarget) -> None:
        assert target_types()[self.type_name] is type(target)

    def test_it_keeps_the_name_from_the_rules(self, target: AnyTarget) -> None:
        assert target.name == "sales"
        assert "sales" in repr(target)

    def test_no_text_of_it_shows_a_secret(self, target: AnyTarget) -> None:
        texts = [repr(target), str(target.options), repr(target.options), target.options.model_dump_json()]
        texts += [target.preview(self.content), *target.warnings(self.content)]
        for secret in secrets_in(target.options):
            assert not any(secret in text for text in texts)

    def test_wrong_options_are_refused_without_repeating_them(self, target: AnyTarget) -> None:
        with pytest.raises(ValidationError) as caught:
            type(target).Options.model_validate({"colour": "hush-hush", "timeout": "hush-hush"})
        assert "hush-hush" not in str(caught.value)

    def test_an_unknown_key_of_an_entry_is_refused(self, target: AnyTarget) -> None:
        with pytest.raises(ValidationError, match="colour"):
            target.Action.model_validate({**self.content, "colour": "red"})

    def test_content_that_does_not_fit_is_a_permanent_failure(self, target: AnyTarget) -> None:
        with pytest.raises(PermanentFailure, match="does not fit") as caught:
            target.action(Message(DELIVERY, "deal:1", {**self.content, "colour": "hush-hush"}))
        assert "hush-hush" not in str(caught.value)

    def test_a_preview_shows_what_people_will_read(self, target: AnyTarget) -> None:
        assert self.seen_by_people in target.preview(self.content)

    def test_its_options_and_actions_have_a_json_schema_with_a_sentence_for_each_key(self, target: AnyTarget) -> None:
        for model in (target.Options, target.Action):
            properties = model.model_json_schema()["properties"] if model.model_fields else {}
            assert all(described.get("description") for described in properties.values())

    def test_what_it_escapes_and_takes_as_keys_are_fields_of_its_action(self, target: AnyTarget) -> None:
        assert {*target.escapes, *target.key_fields, target.main_field} <= set(target.Action.model_fields)


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

    secrets: ClassVar[tuple[str, ...]]
    """What the options of ``build`` hold that nobody may see."""

    def accepted(self) -> Step:
        """Answer as the service does when it accepts a message."""
        return answer()

    @staticmethod
    def violations(seen: Seen) -> list[str]:
        """Return what a request breaks of its service's contract."""
        return violations(seen)

    def links(self) -> KnownLinks:
        """Return what the store knows before the message of ``content`` is sent."""
        return KnownLinks()

    @pytest.fixture
    async def server(self) -> AsyncIterator[ContractServer]:
        async with ContractServer(self.accepted(), contract=self.violations) as running:
            yield running

    @pytest.fixture
    async def client(self) -> AsyncIterator[Client]:
        async with Client(FixedClock()) as opened:
            yield opened

    async def send(self, url: str, client: Client, seconds: float = 15) -> Receipt:
        target = self.build(url, seconds)
        return await target.send(Message(DELIVERY, "deal:1", self.content), self.links(), client)

    async def failure(self, url: str, client: Client, seconds: float = 15) -> DeliveryFailure:
        """Return how sending fails, having seen to it that nothing of it tells a secret."""
        with pytest.raises(DeliveryFailure) as caught:
            await self.send(url, client, seconds)
        for text in _everything_told(caught.value):
            assert not any(secret in text for secret in self.secrets), text
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

    async def test_nobody_listening_is_safe_to_try_again(self, client: Client, unused_tcp_port: int) -> None:
        failure = await self.failure(f"http://127.0.0.1:{unused_tcp_port}", client)
        assert isinstance(failure, TransientFailure)
        assert "refused" in failure.reason

    async def test_a_name_that_nobody_has_is_safe_to_try_again(self, client: Client) -> None:
        failure = await self.failure("http://nobody.invalid", client)
        assert isinstance(failure, TransientFailure)

    async def test_a_redirect_is_refused_and_not_followed(self, server: ContractServer, client: Client) -> None:
        server.script(answer(302, b"", Location="/elsewhere"))
        failure = await self.failure(server.url, client)
        assert isinstance(failure, PermanentFailure)
        assert "redirect" in failure.reason
        assert len(server.seen) == 1

    async def test_every_attempt_sends_the_same(self, server: ContractServer, client: Client) -> None:
        server.script(answer(503), self.accepted())
        await self.failure(server.url, client)
        await self.send(server.url, client)
        first, second = server.seen
        assert first == second

    async def test_cancelling_hangs_up_and_is_no_failure(self, server: ContractServer, client: Client) -> None:
        server.script(stall())
        attempt = asyncio.create_task(self.send(server.url, client))
        await server.arrived.wait()
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await asyncio.wait_for(server.hung_up.wait(), 5)

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


def _everything_told(failure: BaseException) -> Iterator[str]:
    """Yield whatever a log, a page or a debugger could print of a failure and of those behind it."""
    yield "".join(traceback.format_exception(failure))
    behind: BaseException | None = failure
    while behind is not None:
        yield from (str(behind), repr(behind), repr(behind.args), repr(vars(behind)))
        with suppress(TypeError):
            yield json.dumps(vars(behind))
        behind = behind.__cause__ or behind.__context__
