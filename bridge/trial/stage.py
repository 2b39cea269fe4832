"""The stage of one test: a store, the parts of a daemon, and time that goes from one due moment to the next."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from bridge.component import AnyTarget
from bridge.config.trial_frame import Reply
from bridge.delivery.announcer import EventAnnouncer
from bridge.delivery.dispatcher import Dispatcher
from bridge.delivery.retry import RetryPolicy
from bridge.delivery.timekeeper import Timekeeper
from bridge.delivery.worker import Worker
from bridge.model import Event
from bridge.remote.looking_up import LookUp
from bridge.ruleset import Ruleset
from bridge.store.base import Store
from bridge.store.nouns import Backlog
from bridge.store.sqlite import open_store
from bridge.trial.clock import MovedClock
from bridge.trial.parts import Delivering, Part, Routing, Telling, Timing
from bridge.trial.service import PlayedHttp, PlayedTarget

TICK = timedelta(milliseconds=50)
"""How far time moves at least when a part is due and yet does nothing."""


class Stage:
    """What a daemon is made of, without a daemon. Nothing leaves it."""

    def __init__(self, store: Store, clock: MovedClock, parts: Sequence[Part]) -> None:
        """Take the parts; they take turns in this order."""
        self.store = store
        self._clock = clock
        self._parts = parts

    @classmethod
    @asynccontextmanager
    async def built(
        cls, rules: Ruleset, answers: Mapping[str, Sequence[Reply]], clock: MovedClock
    ) -> AsyncIterator[Self]:
        """Build a stage in a folder that is gone afterwards."""
        with TemporaryDirectory(prefix="bridge-test-") as folder:
            store = await open_store(Path(folder), clock, durable=False)
            try:
                await store.adopt(tuple(rules.targets))
                yield cls(store, clock, _parts(store, rules, answers, clock))
            finally:
                await store.close()

    async def arrive(self, event: Event) -> None:
        """Let an event arrive, and do what follows from it at once."""
        await self.store.add(event)
        await self.settle()

    async def settle(self) -> None:
        """Do all that is due now."""
        while sum([await part.step() for part in self._parts]):
            pass

    async def until(self, end: datetime) -> None:
        """Let time pass; what becomes due meanwhile happens at its time."""
        await self.settle()
        while (due := await self._next_due()) is not None and due <= end:
            self._clock.set(max(due, min(end, self._clock.now() + TICK)))
            await self.settle()
            if self._clock.now() >= end:
                break
        self._clock.set(end)

    async def _next_due(self) -> datetime | None:
        moments = [moment for part in self._parts if (moment := await part.next_due()) is not None]
        return min(moments, default=None)


def _parts(store: Store, rules: Ruleset, answers: Mapping[str, Sequence[Reply]], clock: MovedClock) -> tuple[Part, ...]:
    announcer = EventAnnouncer(clock, Backlog)
    workers = {
        name: Delivering(_worker(target, answers.get(name, ()), store, clock, announcer), store, clock)
        for name, target in rules.targets.items()
    }

    def ring(targets: set[str]) -> None:
        for name in targets:
            workers[name].ring()

    look_up = LookUp(lambda: rules.sources, lambda _: None, store.last_state, clock).find
    dispatcher = Dispatcher(store, lambda: rules, ring, clock, announce=announcer, look_up=look_up)
    timekeeper = Timekeeper(store, lambda: rules, ring, clock, announcer, look_up)
    return (Routing(dispatcher), Timing(timekeeper, store), *workers.values(), Telling(announcer, store, clock))


def _worker(
    target: AnyTarget, replies: Sequence[Reply], store: Store, clock: MovedClock, announcer: EventAnnouncer
) -> Worker:
    anew: AnyTarget = type(target)(target.name, target.options)  # what it learns is not known in another test
    return Worker(PlayedTarget(anew), store, PlayedHttp(anew, replies, clock), clock, announcer, steady)


def steady(target: AnyTarget, entry: Mapping[str, float]) -> RetryPolicy:
    """Return a target's retry schedule without chance: each wait is as long as it may be."""
    return RetryPolicy.of(target, {**entry, "jitter": False})
