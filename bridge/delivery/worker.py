"""A worker: claims a target's due deliveries, as fast as it may, and makes one attempt at each."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from bridge import telemetry
from bridge.component import AnyTarget, Http
from bridge.delivery.ahead import Ahead
from bridge.delivery.announcer import Announcer
from bridge.delivery.attempt import Ending, attempt_once, look_up_once
from bridge.delivery.breaker import FailureWindow
from bridge.delivery.result import Policy, Result, Watch, without_attempt
from bridge.delivery.retry import RetryPolicy, settle
from bridge.delivery.wake import Bell
from bridge.errors import PermanentFailure, StoreError, StoreUnavailableError, UnknownOutcome
from bridge.model import DAMAGED, Clock, DeliveryState, Limits, Link
from bridge.store.base import Store
from bridge.store.nouns import Claim, Recorded, Settlement

POLL = 1.0
"""Seconds between looks when nobody rings and nothing is due sooner."""
LEASE_MARGIN = timedelta(seconds=30)
"""How much longer than its target's timeout a lease lasts: the time to record the outcome."""
BREATH = 0.05
"""Seconds between looks at least, when what is due cannot be claimed yet: others hold the target's places."""
RECORD_AGAIN = 0.5
"""Seconds between tries to record an outcome that the store could not take: it happened, and must not be forgotten."""
UNRECORDED = 2
"""Times a target's concurrency that may be sent and not yet recorded: what a kill could make come twice."""
BROKEN_OFF = Ending(failure=UnknownOutcome("broken off: the daemon was stopping"))
"""An ending that says nothing of the service."""


class _LinksOf:
    """One target's own links."""

    def __init__(self, store: Store, target: str) -> None:
        self._store = store
        self._target = target

    async def find(self, key: str) -> Link | None:
        return await self._store.find_link(self._target, key)


