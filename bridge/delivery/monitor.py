"""The monitor: looks now and then at what nobody reports by itself, silent sources and a growing backlog."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from bridge import telemetry
from bridge.component import AnySource
from bridge.delivery.announcer import Announcer
from bridge.delivery.usual import LEAST, WEEKS, unusual
from bridge.errors import StoreError
from bridge.model import Clock, Entity
from bridge.sources import _bridge
from bridge.store.base import Store
from bridge.store.nouns import Backlog, EventQuery

EVERY: Final = 5.0
"""Seconds between looks."""
AGAIN: Final = timedelta(minutes=1)
"""Between two looks at a source that is silent."""
PATIENCE: Final = timedelta(hours=1)
"""How long nothing is told of a source that is new, or after a start, at most: while bridge was down, the source could
not be heard."""
HISTORY: Final = timedelta(weeks=WEEKS, hours=1)
"""What is looked at to know what is usual."""


class Growth:
    """Tells of a backlog that has reached a threshold, and each time it has doubled; anew once it was below half."""

    def __init__(self, announce: Announcer, backlog: Callable[[], Backlog], threshold: int) -> None:
        """Take whom to tell, whom to ask, and how much may wait without a word."""
        self._announce = announce
        self._backlog = backlog
        self._threshold = self._next = threshold

    def look(self) -> None:
        """Look how much waits."""
        backlog = self._backlog()
        waiting = backlog.events_received + backlog.deliveries_waiting
        if waiting >= self._next:
            self._announce.backlog_growing(backlog, self._threshold)
        elif waiting < self._threshold / 2:
            self._next = self._threshold
        while self._next <= waiting:
            self._next *= 2


class Silences:
    """Tells of each silence once, also over restarts: what was told last is the last state of the source's feed."""

    def __init__(
        self, store: Store, clock: Clock, announce: Announcer, sources: Callable[[], Mapping[str, AnySource]]
    ) -> None:
        """Take whom to ask, whom to tell, and the sources, whose options may say how long a silence is usual."""
        self._store = store
        self._clock = clock
        self._announce = announce
        self._sources = sources
        self._known_since: dict[str, datetime] = {}
        self._look_at: dict[tuple[str, timedelta | None], datetime] = {}
        self._usual: dict[str, tuple[datetime, Mapping[int, int]]] = {}
        self._told: dict[str, datetime | None] = {}

    async def look(self) -> None:
        """Look at every source whose time has come: none that was heard can be silent before its silence has passed.

        Raises:
            StoreError: the sources that were not looked at are looked at next time.
        """
        now = self._clock.now()
        named = {name: source.options.silence for name, source in self._sources().items()}
        self._known_since = {name: self._known_since.get(name, now) for name in named}
        for name, silence in named.items():
            if self._look_at.get((name, silence), now) <= now:
                look = self._next(name, silence, now) if silence else self._next_unusual(name, now)
                self._look_at[name, silence] = await look

    async def _next_unusual(self, name: str, now: datetime) -> datetime:
        """Look at a source of which nobody has said how long it may be silent, and return when to look again."""
        newest = await self._store.events(EventQuery(source=name, limit=1))
        if not newest:
            return now + LEAST
        last = newest[0].received_at
        if now - last < LEAST:
            return last + LEAST
        usual = unusual(await self._usually(name, last, now), last, now)
        if usual and now - self._known_since[name] >= PATIENCE and not await self._was_told(name, last):
            self._told[name] = last
            self._announce.source_silent(name, usual, last, now - last)
        return now + AGAIN

    async def _usually(self, name: str, last: datetime, now: datetime) -> Mapping[int, int]:
        """Return how much came in each hour of the weeks before; while it is silent that stays as it is."""
        if name not in self._usual or self._usual[name][0] != last:
            self._usual[name] = last, await self._store.hourly(name, min(last, now) - HISTORY)
        return self._usual[name][1]

    async def _next(self, name: str, silence: timedelta, now: datetime) -> datetime:
        """Look at a source, and return when to look again."""
        newest = await self._store.events(EventQuery(source=name, limit=1))
        last, known_since = newest[0].received_at if newest else None, self._known_since[name]
        quiet = now - (last or known_since)
        if quiet < silence:
            return now + silence - quiet
        if now - known_since >= min(silence, PATIENCE) and not await self._was_told(name, last):
            self._told[name] = last
            self._announce.source_silent(name, silence, last, quiet)
        return now + AGAIN

    async def _was_told(self, name: str, last: datetime | None) -> bool:
        if name in self._told and self._told[name] == last:
            return True
        feed = await self._store.last_state(_bridge.NAME, Entity("feed", name))
        return feed is not None and feed.document["last_event_at"] == (last and last.isoformat())


class Monitor:
    """Looks at all of it again and again."""

    def __init__(self, store: Store, growth: Growth, silences: Silences) -> None:
        """Take what to look at."""
        self._store = store
        self._growth = growth
        self._silences = silences

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(EVERY)

    async def step(self) -> None:
        """Look once; what the store could not tell is asked again next time."""
        self._growth.look()
        try:
            telemetry.targets_seen(await self._store.targets())
            await self._silences.look()
        except StoreError as error:
            telemetry.store_unavailable(error)
