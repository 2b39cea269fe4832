"""The fleet: one worker per target, so that a bad target never touches the others."""

import asyncio
from collections.abc import Iterable, Mapping

from bridge.component import AnyTarget, Http
from bridge.delivery.announcer import Announcer
from bridge.delivery.worker import Worker
from bridge.model import Clock
from bridge.store.base import Store


class Fleet:
    """Starts, replaces and stops workers as rulesets come and go."""

    def __init__(
        self, store: Store, http: Http, clock: Clock, tasks: asyncio.TaskGroup, announce: Announcer | None = None
    ) -> None:
        """Start without workers; those to come live in the daemon's task group."""
        self._store = store
        self._http = http
        self._clock = clock
        self._tasks = tasks
        self._announce = announce or Announcer()
        self._workers: dict[str, Worker] = {}
        self._retired: list[Worker] = []

    def adopt(self, targets: Mapping[str, AnyTarget]) -> None:
        """Serve these targets from now on. What is under way ends with the target it began with."""
        for name in self._workers.keys() - targets.keys():
            self._retire(name)
        for name, target in targets.items():
            if worker := self._workers.get(name):
                worker.adopt(target)
            else:
                self._start(target)
        self.ring(targets)

    def held(self) -> set[str]:
        """Return the tokens of every claim that is under way."""
        return {token for worker in (*self._workers.values(), *self._retired) for token in worker.tokens}

    def ring(self, targets: Iterable[str]) -> None:
        """Tell the workers of these targets that there is work."""
        for name in targets:
            if worker := self._workers.get(name):
                worker.bell.ring()

    def hold(self, target: str) -> None:
        """Tell the worker of a target that it is held: what is not under way yet is given back."""
        if worker := self._workers.get(target):
            worker.hold()

    async def drain(self, seconds: float) -> None:
        """Claim no more, and wait this long for what is under way."""
        for name in tuple(self._workers):
            self._retire(name)
        await asyncio.gather(*(worker.drain(seconds) for worker in self._retired))

    def _retire(self, name: str) -> None:
        worker = self._workers.pop(name)
        worker.stop()
        self._retired.append(worker)

    def _start(self, target: AnyTarget) -> None:
        worker = Worker(target, self._store, self._http, self._clock, self._announce)
        self._workers[target.name] = worker
        self._tasks.create_task(worker.run(), name=f"worker {target.name}")
