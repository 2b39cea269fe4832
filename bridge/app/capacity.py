"""Capacity: whether there is room for another webhook. Looked at once a second, and known at once to whoever asks."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Final, Literal, NamedTuple, TypeAlias

from bridge import telemetry
from bridge.errors import StoreError
from bridge.model import Clock
from bridge.options.quantity import size_written
from bridge.store.base import Store
from bridge.store.nouns import Backlog

EVERY = 1.0
"""Seconds between looks."""
SHARE, LONGEST = 9, 5.0
"""A look that takes long is followed by so many times as long without one, up to so many seconds: counting a million
takes its time."""
STALE = timedelta(seconds=15)
"""After so long without a look nothing is known any more."""

LimitName: TypeAlias = Literal["backlog", "store", "disk"]
HANG: Final = "hang"
"""What is no limit, and turns webhooks away like one: each that waits for a disk takes room as well."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much there may be: events and deliveries that wait, bytes in the store; and bytes that must stay free."""

    backlog: int
    store: int | None
    reserve: int


class Shortage(NamedTuple):
    """The limit that was reached, and what to tell people of it."""

    limit: LimitName
    reason: str


class Capacity:
    """Counts what waits and what is left. A limit that was reached holds until there is clearly room again."""

    def __init__(
        self, store: Store, data: Path, room: Room, clock: Clock, free: Callable[[Path], int] | None = None
    ) -> None:
        """Take what to count, and ``free``, which tells the bytes that are left where the data is."""
        self.backlog = Backlog()
        """What waited at the last look that succeeded."""
        self.shortage: Shortage | None = None
        """Why there is no room for a webhook; None if there is."""
        self._store = store
        self._data = data
        self._room = room
        self._clock = clock
        self._free = free or _free
        self._looked_at: datetime | None = None
        self._trouble: str | None = None
        self._refusal: StoreError | None = None

    async def run(self) -> None:
        """Look again and again, until cancelled; one look at a time."""
        while True:
            began = monotonic()
            await self.look()
            await asyncio.sleep(min(LONGEST, max(EVERY, SHARE * (monotonic() - began))))

    async def look(self) -> None:
        """Count what waits and what is left, and tell when a limit is reached or there is room again."""
        try:
            self.backlog, free = await self._store.backlog(), self._free(self._data)
        except OSError as error:
            self._trouble = f"the data directory {self._data} cannot be used: {error.strerror}"
            return
        except StoreError as error:
            self._trouble = str(error)
            return
        self._trouble, self._looked_at = None, self._clock.now()
        telemetry.backlog_seen(
            self.backlog.events_received, self.backlog.oldest_received_at, self.backlog.deliveries, self._looked_at
        )
        telemetry.space_seen(self.backlog.size, free)
        self._weigh(free)
        self._store.economise(room=not self._is_short("disk"))
        refusal = await self._refused()
        if refusal and not self._refusal:
            telemetry.store_unavailable(refusal)
        self._refusal = refusal

    async def _refused(self) -> StoreError | None:
        """Return why nothing can be written, whatever room there seems to be: for a quota, a lock, a read-only disk."""
        try:
            await self._store.writable()
        except StoreError as error:
            return error
        return None

    @property
    def turns_away(self) -> LimitName | Literal["hang"] | None:
        """Name why no webhook is taken, if none is."""
        return self.shortage.limit if self.shortage else HANG if self._store.hangs else None

    @property
    def unready(self) -> str | None:
        """Return why the daemon cannot do its work, if it cannot."""
        if self._trouble:
            return self._trouble
        if self._looked_at is None or self._clock.now() - self._looked_at > STALE:
            return "the store has not answered for a while"
        return self.no_room

    @property
    def no_room(self) -> str | None:
        """Return why webhooks are turned away, or cannot be stored, if they are."""
        if self.shortage:
            return self.shortage.reason
        return str(self._refusal) if self._refusal else None

    def _weigh(self, free: int) -> None:
        before, self.shortage = self.shortage, self._find_shortage(free)
        if (before and before.limit) != (self.shortage and self.shortage.limit):
            if before:
                telemetry.room_again(before.limit)
            if self.shortage:
                telemetry.room_ended(self.shortage.limit, self.shortage.reason)

    def _find_shortage(self, free: int) -> Shortage | None:
        """Return the limit that is reached; one that was reached before counts until there is clearly room."""
        waiting, size = self.backlog.events_received + self.backlog.deliveries_waiting, self.backlog.size
        reserve, most, limit = self._room.reserve, self._room.backlog, self._room.store
        if free < (reserve * 5 // 4 if self._is_short("disk") else reserve):
            return Shortage(
                "disk", f"the disk is nearly full: {size_written(free)} free, {size_written(reserve)} is kept back"
            )
        if limit is not None and size >= (limit - limit // 20 if self._is_short("store") else limit):
            return Shortage("store", f"the store has reached its limit: {size_written(size)} of {size_written(limit)}")
        if waiting >= (most - most // 10 if self._is_short("backlog") else most):
            return Shortage("backlog", f"the backlog has reached its limit: {waiting} of {most} wait")
        return None

    def _is_short(self, limit: LimitName) -> bool:
        return self.shortage is not None and self.shortage.limit == limit


def _free(path: Path) -> int:
    return shutil.disk_usage(path).free
