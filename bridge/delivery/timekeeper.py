"""The timekeeper: deliveries that are deferred get their message, and their place in line, when their time has come."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from bridge import telemetry
from bridge.delivery.announcer import Announcer
from bridge.delivery.reached import FindRelated, Reached, nothing_found
from bridge.delivery.wake import Bell
from bridge.errors import StoreError
from bridge.model import Clock, Delivery, DeliveryState, Ripe, Ripened, Unreadable
from bridge.ruleset import Ruleset
from bridge.store.base import Store

BATCH = 32
"""Deferred deliveries taken in one transaction at most."""
POLL = 1.0
"""Seconds between looks at most: whatever else defers something, or hurries it, is seen by then."""


class Timekeeper:
    """Ripens what is due, under the rules of that moment. One per store."""

    def __init__(
        self,
        store: Store,
        current: Callable[[], Ruleset],
        planned: Callable[[set[str]], None],
        clock: Clock,
        announce: Announcer | None = None,
        look_up: FindRelated = nothing_found,
    ) -> None:
        """Take what to ask for the ruleset, whom to tell which targets got work, and who hears of dead letters.

        ``look_up`` finds what messages say of related entities.
        """
        self.bell = Bell()
        self._store = store
        self._current = current
        self._planned = planned
        self._clock = clock
        self._announce = announce or Announcer()
        self._reached = Reached(look_up)

    async def run(self) -> None:
        """Go on until cancelled; a store that cannot write just now is asked again."""
        while True:
            pause = POLL
            with suppress(StoreError):
                pause = await self._until_due() if not await self.step() else 0
            await self.bell.wait(pause)

    async def step(self) -> int:
        """Ripen what is due, a batch at most; return how many deliveries it had."""
        try:
            foresee = self._foresee if self._current().router.reaches else None
            ripened = await self._store.ripen(BATCH, self._ripen, foresee)
        except StoreError as error:
            telemetry.store_unavailable(error)
            raise
        for delivery in ripened:
            telemetry.delivery_ripened(delivery)
            if delivery.state is DeliveryState.DEAD:
                self._announce.delivery_dead(delivery, delivery.reason)
        self._planned({delivery.target for delivery in ripened})
        return len(ripened)

    async def _until_due(self) -> float:
        due = await self._store.next_ripe()
        return POLL if due is None else min(POLL, max(0.0, (due - self._clock.now()).total_seconds()))

    async def _foresee(self, batch: Sequence[Ripe]) -> None:
        await self._reached.prepare(lambda: self._current().router.wanted_ripe(batch))

    def _ripen(self, ripe: Ripe) -> Ripened | Unreadable:
        try:
            return self._current().router.ripen(ripe, self._reached.related)
        except Exception as error:  # noqa: BLE001 (a defect on one delivery must not stop the others)
            telemetry.ripening_failed(ripe.delivery, error)
            reason = f"ripening failed: {type(error).__name__}"
            dead = replace(ripe.delivery, state=DeliveryState.DEAD, reason=reason, deferral=None)
            return Ripened(dead, self._following(ripe))

    def _following(self, ripe: Ripe) -> Delivery | None:
        with suppress(Exception):  # it may be the very defect
            return self._current().router.following(ripe)
        return None
