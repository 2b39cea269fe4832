"""The subscriber: registers webhooks by itself, for the sources whose rules say so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge import telemetry
from bridge.component.remote import Remote
from bridge.delivery.wake import Bell
from bridge.errors import RemoteError, RequestRefusedError
from bridge.model import Clock
from bridge.remote.connections import Remotes
from bridge.remote.subscribing import Act
from bridge.remote.subscriptions import Subscriptions
from bridge.ruleset import Ruleset

POLL: Final = 60.0
"""Seconds between looks when nobody rings and nothing is to be tried again."""
FIRST: Final = timedelta(seconds=30)
"""Before a source is tried again that failed; each time twice as long."""
LONGEST: Final = timedelta(minutes=15)


@dataclass(slots=True)
class _Tried:
    """What was tried last for a source, and when to try again; never, if it was done."""

    remote: Remote
    events: frozenset[str]
    failures: int = 0
    again_at: datetime | None = None


class Subscriber:
    """Does at the start, and when other events are needed, what ``bridge crm webhooks sync`` does."""

    def __init__(
        self, subscriptions: Subscriptions, remotes: Remotes, rules: Callable[[], Ruleset], clock: Clock
    ) -> None:
        """Take how to register, the APIs and the rules of the moment."""
        self.bell = Bell()
        self._subscriptions = subscriptions
        self._remotes = remotes
        self._rules = rules
        self._clock = clock
        self._tried: dict[str, _Tried] = {}

    async def run(self) -> None:
        """Register until cancelled, at each ring and now and then."""
        while True:
            await self.step()
            await self.bell.wait(self._pause())

    async def step(self) -> None:
        """Register what is due. What fails is told, and tried again later; it keeps no other source waiting."""
        sources = {name for name, source in self._rules().sources.items() if source.subscribes}
        self._tried = {name: tried for name, tried in self._tried.items() if name in sources}
        for name in sorted(sources):
            remote = self._remotes.get(name)
            if remote and self._is_due(name, remote):
                await self._subscribe(name, remote)

    def _is_due(self, name: str, remote: Remote) -> bool:
        tried, wanted = self._tried.get(name), self._subscriptions.wanted(name)
        if tried is None or tried.remote is not remote or tried.events != wanted:
            self._tried[name] = _Tried(remote, wanted)
            return True
        return tried.again_at is not None and tried.again_at <= self._clock.now()

    async def _subscribe(self, name: str, remote: Remote) -> None:
        try:
            steps = await self._subscriptions.steps(name, remote)
            done = await self._subscriptions.take(steps, name, remote)
        except (RemoteError, RequestRefusedError) as error:
            return self._failed(name, [str(error)])
        except Exception as error:  # noqa: BLE001 (a defect here must not end the daemon)
            return self._failed(name, [f"a defect of bridge: {type(error).__name__}: {error}"])
        acts = [each.step.act for each in done if not each.error]
        telemetry.webhooks_subscribed(name, {act.value: acts.count(act) for act in Act if act in acts})
        if errors := [f"{each.step.event}: {each.error}" for each in done if each.error]:
            return self._failed(name, errors)
        self._tried[name].again_at, self._tried[name].failures = None, 0
        return None

    def _failed(self, name: str, reasons: list[str]) -> None:
        tried = self._tried[name]
        wait = min(FIRST * 2**tried.failures, LONGEST)
        tried.failures = min(tried.failures + 1, 10)
        tried.again_at = self._clock.now() + wait
        telemetry.subscribing_failed(name, reasons, wait.total_seconds())

    def _pause(self) -> float:
        due = [tried.again_at for tried in self._tried.values() if tried.again_at]
        if not due:
            return POLL
        return min(max((min(due) - self._clock.now()).total_seconds(), 0.1), POLL)
