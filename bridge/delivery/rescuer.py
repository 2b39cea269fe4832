"""The rescuer: gives back what a killed or stuck worker held, and sets aside what no target of today would take."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from bridge import telemetry
from bridge.delivery.wake import Bell
from bridge.errors import StoreError
from bridge.store.base import Store

EVERY = 15.0
"""Seconds between looks when nobody rings."""


class Rescuer:
    """Looks for expired leases; at start, for all of them, since no worker of a former run is alive.

    Deliveries whose target is gone are parked, and come back with it. That too is looked at again and again: a batch
    that was routed under the former rules may be committed after the new ones are in force.
    """

    def __init__(
        self, store: Store, targets: Callable[[], Sequence[str]], returned: Callable[[set[str]], None]
    ) -> None:
        """Take what to ask for the targets of the moment, and whom to tell which of them got work back."""
        self.bell = Bell()
        self._store = store
        self._targets = targets
        self._returned = returned

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.bell.wait(EVERY)
            with suppress(StoreError):
                await self.step()

    async def step(self, *, everything: bool = False) -> int:
        """Give back what has expired, or everything that is leased, and park what has no target.

        Returns how much was given back.
        """
        deliveries = await self._store.rescue(everything=everything)
        for delivery in deliveries:
            telemetry.lease_rescued(delivery)
        targets = self._targets()
        parked, returned = await self._store.park_except(targets)
        telemetry.targets_gone(parked, returned)
        self._returned(set(targets) if returned else {delivery.target for delivery in deliveries})
        return len(deliveries)