class Worker:
    """Delivers to one target within its limits.

    What is claimed ahead (see ``Ahead``) is given back when the target is held.
    """

    def __init__(
        self,
        target: AnyTarget,
        store: Store,
        http: Http,
        clock: Clock,
        announce: Announcer | None = None,
        policy: Policy = RetryPolicy.of,
    ) -> None:
        """Start idle; ``announce`` is told what people should hear of, ``policy`` tells when to try again."""
        self.bell = Bell()
        self._store = store
        self._http = http
        self._clock = clock
        self._announce = announce or Announcer()
        self._policy = policy
        self._links = _LinksOf(store, target.name)
        self._window = FailureWindow()
        self._ahead = Ahead()
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._unrecorded = 0
        self._stopping = False
        self._era = 0
        self.adopt(target)

    def adopt(self, target: AnyTarget) -> None:
        """Deliver to this target from now on; what is under way ends with the one it began with."""
        self.target = target
        self._limits = target.limits
        self._slots = asyncio.Semaphore(self._limits.concurrency)
        self._room = asyncio.Semaphore(UNRECORDED * self._limits.concurrency)

    @property
    def tokens(self) -> frozenset[str]:
        """Return the tokens of the claims under way."""
        return frozenset(self._under_way.values())

    async def run(self) -> None:
        """Deliver until told to stop; what is under way by then is left to ``drain``."""
        while not self._stopping:
            try:
                pause = await self._until_due(await self.step())
            except StoreError as error:
                telemetry.store_unavailable(error)
                pause = POLL
            if not self._stopping:
                await self.bell.wait(pause)

    def hold(self) -> None:
        """Give back what was claimed ahead: the target is held, or slower than it was."""
        self._era += 1

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

    async def step(self) -> int:
        """Claim as much as there is room for, if that is worth it, and start it; return how much was claimed."""
        if not self._has_room():
            return 0
        era = self._era  # of before: who is held while the claim is under way must not be sent what it brings
        claims = await self._store.claim(self.target.name, self._claimable(), self._lease())
        if self._stopping:
            await self._store.release(claims)
            return 0
        self._start(claims, era)
        return len(claims)

    def _has_room(self) -> bool:
        """Tell whether a claim could bring enough to be worth it: a claim costs as much for one as for many."""
        claimable = self._ahead.claimable(self._limits)
        return claimable - len(self._under_way) >= max(1, claimable // 4)

    def _claimable(self) -> Limits:
        return replace(self._limits, concurrency=self._ahead.claimable(self._limits))

    def _start(self, claims: Sequence[Claim], era: int) -> None:
        for claim in claims:
            task = asyncio.create_task(self._deliver(claim, era), name=claim.delivery.id)
            self._under_way[task] = claim.token
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        if self._has_room():
            self.bell.ring()

    def _lease(self) -> timedelta:
        return 2 * timedelta(seconds=self.target.options.timeout) + LEASE_MARGIN

    async def _until_due(self, claimed: int) -> float:
        """Return how long to wait for the next delivery; finished attempts and new work ring the bell before."""
        if not self._has_room():
            return POLL
        due = await self._store.next_due(self.target.name, self._limits)
        least = 0.0 if claimed else BREATH
        return POLL if due is None else min(POLL, max(least, (due - self._clock.now()).total_seconds()))

    async def _deliver(self, claim: Claim, era: int) -> None:
        target, room = self.target, self._room
        if settlement := without_attempt(claim, target, self._policy):
            return await self._until_recorded(claim, Result(None, settlement))
        await self._enter(room, claim)
        try:
            if result := await self._in_turn(claim, era, target):
                await self._until_recorded(claim, result)
        finally:
            room.release()
        return None

    async def _enter(self, gate: asyncio.Semaphore, claim: Claim) -> None:
        """Wait for a place; whoever is cancelled meanwhile gives the claim back."""
        try:
            await gate.acquire()
        except asyncio.CancelledError:
            await self._give_back(claim)
            raise

    async def _in_turn(self, claim: Claim, era: int, target: AnyTarget) -> Result | None:
        """Make an attempt once there is a slot for it; if the target is held by then, give the claim back."""
        slots = self._slots
        await self._enter(slots, claim)
        try:
            if not self._stopping and era == self._era:
                return await self._tried(claim, target)
        finally:
            slots.release()
        await self._give_back(claim)
        return None

    async def _give_back(self, claim: Claim) -> None:
        with suppress(StoreError):  # then its lease runs out
            await self._store.release([claim])

    async def _tried(self, claim: Claim, target: AnyTarget) -> Result:
        watch = Watch(self._clock)
        try:
            ending = await self._attempt(claim, target)
        except asyncio.CancelledError:
            with suppress(StoreError):  # once: else the next start finds the lease, and counts it as unknown
                await self._record(claim, self._result(claim, BROKEN_OFF, target, watch))
            raise
        return self._result(claim, ending, target, watch)

    async def _attempt(self, claim: Claim, target: AnyTarget) -> Ending:
        """Make an attempt, unless the one before it arrived after all, or there is nothing to send."""
        if claim.delivery.content is None:
            return Ending(failure=PermanentFailure(DAMAGED))
        if claim.delivery.uncertain and target.looks_up:
            found = await look_up_once(target, claim.delivery, self._links, self._http)
            if found is not None:
                return found
        return await attempt_once(target, claim.delivery.message, self._links, self._http)

    def _result(self, claim: Claim, ending: Ending, target: AnyTarget, watch: Watch) -> Result:
        now, failure = self._clock.now(), ending.failure
        settlement = Settlement(DeliveryState.DELIVERED)
        if failure:
            policy = self._policy(target, claim.delivery.terms.retry)
            settlement = settle(failure, claim.delivery, policy, now, never_doubles=target.never_doubles)
        if ending is not BROKEN_OFF and (lesson := self._window.lesson(target, claim, failure, now)):
            settlement = replace(settlement, target=settlement.target or lesson)
        attempt = watch.attempt(claim, ending)
        self._ahead.learn(attempt.duration)
        if self._is_held_by(settlement) or self._ahead.is_too_much(len(self._under_way), self._limits):
            self.hold()
        return Result(attempt, settlement, ending.links)

    @staticmethod
    def _is_held_by(settlement: Settlement) -> bool:
        return settlement.target is not None and settlement.target.kind != "close"

    async def _until_recorded(self, claim: Claim, result: Result) -> None:
        told = False
        while True:
            try:
                return await self._record(claim, result, patient=self._is_patient())
            except StoreError as error:
                telemetry.store_unavailable(error, again=told)
                told = True
                if not isinstance(error, StoreUnavailableError):
                    return None  # it can never be recorded: the lease runs out, and the attempt counts as unknown
                await asyncio.sleep(RECORD_AGAIN)

    def _is_patient(self) -> bool:
        """Tell whether an outcome may wait for those beside it: no rate and no other attempt waits for it."""
        return len(self._under_way) > 1 and not self._limits.rate and self._unrecorded < self._limits.concurrency

    async def _record(self, claim: Claim, result: Result, *, patient: bool = False) -> None:
        self._unrecorded += 1
        try:
            recorded = await self._store.record(claim, *result, patient=patient)
        finally:
            self._unrecorded -= 1
        self._tell(claim, result, recorded)

    def _tell(self, claim: Claim, result: Result, recorded: Recorded) -> None:
        state = result.settlement.state if recorded.held else None
        if result.attempt:
            telemetry.attempt_made(claim.delivery, result.attempt, state)
        if state is DeliveryState.DEAD:
            self._announce.delivery_dead(claim.delivery, result.settlement.reason)
        if recorded.target_changed and result.settlement.target:
            self._announce.target_changed(self.target.name, result.settlement.target)
