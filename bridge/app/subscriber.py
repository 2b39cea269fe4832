"""The subscriber: registers webhooks by itself, for the sources whose rules say so."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NamedTuple

from bridge import telemetry
from bridge.app.again import Again
from bridge.component.remote import Remote
from bridge.delivery.wake import Bell
from bridge.errors import RemoteError, RequestRefusedError
from bridge.model import Clock
from bridge.remote.connections import Remotes
from bridge.remote.subscribing import Act
from bridge.remote.subscriptions import Subscriptions
from bridge.ruleset import Ruleset

FIRST: Final = timedelta(seconds=30)
"""Before a source is tried again that failed."""
REPOSTING: Final = frozenset({Act.ACTIVATE, Act.MOVE})
"""What is done to a webhook that was not posted to us before."""


class _Tried(NamedTuple):
    """What was tried last for a source: another API, or other events, are tried at once."""

    remote: Remote
    events: frozenset[str]


class Subscriber:
    """Does at the start, and when other events are needed, what ``bridge crm webhooks sync`` does."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        remotes: Remotes,
        rules: Callable[[], Ruleset],
        clock: Clock,
        reposted: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take how to register, the APIs and the rules of the moment.

        ``reposted`` is told of a source of which something is posted again: until then nothing of it came.
        """
        self.bell = Bell()
        self.tried = asyncio.Event()
        """Set once it has tried for the first time."""
        self._subscriptions = subscriptions
        self._remotes = remotes
        self._rules = rules
        self._reposted = reposted
        self._again = Again(FIRST, clock)
        self._tried: dict[str, _Tried] = {}

    async def run(self) -> None:
        """Register until cancelled, at each ring and now and then."""
        while True:
            await self.step()
            self.tried.set()
            await self.bell.wait(self._again.pause())

    async def step(self) -> None:
        """Register what is due. What fails is told, and tried again later; it keeps no other source waiting."""
        sources = {name for name, source in self._rules().sources.items() if source.subscribes}
        self._tried = {name: tried for name, tried in self._tried.items() if name in sources}
        due = self._again.take()
        for name in sorted(sources):
            remote = self._remotes.get(name)
            if remote and (self._is_another(name, remote) or name in due):
                await self._subscribe(name, remote)

    def _is_another(self, name: str, remote: Remote) -> bool:
        """Tell whether this was not tried yet, and note that it is now."""
        tried, trying = self._tried.get(name), _Tried(remote, self._subscriptions.wanted(name))
        self._tried[name] = trying
        if tried is not None and tried.remote is remote and tried.events == trying.events:
            return False
        self._again.done(name)
        return True

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
        if REPOSTING.intersection(acts):
            self._reposted(name)
        if errors := [f"{each.step.event}: {each.error}" for each in done if each.error]:
            return self._failed(name, errors)
        self._again.done(name)
        return None

    def _failed(self, name: str, reasons: list[str]) -> None:
        telemetry.subscribing_failed(name, reasons, self._again.failed(name).total_seconds())
