"""What every target promises. A test of a target inherits the suite, and says how its service fails it."""

import asyncio
import json
import re
import traceback
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import ClassVar, Final

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.component.discovery import target_types
from bridge.config.problems import Problems
from bridge.delivery.attempt import Ending, attempt_once
from bridge.delivery.worker import Worker
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Link, Message, Receipt
from bridge.options import read_yaml, secrets_in
from bridge.rehearsal.online import ask
from bridge.store.base import Store
from tests.contracts.store_steps import planned
from tests.support.clock import ManualClock

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DELIVERY = "dlv_019200000000aaaaaaaaaaaaaaaa"
LONG: Final = "x" * 320_000
"""More than any service takes in a message."""
CUT: Final = ("…", r"\u2026", r"\xe2\x80\xa6", "%E2%80%A6")
"""The sign that something is missing, in the ways in which it goes out."""
REFUSED_AS_LONG: Final = re.compile(r"long|large|at most|characters|bytes", re.IGNORECASE)


class Trouble(Enum):
    """What may go wrong with a service."""

    NOBODY = "nobody is there"
    LATER = "it has no room, or no time, just now"
    SILENT = "it has taken all, and says nothing"
    BROKEN = "it has taken all, and the way to it breaks"
    NEVER = "it will never take this message, and quotes what it was told"
    SHUT = "it refuses us, whatever the message"


MEANING: Final[Mapping[Trouble, type[DeliveryFailure]]] = {
    Trouble.NOBODY: TransientFailure,
    Trouble.LATER: TransientFailure,
    Trouble.SILENT: UnknownOutcome,
    Trouble.BROKEN: UnknownOutcome,
    Trouble.NEVER: PermanentFailure,
    Trouble.SHUT: AccessRefused,
}
WAITED_FOR: Final = frozenset({Trouble.LATER, Trouble.SILENT})
"""The troubles that a target may have to wait for."""


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


@dataclass
class Service:
    """A service with a trouble, or none, and the target that sends to it.

    ``reached`` is set when a message is under way to it, ``got`` tells all it has by now, each thing once.
    ``hung_up`` is set when the connection ends, if it has one.
    """

    target: AnyTarget
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    got: Callable[[], str] = str
    hung_up: asyncio.Event | None = None
    receipts: list[Receipt] = field(default_factory=list)


