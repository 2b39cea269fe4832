"""The watch: looks whether the CRM still posts what it was asked to. It suspends a webhook without a word."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from bridge import telemetry
from bridge.app.repairer import Repairer
from bridge.component.remote import Registration, Remote
from bridge.delivery.announcer import Announcer
from bridge.delivery.wake import Bell
from bridge.errors import RemoteError, RequestRefusedError, StoreError
from bridge.model import Clock, Entity
from bridge.remote.connections import Remotes
from bridge.remote.subscriptions import Subscriptions
from bridge.ruleset import Ruleset
from bridge.sources._bridge import NAME, PREFIX
from bridge.store.base import Store
from bridge.store.nouns import EventQuery

EVERY: Final = 300.0
"""Seconds between looks: each costs one of 120 requests a minute."""


class Watch:
    """Tells of webhooks that are posted no more, and of their return; activates them where the rules say so."""

    def __init__(  # noqa: PLR0913 (what is joined here has nothing else in common)
        self,
        *,
        subscriptions: Subscriptions,
        remotes: Remotes,
        rules: Callable[[], Ruleset],
        store: Store,
        announce: Announcer,
        repairer: Repairer,
        clock: Clock,
    ) -> None:
        """Take how webhooks are registered, the APIs and rules, whom to tell, and who finds what was missed."""
        self.bell = Bell()
        self._subscriptions = subscriptions
        self._remotes = remotes
        self._rules = rules
        self._store = store
        self._announce = announce
        self._repairer = repairer
        self._clock = clock
        self._seen: dict[str, set[str]] = {}
        self._told: dict[str, bool] = {}
        self._well_at: dict[str, datetime] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.step()
            await self.bell.wait(EVERY)

    async def step(self) -> None:
        """Look once at each source that has an API; one that cannot be looked at keeps no other from it."""
        for name in self._remotes.names:
            remote = self._remotes.get(name)
            if remote and name in self._rules().sources:
                try:
                    await self._look(name, remote)
                except (RemoteError, RequestRefusedError, StoreError) as error:
                    telemetry.watching_failed(name, str(error))
                except Exception as error:  # noqa: BLE001 (a defect here must not end the daemon)
                    telemetry.watching_failed(name, f"a defect of bridge: {type(error).__name__}: {error}")

    async def _look(self, name: str, remote: Remote) -> None:
        suspended, deleted = await self._asleep(name, remote)
        if (suspended or deleted) and not await self._was_told(name):
            self._announce.source_suspended(name, suspended, deleted)
            self._told[name] = True
        if suspended or deleted:
            silent_since = await self._silent_since(name, [*suspended, *deleted])
            self._note(name, silent_since)  # before all is well: then nobody would look for what was missed
            if self._rules().sources[name].subscribes:
                steps = await self._subscriptions.steps(name, remote)
                await self._subscriptions.take(steps, name, remote)
                suspended, deleted = await self._asleep(name, remote)
            self._note(name, silent_since)  # a repair may have closed it meanwhile
        if suspended or deleted:
            return
        if await self._was_told(name):
            self._announce.source_resumed(name)
            self._told[name] = False
            self._repairer.ask(name)
        self._well_at[name] = self._clock.now()

    def _note(self, name: str, silent_since: datetime | None) -> None:
        if silent_since:
            self._repairer.note_since(name, silent_since)

    async def _asleep(self, name: str, remote: Remote) -> tuple[list[str], list[str]]:
        """Return the events that are wanted and not posted, because they are suspended, or registered no more."""
        wanted = self._subscriptions.wanted(name)
        ours = [each for each in await remote.registrations() if self._subscriptions.is_ours(each, name)]
        active, all_ = _events(each for each in ours if each.status == "active"), _events(ours)
        seen = self._seen.setdefault(name, set())
        seen |= all_
        return sorted((all_ - active) & wanted), sorted((seen - all_) & wanted)

    async def _was_told(self, name: str) -> bool:
        """Tell whether the last that was told of a source is that it is suspended, also before a restart."""
        if name not in self._told:
            query = EventQuery(source=NAME, entity=Entity("subscription", name), limit=1)
            newest = await self._store.events(query)
            self._told[name] = bool(newest) and newest[0].name == f"{PREFIX}source_suspended"
        return self._told[name]

    async def _silent_since(self, name: str, events: Sequence[str]) -> datetime | None:
        """Return since when nothing may have come: the last look at which all was well, else the last such event."""
        if name in self._well_at:
            return self._well_at[name]
        last = [await self._store.events(EventQuery(source=name, name=event, limit=1)) for event in events]
        return min((found[0].received_at for found in last if found), default=None)


def _events(registered: Iterable[Registration]) -> set[str]:
    return {each.event for each in registered}
