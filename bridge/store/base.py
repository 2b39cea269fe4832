"""The contract of a store: what it promises, whichever engine keeps it. ``tests/contracts/store.py`` holds each to it.

All times are aware datetimes in UTC, kept to the microsecond. Every method may raise ``StoreError``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from bridge.model import (
    Attempt,
    Delivery,
    DeliveryState,
    Entity,
    EntityState,
    Event,
    EventState,
    Limits,
    Link,
    Ripe,
    Ripened,
    RoutedEvent,
    StateKey,
    TargetState,
    Trigger,
)

Plan: TypeAlias = Callable[[Sequence[Event], Mapping[StateKey, EntityState]], Sequence[RoutedEvent]]
"""Decides a batch in order of arrival, or as much of its beginning as it has time for: the rest is offered again.

Pure: may be called again for the same batch after a failure.
"""


Ripen: TypeAlias = Callable[[Ripe], Ripened]
"""Returns what becomes of deferred deliveries whose time has come: of the newest, which tells of them all. Pure."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is this worker's until ``leased_until``; ``token`` proves it when the outcome is recorded.

    ``probe`` says that its target's breaker is half open: the outcome closes it, or opens it again.
    """

    delivery: Delivery
    token: str
    leased_until: datetime
    trigger: Trigger = "schedule"
    probe: bool = False


ITEMS = 1000
"""What one digest tells of at most; the rest follows in further ones."""


@dataclass(frozen=True, slots=True)
class TargetChange:
    """What an attempt taught about its target.

    - ``wait``: nothing is sent to it before ``seconds`` have passed
    - ``pause``: nothing is sent to it until a person resumes it
    - ``open``: its breaker opens for ``seconds``, and twice as long each time in a row, up to ``most``
    - ``close``: its breaker closes
    """

    kind: Literal["wait", "pause", "open", "close"]
    reason: str | None = None
    seconds: float = 0
    most: float = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a claimed delivery. ``due_at`` is for ``pending`` alone.

    ``failure`` says that the retry schedule counts this attempt; it ends at ``give_up_at``, which stays as it is while
    None. ``target`` is what becomes of the target, in the same transaction.
    """

    state: DeliveryState
    due_at: datetime | None = None
    reason: str | None = None
    failure: bool = False
    give_up_at: datetime | None = None
    target: TargetChange | None = None


class Recorded(NamedTuple):
    """Whether the claim still held its delivery, and whether the target changed; without the first, nothing did."""

    held: bool
    target_changed: bool = False


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events to list; ``since`` is included, ``until`` is not. All that is given must hold.

    They come newest first, or ``oldest_first``; ``limit`` counts from there.
    """

    states: tuple[EventState, ...] = ()
    source: str | None = None
    name: str | None = None
    entity: Entity | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which deliveries to list, as ``EventQuery``; ``since`` and ``until`` bound when they were planned."""

    states: tuple[DeliveryState, ...] = ()
    target: str | None = None
    route: str | None = None
    event_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class Spread:
    """When deliveries are due that are set going together: the first at ``begin``, each next one ``apart`` later."""

    begin: datetime
    apart: timedelta

    def due(self, turn: int) -> datetime:
        """Return when the delivery of this turn is due; turns are counted from 0."""
        return self.begin + turn * self.apart


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits: events not yet routed, and per (target, state) the deliveries that are unfinished, or dead.

    ``size`` is what the store takes of the disk, in bytes.
    """

    events_received: int = 0
    oldest_received_at: datetime | None = None
    deliveries: Mapping[tuple[str, DeliveryState], int] = field(default_factory=dict)
    size: int = 0

    @property
    def deliveries_waiting(self) -> int:
        """Return how many deliveries are unfinished; what is deferred waits for its time alone, and is not counted."""
        return sum(self.deliveries.values()) - self.deliveries_dead - self.deliveries_deferred

    @property
    def deliveries_deferred(self) -> int:
        """Return how many wait for their time."""
        return self._of(DeliveryState.DEFERRED)

    @property
    def deliveries_dead(self) -> int:
        """Return how many are dead letters: nobody works on them any more, so they do not wait."""
        return self._of(DeliveryState.DEAD)

    def _of(self, wanted: DeliveryState) -> int:
        return sum(count for (_, state), count in self.deliveries.items() if state is wanted)


Mark: TypeAlias = tuple[int, int, int]
"""How far a pass of retention has come; what the numbers mean is the engine's own."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What has been kept for long enough: events received before ``events``, and bodies before ``bodies``."""

    events: datetime
    bodies: datetime


