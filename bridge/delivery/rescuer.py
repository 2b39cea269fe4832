"""The rescuer: gives back what a killed or stuck worker held, and holds the targets that no rule names."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from bridge import telemetry
from bridge.delivery.wake import Bell
from bridge.errors import StoreError
from bridge.store.base import Store

EVERY = 15.0
"""Seconds between looks when nobody rings."""


class Rescuer:
    """Looks for expired leases; at start, for all of them, since no worker of a former run is alive.

    A lease whose worker is alive is left alone whatever the clock says. Which targets there are is told to the store
    again and again: a batch that was routed under the former rules may be committed after the new ones are in force.
    """

    def __init__(
        self,
        store: Store,
        targets: Callable[[], Sequence[str]],
        held: Callable[[], Collection[str]],
        returned: Callable[[set[str]], None],
    ) -> None:
        """Take what to ask for the targets and for the tokens in use, and whom to tell which targets got work back."""
        self.bell = Bell()
        self._store = store
        self._targets = targets
        self._held = held
        self._returned = returned

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.bell.wait(EVERY)
            with suppress(StoreError):
                await self.step()

    async def step(self, *, everything: bool = False) -> int:
        """Give back what has expired, or everything that is leased, and hold the targets that the rules do not name.

        Returns how much was given back.
        """
        deliveries = await self._store.rescue(everything=everything, held=self._held())
        for delivery in deliveries:
            telemetry.lease_rescued(delivery)
        gone, back = await self._store.adopt(self._targets())
        telemetry.targets_adopted(gone, back)
        self._returned({*back, *(delivery.target for delivery in deliveries)})
        return len(deliveries)
