"""The rescuer: gives back what a killed or stuck worker held, once its lease has ended."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from bridge import telemetry
from bridge.errors import StoreError
from bridge.store.base import Store

EVERY = 15.0
"""Seconds between looks."""


class Rescuer:
    """Looks for expired leases; at start, for all of them, since no worker of a former run is alive."""

    def __init__(self, store: Store, rescued: Callable[[set[str]], None]) -> None:
        """Take whom to tell which targets got work back."""
        self._store = store
        self._rescued = rescued

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            with suppress(StoreError):
                await self.step()

    async def step(self, *, everything: bool = False) -> int:
        """Give back what has expired, or everything that is leased; return how much that was."""
        deliveries = await self._store.rescue(everything=everything)
        for delivery in deliveries:
            telemetry.lease_rescued(delivery)
        self._rescued({delivery.target for delivery in deliveries})
        return len(deliveries)