class Pruned(NamedTuple):
    """What one step of retention let go, and where the next one goes on; None when the pass is over."""

    bodies: int = 0
    events: int = 0
    deliveries: int = 0
    pages: int = 0
    next: Mark | None = None


class Store(ABC):
    """Events, last states, deliveries, attempts and links, under one set of promises.

    - the same (source, dedup key) twice is one event, also when both arrive at once
    - what ``add`` returned for survives a kill and a power cut
    - fan-out is atomic: an event's state, deliveries and last state commit together, or none does
    - an entity's last state only moves forward
    - two claimers never share a delivery; those of one (target, key) are claimed in order, one at a time
    - a planned delivery that supersedes cancels what waits of its target, key, route and entry
    - a deferred delivery of a debounce joins the one that waits already of its entity, route and entry: that is
      cancelled, and the new one tells of both
    - what a decision calls off is cancelled before its own deliveries are planned
    - of one route, entry and key nothing is sent again while it is quiet, but what the first sending came to nothing of
    - a target that is held is not claimed; what waits for it is ``parked``, and keeps its order
    - a state changes only for the holder of the lease token; an expired lease is claimable once it was rescued
    - attempts are append-only
    - retention takes nothing that is unfinished, and never what makes an event a change or none
    """

    @abstractmethod
    async def close(self) -> None:
        """Finish what is under way and let go of the files."""

    # ingest

    @abstractmethod
    async def add(self, event: Event) -> str | None:
        """Store an event durably; return None, or the id under which it was already stored.

        An event that arrives ``quarantined`` is stored so and never routed.

        Raises:
            StoreUnavailableError: nothing was stored.
        """

    # dispatcher

    @abstractmethod
    async def route(self, limit: int, plan: Plan) -> Sequence[RoutedEvent]:
        """Take the oldest ``received`` events, at most ``limit``, let ``plan`` decide them, and commit what it decided.

        What it left undecided stays ``received``, and comes first the next time, beside the last states of then.
        Returns what was committed; empty when nothing waits. A decision that cannot be stored, such as one that JSON
        cannot hold, is committed as quarantine of its event, so that it never stops the others. A delivery is planned
        ``pending``, ``deferred``, or ``dead``.
        """

    # timekeeper

    @abstractmethod
    async def ripen(self, limit: int, ripen: Ripen) -> Sequence[Delivery]:
        """Take deferred deliveries that are due, at most ``limit``, and commit what ``ripen`` makes of each.

        Those of one entry and group of a digest are taken together, ``ITEMS`` of them at most; with as many, no other
        is taken. The newest bears the message, the others are cancelled, or dead as it is. What it defers again waits
        on. Returns what was committed, but for what was gathered. What cannot be stored becomes dead, so that it never
        stops the others. What a digest tells of is kept until the one after the next of its entry, ``ITEMS`` of each
        group at most, as its ``former``. What is to follow a digest is added, unless its place is held already.
        """

    @abstractmethod
    async def next_ripe(self) -> datetime | None:
        """Return when the next deferred delivery is due; None if there is none."""

    # worker

    @abstractmethod
    async def claim(self, target: str, limits: Limits, lease: timedelta) -> Sequence[Claim]:
        """Lease due ``pending`` deliveries of a target to nobody else until the lease ends.

        - Of one target and queue only the oldest unfinished delivery can be claimed: one that waits for its next
          attempt, or is parked, holds back the younger ones of its queue, and no others. One that a person brings back
          takes its old place, behind nothing but what is under way.
        - No more are under way at once than ``limits.concurrency``, and no more of one bucket are claimed in a time
          than ``limits.rate`` allows, whoever claims.
        - Claims go round the routes, and within a route round the queues, so that much of one does not starve another;
          among equals the longest due comes first.
        - Of a target that is held nothing is claimed; when its open breaker is due, one delivery is, as a probe.

        Cancelling a claim releases what it got.
        """

    @abstractmethod
    async def record(
        self, claim: Claim, attempt: Attempt | None, settlement: Settlement, links: Sequence[Link] = ()
    ) -> Recorded:
        """Write an attempt, its delivery's new state, the links it made and what became of the target, all or nothing.

        Without an attempt the delivery is settled unattempted. The new state is ``pending``, ``delivered``, ``dead``,
        ``parked`` or ``cancelled``; a parked delivery waits for a person. Changes nothing when the claim's token no
        longer holds the delivery.
        """

    @abstractmethod
    async def release(self, claims: Sequence[Claim]) -> None:
        """Give back claimed deliveries that were not attempted, as they were."""

    @abstractmethod
    async def rescue(self, *, everything: bool = False, held: Collection[str] = ()) -> Sequence[Delivery]:
        """Return to ``pending`` what is leased beyond its lease, or all that is leased: a killed worker's work.

        Claims with the ``held`` tokens are left alone: their workers are alive, whatever the clock says.

        A rescued delivery may have been sent: its attempt counts, with the outcome ``unknown``, and it is uncertain.
        """

    @abstractmethod
    async def next_due(self, target: str, limits: Limits) -> datetime | None:
        """Return when a delivery of a target may next be claimed, or None if nothing waits or the target is paused.

        What is under way is not counted.
        """

    @abstractmethod
    async def find_link(self, target: str, key: str) -> Link | None:
        """Return the link of a target's key."""

    # targets

    @abstractmethod
    async def adopt(self, names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
        """Take these for the targets of the rules in force; all others are held until they are named again.

        Returns the names that are gone by this, and have something waiting, and those that are back.
        """

    @abstractmethod
    async def targets(self) -> Sequence[TargetState]:
        """Return every target that was ever adopted, paused or opened, by name."""

    @abstractmethod
    async def pause(self, target: str, reason: str) -> bool:
        """Hold a target by a person's wish; return False if it was paused already, whose reason then stays."""

    @abstractmethod
    async def resume(self, target: str) -> bool:
        """Let a target go, whatever held or delayed it but the rules; return False if nothing did.

        Retry schedules go on where they stood when it was held.
        """

    # people

    @abstractmethod
    async def events(self, query: EventQuery) -> Sequence[Event]:
        """List events."""

    @abstractmethod
    async def event(self, event_id: str) -> Event | None:
        """Return one event."""

    @abstractmethod
    async def preceding(self, event: Event) -> Event | None:
        """Return the event that gave the entity the state before this one: the newest earlier one that was applied.

        Applied means that it was committed with a new last state.
        """

    @abstractmethod
    async def last_state(self, source: str, entity: Entity) -> EntityState | None:
        """Return an entity's last state."""

    @abstractmethod
    async def deliveries(self, query: DeliveryQuery) -> Sequence[Delivery]:
        """List deliveries."""

    @abstractmethod
    async def delivery(self, delivery_id: str) -> Delivery | None:
        """Return one delivery."""

    @abstractmethod
    async def attempts(self, delivery_id: str) -> Sequence[Attempt]:
        """Return a delivery's attempts, oldest first."""

    @abstractmethod
    async def retry(self, delivery_ids: Sequence[str], spread: Spread | None = None) -> Sequence[str]:
        """Make ``dead``, ``parked``, ``deferred`` and waiting deliveries due now, by a person's wish; return their ids.

        With a ``spread`` each is due at its own time, in the order of the ids. The next attempt of each has the trigger
        ``person``, and its retry schedule begins anew. A delivery that failed to render has nothing to send and is left
        as it is: a replay may help it.
        """

    @abstractmethod
    async def discard(self, delivery_ids: Sequence[str], reason: str) -> Sequence[str]:
        """Cancel what is not under way and not finished, or dead, by a person's wish; return the ids that were."""

    @abstractmethod
    async def lacking(self, routed: RoutedEvent, *, again: bool) -> Sequence[Delivery]:
        """Return those deliveries of a decision that ``replay`` would add."""

    @abstractmethod
    async def replay(self, routed: RoutedEvent, *, again: bool, spread: Spread | None = None) -> Sequence[Delivery]:
        """Add the deliveries that a new decision of an already stored event has planned; return those that were added.

        A (route, entry) of the event that is delivered, still unfinished, or superseded by what a later event made of
        it, is left out, unless ``again``. With a ``spread`` each is due at its own time. The event's state and reason
        become those of this decision. A last state that the decision brings, as for an event that was never decided
        before, is applied unless a newer one is known. An event that waits to be routed is left alone.
        """

    @abstractmethod
    async def backlog(self) -> Backlog:
        """Count what waits."""

    # retention

    @abstractmethod
    async def prune(self, retention: Retention, after: Mark | None = None) -> Pruned:
        """Let go a little of what has been kept for long enough; a pass begins with None and follows ``next``.

        - Bodies go of events that are decided and not quarantined, when no delivery of theirs is unfinished, or has
          died since ``retention.events``. An event without its body is there, with an empty one.
        - Events go with their deliveries and attempts, when none is unfinished, planned or tried since.
        - What a digest was told of stays whole until the one after the next, for 400 days at most.
        - The last event of an entity stays, and so does the one that any event with a body was compared with.
        - Last states and links stay.
        """
