"""What people should hear of: the facts about bridge itself that become operator events."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from bridge import telemetry
from bridge.delivery.deaths import Death, Deaths, Toll, without
from bridge.delivery.wake import Bell
from bridge.errors import StoreError
from bridge.model import Breaker, Clock, Delivery, DeliveryState, Entity, Event, Json, JsonObject, TargetState
from bridge.options.quantity import written
from bridge.sources._bridge import NAME, PREFIX, noticed
from bridge.store.base import Store
from bridge.store.nouns import Backlog, EventQuery, TargetChange

MOST: Final = 1000
"""So many operator events wait to be stored; what comes on top of them is only logged."""
POLL: Final = 60.0
"""Seconds between looks when nobody rings and nothing is due."""
AGAIN: Final = 1.0
"""Seconds between tries to store what the store could not take."""
SHOWN: Final = 10
"""So many problems of refused rules are told."""


class Announcer:
    """Logs and counts what people should hear of. One that also makes it events takes its place in a daemon."""

    def target_changed(self, target: str, change: TargetChange) -> None:
        """Tell that an attempt paused a target, made it wait, or opened or closed its breaker."""
        telemetry.target_changed(target, change.kind, change.reason, change.seconds or None)

    def target_held(self, target: str, change: Literal["pause", "resume"], reason: str | None) -> None:
        """Tell that a person paused a target, and why, or resumed it."""
        telemetry.target_changed(target, change, reason, None)

    def delivery_dead(self, delivery: Delivery, reason: str | None) -> None:
        """Tell that nobody will try a delivery again unless asked."""

    def rules_refused(self, file: str, revision: str, problems: Sequence[str]) -> None:
        """Tell that changed rules are broken, and those of this revision stay."""

    def rules_loaded(self, file: str, revision: str) -> None:
        """Tell that the rules of this revision are in force."""

    def backlog_growing(self, backlog: Backlog, threshold: int) -> None:
        """Tell that more waits than the threshold."""
        telemetry.backlog_growing(backlog.events_received, backlog.deliveries_waiting, threshold)

    def source_silent(self, source: str, silence: timedelta, last: datetime | None, quiet: timedelta) -> None:
        """Tell that a source has been quiet for longer than its ``silence``; ``last`` is when it was not."""
        telemetry.source_silent(source, last, quiet.total_seconds())

    def source_suspended(self, source: str, suspended: Sequence[str], deleted: Sequence[str]) -> None:
        """Tell that webhooks of these events are posted no more: the CRM has suspended them, or they were deleted."""
        telemetry.source_suspended(source, suspended, deleted)

    def source_resumed(self, source: str) -> None:
        """Tell that all webhooks of a source are posted again."""
        telemetry.source_resumed(source)


class EventAnnouncer(Announcer):
    """Makes operator events of it beside, and stores them as soon as the store can take them.

    - Repetitions are no news: a breaker that opens again, and rules that are refused for the same reasons.
    - Dead letters of a target are told together, at most once a minute.
    - A dead letter of an operator event is told by the log alone, or each would make the next.
    """

    def __init__(self, clock: Clock, backlog: Callable[[], Backlog]) -> None:
        """Take what to ask for how much waits."""
        self._clock = clock
        self._backlog = backlog
        self._bell = Bell()
        self._queue: deque[Event] = deque()
        self._deaths = Deaths(clock)
        self._open: set[str] = set()
        self._refused: tuple[str, ...] = ()

    async def start(self, store: Store) -> None:
        """Learn how the targets stand; tell what a kill has kept from being told of that, and what was told no more.

        What an attempt changes is stored before it can be told. What a person changes beside bridge is not told.
        """
        targets = await store.targets()
        self._open = {target.name for target in targets if target.breaker is not Breaker.CLOSED}
        for target in targets:
            newest = await store.events(EventQuery(source=NAME, entity=Entity("target", target.name), limit=1))
            if target.present:
                self._catch_up(target, newest[0].name.removeprefix(PREFIX) if newest else None)

    async def run(self, store: Store, stored: Callable[[], None]) -> None:
        """Store what there is to tell, until cancelled; ``stored`` is called when there is something to be routed."""
        while True:
            seconds = AGAIN
            try:
                if await self.step(store):
                    stored()
                seconds = min(POLL, self.due_in() or POLL)
            except StoreError as error:
                telemetry.store_unavailable(error)
            await self._bell.wait(seconds)

    def due_in(self) -> float | None:
        """Return the seconds until dead letters are told of that wait for that, if there are any."""
        return self._deaths.seconds()

    async def step(self, store: Store, *, early: bool = False) -> int:
        """Store what there is to tell now, ``early`` also what would be told later; return how many events that were.

        Raises:
            StoreError: what was not stored is kept.
        """
        for toll in self._deaths.due(early=early):
            await self._tell_deaths(toll, store)
        stored = 0
        while self._queue:
            await store.add(self._queue[0])
            self._queue.popleft()
            stored += 1
        return stored

    # what is told

    def target_changed(self, target: str, change: TargetChange) -> None:
        """Tell of a pause, and of a breaker that opened or closed; see ``Announcer``."""
        super().target_changed(target, change)
        match change.kind:
            case "pause":
                self._tell_target("target_paused", target, state="paused", reason=change.reason)
            case "open" if target not in self._open:
                self._open.add(target)
                until = (self._clock.now() + timedelta(seconds=change.seconds)).isoformat()
                self._tell_target("breaker_opened", target, state="open", reason=change.reason, until=until)
            case "close":
                self._open.discard(target)
                self._tell_target("breaker_closed", target, state="ready")

    def target_held(self, target: str, change: Literal["pause", "resume"], reason: str | None) -> None:
        """Tell what a person did; see ``Announcer``."""
        super().target_held(target, change, reason)
        if change == "pause":
            self._tell_target("target_paused", target, state="paused", reason=reason, by="person")
        else:
            self._open.discard(target)
            self._tell_target("target_resumed", target, state="ready", by="person")

    def delivery_dead(self, delivery: Delivery, reason: str | None) -> None:
        """Tell of it with the others of its target; see ``Announcer``."""
        self._deaths.add(delivery, reason)
        self._bell.ring()

    def rules_refused(self, file: str, revision: str, problems: Sequence[str]) -> None:
        """Tell of it unless it was told; see ``Announcer``."""
        if self._refused != tuple(problems):
            self._refused = tuple(problems)
            shown: list[Json] = [*problems[:SHOWN]]
            facts: JsonObject = {"problem": problems[0], "problems": shown, "count": len(problems)}
            self._tell("reload_refused", file, {"file": file, "state": "refused", "revision": revision, **facts})

    def rules_loaded(self, file: str, revision: str) -> None:
        """Tell of it if others were refused before; see ``Announcer``."""
        if self._refused:
            self._refused = ()
            self._tell("reload_recovered", file, {"file": file, "state": "in_force", "revision": revision})

    def backlog_growing(self, backlog: Backlog, threshold: int) -> None:
        """Tell how much waits, and for what most of it; see ``Announcer``."""
        super().backlog_growing(backlog, threshold)
        events, deliveries = backlog.events_received, backlog.deliveries_waiting
        target, number = max(_waiting(backlog).items(), key=lambda each: each[1], default=(None, 0))
        facts: JsonObject = {"waiting": events + deliveries, "events": events, "deliveries": deliveries}
        most: JsonObject = {"threshold": threshold, "target": target, "target_waiting": number}
        self._tell("backlog_growing", "all", {**facts, **most})

    def source_silent(self, source: str, silence: timedelta, last: datetime | None, quiet: timedelta) -> None:
        """Tell of it; see ``Announcer``."""
        super().source_silent(source, silence, last, quiet)
        hours = round(quiet.total_seconds() / 3600, 1)
        heard = last.isoformat() if last else None
        facts: JsonObject = {"name": source, "silence": written(silence), "hours": hours, "last_event_at": heard}
        self._tell("source_silent", source, facts)

    def source_suspended(self, source: str, suspended: Sequence[str], deleted: Sequence[str]) -> None:
        """Tell of it; see ``Announcer``."""
        super().source_suspended(source, suspended, deleted)
        events: list[Json] = [*suspended, *deleted]
        state = "suspended" if suspended else "deleted"
        self._tell("source_suspended", source, {"name": source, "state": state, "count": len(events), "events": events})

    def source_resumed(self, source: str) -> None:
        """Tell of it; see ``Announcer``."""
        super().source_resumed(source)
        self._tell("source_resumed", source, {"name": source, "state": "active", "count": 0, "events": []})

    # how

    def _tell_target(self, name: str, target: str, *, by: str = "bridge", **facts: Json) -> None:
        waiting = _waiting(self._backlog()).get(target, 0)
        self._tell(name, target, {"name": target, **facts, "by": by, "waiting": waiting})

    def _catch_up(self, target: TargetState, told: str | None) -> None:
        """Tell how a target stands, unless that is what was told of it last."""
        opened = target.breaker is not Breaker.CLOSED
        until = target.retry_at.isoformat() if target.retry_at else None
        match target.paused_by:
            case "bridge" if told != "target_paused":
                self._tell_target("target_paused", target.name, state="paused", reason=target.reason)
            case None if opened and told != "breaker_opened":
                self._tell_target("breaker_opened", target.name, state="open", reason=target.reason, until=until)
            case None if not opened and told == "breaker_opened":
                self._tell_target("breaker_closed", target.name, state="ready")

    async def _tell_deaths(self, toll: Toll, store: Store) -> None:
        """Tell of a target's dead letters, but for those of operator events."""
        events = {death.event_id: await store.event(death.event_id) for death in toll.deaths}
        own = {id_ for id_, event in events.items() if event and event.source == NAME}
        others = without(toll, own)
        self._deaths.forget(toll, told=bool(others.deaths))
        if others.deaths:
            event = events[others.deaths[-1].event_id]
            self._tell("delivery_dead", toll.target, _shape(others, event.name if event else None))

    def _tell(self, name: str, id_: str, document: JsonObject) -> None:
        event = noticed(PREFIX + name, id_, document, self._clock.now())
        fits = len(self._queue) < MOST
        telemetry.operator_event(event, kept=fits)
        if fits:
            self._queue.append(event)
            self._bell.ring()


def _waiting(backlog: Backlog) -> dict[str, int]:
    """Return how many deliveries are unfinished, per target."""
    waiting: Counter[str] = Counter()
    for (target, state), count in backlog.deliveries.items():
        waiting[target] += 0 if state is DeliveryState.DEAD else count
    return waiting


def _shape(toll: Toll, event_name: str | None) -> JsonObject:
    """Return the document of a target's dead letters: their number, and the newest of them."""
    newest: Death = toll.deaths[-1]
    return {
        "target": toll.target,
        "route": newest.route,
        "count": len(toll.deaths) + toll.more,
        "reason": newest.reason,
        "key": newest.key,
        "delivery_id": newest.delivery_id,
        "event_id": newest.event_id,
        "event_name": event_name,
    }
