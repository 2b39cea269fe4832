"""What works in a daemon, one step at a time: each part tells how much it did, and when there is more to do."""

from datetime import datetime, timedelta
from typing import Protocol

from bridge.delivery.announcer import EventAnnouncer
from bridge.delivery.dispatcher import Dispatcher
from bridge.delivery.timekeeper import Timekeeper
from bridge.delivery.worker import Worker
from bridge.model import Clock
from bridge.store.base import Store

PATIENCE = 60.0
"""Seconds in which whatever a target does of its own has ended."""


class Part(Protocol):
    """One part of a daemon, moved by the stage."""

    async def step(self) -> int:
        """Do what is due now; return how much that was."""

    async def next_due(self) -> datetime | None:
        """Return when there is something to do again, if that is known."""


class Routing:
    """The dispatcher: events are due when they arrive."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        """Take the dispatcher."""
        self._dispatcher = dispatcher

    async def step(self) -> int:
        """Route one batch."""
        return await self._dispatcher.step()

    async def next_due(self) -> datetime | None:
        """Return None: whatever arrives is due."""
        return None


class Timing:
    """The timekeeper: what is deferred is due at its time."""

    def __init__(self, timekeeper: Timekeeper, store: Store) -> None:
        """Take the timekeeper, and the store that it looks into."""
        self._timekeeper = timekeeper
        self._store = store

    async def step(self) -> int:
        """Ripen one batch."""
        return await self._timekeeper.step()

    async def next_due(self) -> datetime | None:
        """Return when the next deferred delivery is due."""
        return await self._store.next_ripe()


class Telling:
    """The announcer: what bridge tells of itself is an event too."""

    def __init__(self, announcer: EventAnnouncer, store: Store, clock: Clock) -> None:
        """Take the announcer, and where it stores its events."""
        self._announcer = announcer
        self._store = store
        self._clock = clock

    async def step(self) -> int:
        """Store what there is to tell."""
        return await self._announcer.step(self._store)

    async def next_due(self) -> datetime | None:
        """Return when dead letters are told of that came too soon after others."""
        seconds = self._announcer.due_in()
        return None if seconds is None else self._clock.now() + timedelta(seconds=seconds)


class Delivering:
    """A target's worker. It claims when it was rung, or something is due: each claim is a transaction."""

    def __init__(self, worker: Worker, store: Store, clock: Clock) -> None:
        """Take the worker and its store."""
        self._worker = worker
        self._store = store
        self._clock = clock
        self._rung = False
        self._due: datetime | None = None

    def ring(self) -> None:
        """Tell it that there is work."""
        self._rung = True

    async def step(self) -> int:
        """Make the attempts that are due, and wait for their ends."""
        if not self._rung and (self._due is None or self._due > self._clock.now()):
            return 0
        claimed = await self._worker.step()
        await self._worker.drain(PATIENCE)
        self._rung = claimed > 0
        self._due = await self._store.next_due(self._worker.target.name, self._worker.target.limits)
        return claimed

    async def next_due(self) -> datetime | None:
        """Return when a delivery of the target may be claimed next."""
        return self._due
