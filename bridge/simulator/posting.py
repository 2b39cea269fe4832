"""Posts webhooks as the CRM does: one try and five retries of five seconds each, then never again.

Only a 2xx is a success. Some events are posted twice, some late, as the settings say. An address that only fails has
its webhooks suspended, and what happens meanwhile is not posted at all.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import aiohttp
import orjson

from bridge.rdstation.timestamps import as_event_time
from bridge.simulator.chance import Chance
from bridge.simulator.clock import Agenda, VirtualClock
from bridge.simulator.registrations import Registration, Registry
from bridge.simulator.settings import SimulatorSettings
from bridge.simulator.team import Happening
from bridge.simulator.telling import Note, Tell, shown

Result: TypeAlias = Literal["delivered", "refused", "late", "unreachable", "suspended"]

AT_ONCE: Final = 20
"""Webhooks under way at the same time."""
KEPT: Final = 100_000
"""How many tries the log remembers."""
JSON: Final = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Try:
    """One try to post a webhook. ``last`` says that it failed and no other follows: the event is lost."""

    at: datetime
    uuid: str
    event_name: str
    entity_id: str
    url: str
    number: int
    result: Result
    status: int | None
    last: bool


@dataclass(slots=True, eq=False)
class _Posting:
    """A webhook on its way."""

    registration: Registration
    happening: Happening
    uuid: str
    tries: int = field(default=0)

    @property
    def body(self) -> bytes:
        return orjson.dumps(
            {
                "event_name": self.registration.event_name,
                "document": self.happening.document,
                "event_timestamp": as_event_time(self.happening.at),
                "transaction_uuid": self.uuid,
            }
        )


class Poster:
    """Posts what happens to whoever has registered for it. What is about one entity goes one after another."""

    def __init__(
        self, settings: SimulatorSettings, agenda: Agenda, clock: VirtualClock, registry: Registry, tell: Tell
    ) -> None:
        """Take how to post, and when and whom."""
        self._settings = settings
        self._agenda = agenda
        self._clock = clock
        self._registry = registry
        self._tell = tell
        self._chance = Chance(settings.seed, "posting")
        self._failures: Counter[str] = Counter()
        self._lanes: dict[str, deque[_Posting]] = {}
        self._runners: set[asyncio.Task[None]] = set()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._session: aiohttp.ClientSession
        self.log: deque[Try] = deque(maxlen=KEPT)

    async def open(self) -> None:
        """Get ready to post."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._settings.deadline), auto_decompress=False
        )

    async def close(self) -> None:
        """Give up what is under way."""
        for runner in self._runners:
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)
        await self._session.close()

    async def idle(self) -> None:
        """Return once nothing is under way; what is only due later is not."""
        while self._runners:
            await asyncio.wait(set(self._runners))

    def post(self, happening: Happening) -> None:
        """Post what has happened to all who have registered for it, and to some of them twice.

        Chance is asked the same questions whoever listens, so that the same seed always plans the same.
        """
        chance, settings = self._chance, self._settings
        delay = chance.within(2, 20) if chance.happens(settings.reordered) else chance.within(0.05, 0.4)
        uuids = [(chance.uuid(), 0.0)]
        if chance.happens(settings.duplicates):
            uuids += [(chance.uuid(), chance.within(0, 0.3)) for _ in range(chance.number(1, 2))]
        for name in self._names(happening):
            for uuid, later in uuids:
                for registration in self._registry.listening(name):
                    self._put(_Posting(registration, happening, uuid), delay + later)

    async def probe(self, url: str, headers: dict[str, str]) -> bool:
        """Tell whether an address answers an empty body with 2xx."""
        result, status = await self._send(url, headers, b"")
        told = f"{shown(url)} was asked, and {_answered(result, status)}"
        self._tell(Note(self._clock.now(), "webhook", "probe", told, "" if result == "delivered" else "bad"))
        return result == "delivered"

    def forgive(self, url: str) -> None:
        """Begin to count an address's failures anew, for its webhooks were activated again."""
        del self._failures[url]

    def _names(self, happening: Happening) -> Iterable[str]:
        yield happening.name
        if happening.name == "crm_deal_created" and self._settings.updated_after_created:
            yield "crm_deal_updated"

    def _put(self, posting: _Posting, seconds: float) -> None:
        self._agenda.put(self._clock.now() + timedelta(seconds=seconds), lambda: self._queue(posting))

    def _queue(self, posting: _Posting) -> None:
        key = posting.happening.record.id
        if key in self._lanes:
            self._lanes[key].append(posting)
            return
        self._lanes[key] = deque([posting])
        runner = asyncio.get_running_loop().create_task(self._run(key))
        self._runners.add(runner)
        runner.add_done_callback(self._runners.discard)

    async def _run(self, key: str) -> None:
        lane = self._lanes[key]
        while lane:
            async with self._free:
                await self._try(lane.popleft())
        del self._lanes[key]

    async def _try(self, posting: _Posting) -> None:
        registration = posting.registration
        if registration.status != "active" or self._registry.get(registration.id) is not registration:
            self._record(posting, "suspended", None, last=True)
            return
        posting.tries += 1
        url = registration.url
        result, status = await self._send(url, registration.headers, posting.body)
        failed = result != "delivered"
        again = failed and posting.tries <= self._settings.retries
        self._record(posting, result, status, last=failed and not again)
        self._failures[url] = self._failures[url] + 1 if failed else 0
        if again:
            self._put(posting, self._settings.retry_spacing.total_seconds() * 2 ** (posting.tries - 1))
        if self._failures[url] >= self._settings.suspend_after and (count := self._registry.suspend(url)):
            told = f"{count} webhooks of {shown(url)} after {self._failures[url]} failures in a row"
            self._tell(Note(self._clock.now(), "webhook", "suspended", told, "bad"))

    async def _send(self, url: str, headers: dict[str, str], body: bytes) -> tuple[Result, int | None]:
        try:
            async with self._session.post(url, data=body, headers=JSON | headers, allow_redirects=False) as answer:
                return ("delivered" if answer.ok and answer.status < 300 else "refused"), answer.status  # noqa: PLR2004
        except TimeoutError:
            return "late", None
        except (aiohttp.ClientError, OSError, ValueError):
            return "unreachable", None

    def _record(self, posting: _Posting, result: Result, status: int | None, *, last: bool) -> None:
        url, name, entity = posting.registration.url, posting.registration.event_name, posting.happening.record
        now = self._clock.now()
        self.log.append(Try(now, posting.uuid, name, entity.id, url, posting.tries, result, status, last))
        if result not in {"delivered", "suspended"}:
            told = f"try {posting.tries} {_answered(result, status)}{', and is lost' if last else ''}"
            self._tell(Note(now, "webhook", name, f"{entity.name}: {told}", "bad"))


def _answered(result: Result, status: int | None) -> str:
    told = {"late": "was not answered in time", "unreachable": "reached nobody"}
    return told.get(result, f"was answered {status}")
