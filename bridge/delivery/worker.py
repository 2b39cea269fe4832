"""A worker: claims a target's due deliveries and makes one attempt at each."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from bridge import telemetry
from bridge.component import AnyTarget, Http
from bridge.delivery.attempt import Ending, attempt_once
from bridge.delivery.retry import RetryPolicy, settle
from bridge.delivery.wake import Bell
from bridge.errors import StoreError, UnknownOutcome
from bridge.model import Attempt, Clock, DeliveryState, Link, new_id
from bridge.store.base import Claim, Settlement, Store

POLL = 1.0
"""Seconds between looks when nobody rings and nothing is due sooner."""
LEASE_MARGIN = timedelta(seconds=30)
"""How much longer than its target's timeout a lease lasts: the time to record the outcome."""
RECORD_AGAIN = 0.5
"""Seconds between tries to record an outcome that the store could not take: it happened, and must not be forgotten."""


class _LinksOf:
    """One target's own links."""

    def __init__(self, store: Store, target: str) -> None:
        self._store = store
        self._target = target

    async def find(self, key: str) -> Link | None:
        return await self._store.find_link(self._target, key)


class Worker:
    """Delivers to one target, as many at once as its options allow. ``target`` may be replaced while it runs."""

    def __init__(
        self, target: AnyTarget, store: Store, http: Http, clock: Clock, policy: RetryPolicy | None = None
    ) -> None:
        """Start idle."""
        self.target = target
        self.bell = Bell()
        self._store = store
        self._http = http
        self._clock = clock
        self._policy = policy or RetryPolicy()
        self._links = _LinksOf(store, target.name)
        self._under_way: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self) -> None:
        """Deliver until told to stop; what is under way by then is left to ``drain``."""
        while not self._stopping:
            try:
                busy = await self.step()
                pause = POLL if busy else await self._until_due()
            except StoreError as error:
                telemetry.store_unavailable(error)
                pause = POLL
            if not self._stopping:
                await self.bell.wait(pause)

    def stop(self) -> None:
        """Claim no more."""
        self._stopping = True
        self.bell.ring()

    async def drain(self, seconds: float) -> None:
        """Wait for the attempts under way; after so many seconds, break them off and record them as unknown."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def step(self) -> bool:
        """Claim as much as may be under way at once, and start it; tell whether anything was claimed."""
        free = self.target.options.concurrency - len(self._under_way)
        claims = await self._store.claim(self.target.name, free, self._lease()) if free > 0 else ()
        if self._stopping:
            await self._store.release(claims)
            return False
        self._start(claims)
        return bool(claims)

    def _start(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            task = asyncio.create_task(self._deliver(claim), name=claim.delivery.id)
            self._under_way.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self.bell.ring()

    def _lease(self) -> timedelta:
        return timedelta(seconds=self.target.options.timeout) + LEASE_MARGIN

    async def _until_due(self) -> float:
        due = await self._store.next_due(self.target.name)
        if due is None or len(self._under_way) >= self.target.options.concurrency:
            return POLL
        return min(POLL, max(0.0, (due - self._clock.now()).total_seconds()))

    async def _deliver(self, claim: Claim) -> None:
        started = self._clock.now()
        began = asyncio.get_running_loop().time()
        try:
            ending = await attempt_once(self.target, claim.delivery.message, self._links, self._http)
        except asyncio.CancelledError:
            ending = Ending(failure=UnknownOutcome("broken off: the daemon was stopping"))
            await self._record(claim, ending, started, began)
            raise
        await self._record(claim, ending, started, began)

    async def _record(self, claim: Claim, ending: Ending, started: datetime, began: float) -> None:
        seconds = asyncio.get_running_loop().time() - began
        attempt = _attempt_of(claim, ending, started, seconds)
        settlement = self._settlement(claim, ending)
        while True:
            try:
                held = await self._store.record(claim, attempt, settlement, ending.links)
            except StoreError as error:
                telemetry.store_unavailable(error)
                await asyncio.sleep(RECORD_AGAIN)
            else:
                break
        telemetry.attempt_made(claim.delivery, attempt, settlement.state if held else None)

    def _settlement(self, claim: Claim, ending: Ending) -> Settlement:
        if ending.failure is None:
            return Settlement(DeliveryState.DELIVERED)
        return settle(ending.failure, claim.delivery, self._policy, self._clock.now())


def _attempt_of(claim: Claim, ending: Ending, started: datetime, seconds: float) -> Attempt:
    return Attempt(
        id=new_id("att"),
        delivery_id=claim.delivery.id,
        number=claim.delivery.attempts + 1,
        outcome=ending.outcome,
        trigger=claim.trigger,
        started_at=started,
        duration=seconds,
        status=ending.status,
        reason=ending.reason,
        excerpt=ending.excerpt,
    )
