"""A worker: claims a target's due deliveries, as fast as it may, and makes one attempt at each."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from bridge import telemetry
from bridge.component import AnyTarget, Http
from bridge.delivery.announcer import Announcer
from bridge.delivery.attempt import Ending, attempt_once, look_up_once
from bridge.delivery.breaker import FailureWindow
from bridge.delivery.retry import RetryPolicy, exhausted, settle
from bridge.delivery.wake import Bell
from bridge.errors import StoreError, UnknownOutcome
from bridge.model import Attempt, Clock, DeliveryState, Link, new_id
from bridge.store.base import Claim, Recorded, Settlement, Store

POLL = 1.0
"""Seconds between looks when nobody rings and nothing is due sooner."""
LEASE_MARGIN = timedelta(seconds=30)
"""How much longer than its target's timeout a lease lasts: the time to record the outcome."""
BREATH = 0.05
"""Seconds between looks at least, when what is due cannot be claimed yet: others hold the target's places."""
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
    """Delivers to one target within its limits. ``target`` may be replaced while it runs."""

    def __init__(
        self,
        target: AnyTarget,
        store: Store,
        http: Http,
        clock: Clock,
        announce: Announcer | None = None,
    ) -> None:
        """Start idle; ``announce`` is told what people should hear of."""
        self.target = target
        self.bell = Bell()
        self._store = store
        self._http = http
        self._clock = clock
        self._announce = announce or Announcer()
        self._links = _LinksOf(store, target.name)
        self._window = FailureWindow()
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._stopping = False

    @property
    def tokens(self) -> frozenset[str]:
        """Return the tokens of the claims under way."""
        return frozenset(self._under_way.values())

    async def run(self) -> None:
        """Deliver until told to stop; what is under way by then is left to ``drain``."""
        while not self._stopping:
            try:
                claimed = await self.step()
                pause = await self._until_due(claimed=claimed)
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
        limits = self.target.limits
        if len(self._under_way) >= limits.concurrency:
            return False
        claims = await self._store.claim(self.target.name, limits, self._lease())
        if self._stopping:
            await self._store.release(claims)
            return False
        self._start(claims)
        return bool(claims)

    def _start(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            task = asyncio.create_task(self._deliver(claim), name=claim.delivery.id)
            self._under_way[task] = claim.token
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self.bell.ring()

    def _lease(self) -> timedelta:
        return timedelta(seconds=self.target.options.timeout) + LEASE_MARGIN

    async def _until_due(self, *, claimed: bool) -> float:
        """Return how long to wait for the next delivery; finished attempts and new work ring the bell before."""
        limits = self.target.limits
        if len(self._under_way) >= limits.concurrency:
            return POLL
        due = await self._store.next_due(self.target.name, limits)
        least = 0.0 if claimed else BREATH
        return POLL if due is None else min(POLL, max(least, (due - self._clock.now()).total_seconds()))

    async def _deliver(self, claim: Claim) -> None:
        target, policy = self.target, RetryPolicy.of(self.target, claim.delivery.terms.retry)
        if settlement := _without_attempt(claim, target, policy):
            await self._until_recorded(claim, _Result(None, settlement))
            return
        watch = _Watch(self._clock)
        try:
            ending = await self._attempt(claim, target)
        except asyncio.CancelledError:
            ending = Ending(failure=UnknownOutcome("broken off: the daemon was stopping"))
            with suppress(StoreError):  # once: else the next start finds the lease, and counts it as unknown
                await self._record(claim, self._result(claim, ending, policy, watch))
            raise
        await self._until_recorded(claim, self._result(claim, ending, policy, watch))

    async def _attempt(self, claim: Claim, target: AnyTarget) -> Ending:
        """Make an attempt, unless the one before it arrived after all."""
        if claim.delivery.uncertain and target.looks_up:
            found = await look_up_once(target, claim.delivery, self._links, self._http)
            if found is not None:
                return found
        return await attempt_once(target, claim.delivery.message, self._links, self._http)

    def _result(self, claim: Claim, ending: Ending, policy: RetryPolicy, watch: "_Watch") -> "_Result":
        now, failure = self._clock.now(), ending.failure
        lesson = self._window.lesson(self.target, claim, failure, now)
        settlement = settle(failure, claim.delivery, policy, now) if failure else Settlement(DeliveryState.DELIVERED)
        settlement = replace(settlement, target=settlement.target or lesson)
        return _Result(watch.attempt(claim, ending), settlement, ending.links)

    async def _until_recorded(self, claim: Claim, result: "_Result") -> None:
        while True:
            try:
                return await self._record(claim, result)
            except StoreError as error:
                telemetry.store_unavailable(error)
                await asyncio.sleep(RECORD_AGAIN)

    async def _record(self, claim: Claim, result: "_Result") -> None:
        recorded = await self._store.record(claim, *result)
        self._tell(claim, result, recorded)

    def _tell(self, claim: Claim, result: "_Result", recorded: Recorded) -> None:
        state = result.settlement.state if recorded.held else None
        if result.attempt:
            telemetry.attempt_made(claim.delivery, result.attempt, state)
        if state is DeliveryState.DEAD:
            self._announce.delivery_dead(claim.delivery, result.settlement.reason)
        if recorded.target_changed and result.settlement.target:
            self._announce.target_changed(self.target.name, result.settlement.target)


class _Result(NamedTuple):
    """What is to be recorded of a claim."""

    attempt: Attempt | None
    settlement: Settlement
    links: tuple[Link, ...] = ()


class _Watch:
    """When an attempt began, and how long it took."""

    def __init__(self, clock: Clock) -> None:
        self._started = clock.now()
        self._began = asyncio.get_running_loop().time()

    def attempt(self, claim: Claim, ending: Ending) -> Attempt:
        """Return the record of an attempt that has just ended."""
        return Attempt(
            id=new_id("att"),
            delivery_id=claim.delivery.id,
            number=claim.delivery.attempts + 1,
            outcome=ending.outcome,
            trigger=claim.trigger,
            started_at=self._started,
            duration=asyncio.get_running_loop().time() - self._began,
            status=ending.status,
            reason=ending.reason,
            excerpt=ending.excerpt,
        )


def _without_attempt(claim: Claim, target: AnyTarget, policy: RetryPolicy) -> Settlement | None:
    """Return what becomes of a delivery that may not be sent: its schedule is over, or it may have arrived already."""
    if claim.trigger == "person":
        return None
    if claim.delivery.uncertain and claim.delivery.terms.on_unknown == "park" and not target.looks_up:
        return Settlement(DeliveryState.PARKED, reason=f"it may have arrived: {claim.delivery.reason}")
    return exhausted(claim.delivery, policy)
