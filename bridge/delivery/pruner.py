"""The pruner: lets go, little by little, of what has been kept for long enough."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic

from bridge import telemetry
from bridge.delivery.wake import Bell
from bridge.errors import StoreError
from bridge.model import Clock
from bridge.store.base import Store
from bridge.store.nouns import Pruned, Retention

EVERY = timedelta(minutes=10)
"""Between passes; more often where little is kept: ten times within what bodies are kept for."""
SHARE = 4
"""After a step it rests so many times as long, so that it never takes more than a fifth of the writer's time."""


class Pruner:
    """Makes a pass of retention now and then. A step that fails ends its pass; the next one begins anew."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        keep_events: timedelta,
        keep_bodies: timedelta,
        rest: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Take how long things are kept; a body is never kept for longer than its event."""
        self.bell = Bell()
        self._store = store
        self._clock = clock
        self._keep_events = keep_events
        self._keep_bodies = min(keep_bodies, keep_events)
        self._rest = rest

    @property
    def every(self) -> float:
        """Return the seconds between passes when nobody rings."""
        return min(EVERY, self._keep_bodies / 10).total_seconds()

    async def run(self) -> None:
        """Make passes, until cancelled."""
        while True:
            await self.bell.wait(self.every)
            try:
                await self.sweep()
            except StoreError as error:
                telemetry.store_unavailable(error)

    async def sweep(self) -> Pruned:
        """Make one pass; return all that went.

        Raises:
            StoreError: a step failed; what the steps before it let go is gone.
        """
        now = self._clock.now()
        retention = Retention(events=now - self._keep_events, bodies=now - self._keep_bodies)
        gone = Pruned()
        while True:
            began = monotonic()
            step = await self._store.prune(retention, gone.next)
            gone = _sum(gone, step)
            if step.next is None:
                break
            if any(step[:-1]):
                await self._rest(SHARE * (monotonic() - began))
        telemetry.pruned(gone.events, gone.deliveries, gone.bodies)
        return gone


def _sum(gone: Pruned, step: Pruned) -> Pruned:
    return Pruned(
        bodies=gone.bodies + step.bodies,
        events=gone.events + step.events,
        deliveries=gone.deliveries + step.deliveries,
        pages=gone.pages + step.pages,
        next=step.next,
    )
