"""The dispatcher: takes received events in batches and lets the ruleset of the moment decide them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic

from bridge import telemetry
from bridge.delivery.announcer import Announcer
from bridge.delivery.reached import FindRelated, Reached, nothing_found
from bridge.delivery.wake import Bell
from bridge.errors import StoreError
from bridge.model import Clock, DeliveryState, EntityState, Event, EventState, RoutedEvent, StateKey
from bridge.routing.router import in_order
from bridge.ruleset import Ruleset
from bridge.store.base import Store

BATCH = 64
"""Events decided in one transaction at most."""
TURN = 0.05
"""Seconds after which no other event of a batch is begun, so that ingest never waits long for slow templates."""
POLL = 1.0
"""Seconds between looks when nobody rings."""
COURTESY = 1.0
"""Seconds each batch steps aside at most while webhooks are being answered: the CRM hangs up after five."""
PATIENCE = timedelta(seconds=5)
"""How old a waiting event may become before routing takes its full share again."""


class Dispatcher:
    """Routes events. One per store."""

    def __init__(  # noqa: PLR0913 (what a daemon hands it, each by its name)
        self,
        store: Store,
        current: Callable[[], Ruleset],
        planned: Callable[[set[str]], None],
        clock: Clock,
        busy: Callable[[], bool] = lambda: False,
        announce: Announcer | None = None,
        *,
        look_up: FindRelated = nothing_found,
    ) -> None:
        """Take what to ask for the ruleset, whom to tell which targets got work, and whether ingest is at work.

        ``announce`` is told of what could not be rendered; ``look_up`` finds what messages say of related entities.
        """
        self.bell = Bell()
        self._store = store
        self._current = current
        self._planned = planned
        self._clock = clock
        self._busy = busy
        self._announce = announce or Announcer()
        self._reached = Reached(look_up)
        self._oldest: datetime | None = None

    async def run(self) -> None:
        """Route until cancelled: a store that cannot write just now is asked again, and no defect is the end."""
        while True:
            await self._let_ingest_first()
            if not await self._try():
                self._oldest = None
                await self.bell.wait(POLL)

    async def _try(self) -> int:
        """Route one batch, whatever happens; return how many events it had."""
        try:
            return await self.step()
        except StoreError:
            return 0
        except Exception as error:  # noqa: BLE001 (routing that has stopped would be noticed by nobody)
            telemetry.dispatching_failed(error)
            await asyncio.sleep(POLL)
            return 0

    async def step(self) -> int:
        """Route one batch; return how many events it had."""
        taken: dict[str, Event] = {}

        def plan(events: Sequence[Event], states: Mapping[StateKey, EntityState]) -> Sequence[RoutedEvent]:
            taken.update((event.id, event) for event in events)
            return self._plan(events, states)

        try:
            prepare = self._prepare if self._current().router.reaches else None
            batch = await self._store.route(BATCH, plan, prepare)
        except StoreError as error:
            telemetry.store_unavailable(error)
            raise
        self._tell(taken, batch)
        return len(batch)

    async def _prepare(self, events: Sequence[Event], states: Mapping[StateKey, EntityState]) -> None:
        await self._reached.prepare(lambda: self._current().router.wanted(events, states))

    def _tell(self, taken: Mapping[str, Event], batch: Sequence[RoutedEvent]) -> None:
        now = self._clock.now()
        self._oldest = min((event.received_at for event in taken.values()), default=None)
        for routed in batch:
            telemetry.event_routed(taken[routed.event_id], routed, now)
        planned = [delivery for routed in batch for delivery in routed.deliveries]
        for delivery in planned:
            if delivery.state is DeliveryState.DEAD:
                self._announce.delivery_dead(delivery, delivery.reason)
        self._planned({delivery.target for delivery in planned})

    async def _let_ingest_first(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + COURTESY
        await asyncio.sleep(0)
        while self._busy() and not self._late() and loop.time() < until:  # noqa: ASYNC110 (a poll is enough)
            await asyncio.sleep(0.005)

    def _late(self) -> bool:
        return self._oldest is not None and self._clock.now() - self._oldest > PATIENCE

    def _plan(self, events: Sequence[Event], states: Mapping[StateKey, EntityState]) -> Sequence[RoutedEvent]:
        """Decide events one after another, the first at least, for as long as a turn lasts."""
        end, routed = monotonic() + TURN, list[RoutedEvent]()
        for decided in in_order(self._decide, events, states):
            routed.append(decided)
            if monotonic() >= end:
                break
        return routed

    def _decide(self, event: Event, last: EntityState | None) -> RoutedEvent:
        try:
            return self._current().router.decide(event, last, self._reached.related)
        except Exception as error:  # noqa: BLE001 (a defect on one event must not stop the others; it is kept for a replay)
            return set_aside(event, error)


def set_aside(event: Event, error: Exception) -> RoutedEvent:
    """Return the decision for an event at which routing met a defect of bridge, and tell of it."""
    telemetry.routing_failed(event, error)
    return RoutedEvent(event.id, EventState.QUARANTINED, reason=f"routing failed: {type(error).__name__}")