class TargetContract:
    """What holds for a target of any kind."""

    type_name: ClassVar[str]
    content: ClassVar[JsonObject]
    seen_by_people: ClassVar[str]
    """What the preview of the content must show."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """What the options of its targets hold that nobody may see."""
    spared: ClassVar[Mapping[Trouble, str]] = {}
    """The troubles that cannot befall it, and why."""

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        """Return a target that talks to the address; without I/O."""
        raise NotImplementedError

    def facing(self, trouble: Trouble | None, seconds: float) -> AbstractAsyncContextManager[Service]:
        """Run a service with a trouble, or none; an attempt at it may take so many seconds."""
        raise NotImplementedError

    def links(self) -> KnownLinks:
        """Return what the store knows before the message of ``content`` is sent."""
        return KnownLinks()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Let each trouble that can befall it have a test of its own."""
        if "trouble" in metafunc.fixturenames:
            befall = [each for each in Trouble if each not in self.spared]
            metafunc.parametrize("trouble", befall, ids=lambda trouble: trouble.name.lower())

    @pytest.fixture
    def target(self) -> AnyTarget:
        return self.build("http://127.0.0.1:9")

    @pytest.fixture
    async def client(self) -> AsyncIterator[Client]:
        async with Client(FixedClock()) as opened:
            yield opened

    # what can be said of it without a service

    def test_its_type_is_found_under_its_name(self, target: AnyTarget) -> None:
        assert target_types()[self.type_name] is type(target)

    def test_it_keeps_the_name_from_the_rules(self, target: AnyTarget) -> None:
        assert target.name == "sales"
        assert "sales" in repr(target)

    def test_no_text_of_it_shows_a_secret(self, target: AnyTarget) -> None:
        texts = [repr(target), str(target.options), repr(target.options), target.options.model_dump_json()]
        texts += [target.preview(self.content), *target.warnings(self.content)]
        for secret in (*secrets_in(target.options), *self.secrets):
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

    # what becomes of a message

    async def ending(self, service: Service, client: Client, content: JsonObject | None = None) -> Ending:
        """Make one attempt, and return how it ended."""
        message = Message(DELIVERY, "deal:1", self.content if content is None else content)
        ending = await attempt_once(service.target, message, self.links(), client)
        if ending.receipt:
            service.receipts.append(ending.receipt)
        return ending

    async def again(self, service: Service, client: Client) -> None:
        """Make another attempt, as is done when nobody knows what became of the one before."""
        target, message = service.target, Message(DELIVERY, "deal:1", self.content)
        if not target.looks_up or await target.look_up(message, NOW, self.links(), client) is None:
            assert (await self.ending(service, client)).receipt

    def filled(self, text: str) -> JsonObject:
        """Return the content with this text where most of a message stands."""
        return {**self.content, target_types()[self.type_name].main_field: text}

    async def test_a_message_is_delivered(self, client: Client) -> None:
        async with self.facing(None, 15) as service:
            ending = await self.ending(service, client)
            assert ending.failure is None
            assert service.got()

    async def test_every_attempt_sends_the_same(self, client: Client) -> None:
        async with self.facing(None, 15) as service:
            await self.ending(service, client)
            first = service.got()
            await self.again(service, client)
            assert service.got() == first

    async def test_a_trouble_means_the_same_for_all(self, trouble: Trouble, client: Client) -> None:
        async with self.facing(trouble, 0.5 if trouble in WAITED_FOR else 15) as service:
            failure = (await self.ending(service, client)).failure
        assert failure is not None
        assert type(failure) is MEANING[trouble], failure
        assert failure.reason
        self.assert_no_secret(*everything_told(failure))

    async def test_nothing_kept_or_logged_or_told_of_a_trouble_holds_a_secret(
        self, trouble: Trouble, client: Client, store: Store, clock: ManualClock
    ) -> None:
        [id_] = await planned(store, clock, "deal:1", content=self.content)
        async with self.facing(trouble, 0.5 if trouble in WAITED_FOR else 15) as service:
            worker = Worker(service.target, store, client, clock)
            with capture_logs() as logged:
                await worker.step()
                await worker.drain(20)
            rules = Problems(read_yaml(b"targets: {sales: {}}", "rules.yaml"))
            [answered] = await ask([service.target], client, rules)
        attempts = await store.attempts(id_)
        assert [each.number for each in attempts] == [1]
        kept = (attempts, await store.delivery(id_), await store.targets())
        self.assert_no_secret(repr(kept), repr(logged), str(answered), repr(answered))

    async def test_what_is_too_long_is_cut_where_people_see_it_or_refused(self, client: Client) -> None:
        async with self.facing(None, 15) as service:
            failure = (await self.ending(service, client, self.filled(LONG))).failure
            got = service.got()
        if failure:
            assert isinstance(failure, PermanentFailure)
            assert REFUSED_AS_LONG.search(failure.reason)
        else:
            assert LONG in got or any(sign in got for sign in CUT)

    async def test_cancelling_ends_an_attempt_and_is_no_failure(self, client: Client) -> None:
        if Trouble.SILENT in self.spared:
            return
        async with self.facing(Trouble.SILENT, 15) as service:
            attempt = asyncio.create_task(self.ending(service, client))
            await asyncio.wait_for(service.reached.wait(), 5)
            attempt.cancel()
            with pytest.raises(asyncio.CancelledError):
                await attempt
            if service.hung_up:
                await asyncio.wait_for(service.hung_up.wait(), 5)

    def assert_no_secret(self, *texts: str) -> None:
        """Fail if one of these texts shows a secret."""
        for secret in self.secrets:
            assert not any(secret in text for text in texts), texts


def once(things: Iterable[object]) -> str:
    """Return each of these once, in their order."""
    return "\n".join(dict.fromkeys(map(str, things)))


def everything_told(failure: BaseException) -> Iterator[str]:
    """Yield whatever a log, a page or a debugger could print of a failure and of those behind it."""
    yield "".join(traceback.format_exception(failure))
    behind: BaseException | None = failure
    while behind is not None:
        yield from (str(behind), repr(behind), repr(behind.args), repr(vars(behind)))
        with suppress(TypeError):
            yield json.dumps(vars(behind))
        behind = behind.__cause__ or behind.__context__
