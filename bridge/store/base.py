"""The contract of a store: what it promises, whichever engine keeps it. ``tests/contracts/store.py`` holds each to it.

All times are aware datetimes in UTC, kept to the microsecond. Every method may raise ``StoreError``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from bridge.model import (
    Attempt,
    Delivery,
    DeliveryState,
    Entity,
    EntityState,
    Event,
    EventState,
    Link,
    RoutedEvent,
    StateKey,
    Trigger,
)

Plan: TypeAlias = Callable[[Sequence[Event], Mapping[StateKey, EntityState]], Sequence[RoutedEvent]]
"""Decides a batch, in order of arrival. Pure: may be called again for the same batch after a failure."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is this worker's until ``leased_until``; ``token`` proves it when the outcome is recorded."""

    delivery: Delivery
    token: str
    leased_until: datetime
    trigger: Trigger = "schedule"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a claimed delivery after an attempt. ``due_at`` is for ``pending`` alone."""

    state: DeliveryState
    due_at: datetime | None = None
    reason: str | None = None
    spends_attempt: bool = True


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events to list, newest first; ``since`` is included, ``until`` is not. All that is given must hold."""

    states: tuple[EventState, ...] = ()
    source: str | None = None
    name: str | None = None
    entity: Entity | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which deliveries to list, newest first; ``since`` and ``until`` bound when they were planned."""

    states: tuple[DeliveryState, ...] = ()
    target: str | None = None
    route: str | None = None
    event_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits: events not yet routed, and per (target, state) the deliveries that are unfinished, or dead."""

    events_received: int = 0
    oldest_received_at: datetime | None = None
    deliveries: Mapping[tuple[str, DeliveryState], int] = field(default_factory=dict)

    @property
    def deliveries_waiting(self) -> int:
        """Return how many deliveries are unfinished."""
        return sum(self.deliveries.values()) - self.deliveries_dead

    @property
    def deliveries_dead(self) -> int:
        """Return how many are dead letters: nobody works on them any more, so they do not wait."""
        return sum(count for (_, state), count in self.deliveries.items() if state is DeliveryState.DEAD)


class Store(ABC):
    """Events, last states, deliveries, attempts and links, under one set of promises.

    - the same (source, dedup key) twice is one event, also when both arrive at once
    - what ``add`` returned for survives a kill and a power cut
    - fan-out is atomic: an event's state, deliveries and last state commit together, or none does
    - an entity's last state only moves forward
    - two claimers never share a delivery; those of one (target, key) are claimed in order, one at a time
    - a state changes only for the holder of the lease token; an expired lease is claimable once it was rescued
    - attempts are append-only
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
        """Take the oldest ``received`` events, at most ``limit``, let ``plan`` decide them, and commit all of it.

        Returns what was committed; empty when nothing waits. A decision that JSON cannot hold is committed as
        quarantine of its event, so that it never stops the others. A delivery is planned ``pending``, or ``dead``.
        """

    # worker

    @abstractmethod
    async def claim(self, target: str, limit: int, lease: timedelta) -> Sequence[Claim]:
        """Lease due ``pending`` deliveries of a target, the longest due first, to nobody else until the lease ends.

        Of one (target, key) only the oldest unfinished delivery can be claimed: a delivery that waits for its next
        attempt, or is parked, holds back the younger ones of its key, and no others. One that a person brings back
        takes its old place, behind nothing but what is under way. Cancelling a claim releases what it got.
        """

    @abstractmethod
    async def record(self, claim: Claim, attempt: Attempt, settlement: Settlement, links: Sequence[Link] = ()) -> bool:
        """Write an attempt, its delivery's new state and the links it made, in one transaction.

        The new state is ``pending``, ``delivered``, ``dead`` or ``cancelled``.

        Returns False, and changes nothing, when the claim's token no longer holds the delivery.
        """

    @abstractmethod
    async def release(self, claims: Sequence[Claim]) -> None:
        """Give back claimed deliveries that were not attempted, as they were."""

    @abstractmethod
    async def rescue(self, *, everything: bool = False) -> Sequence[Delivery]:
        """Return to ``pending`` what is leased beyond its lease, or all that is leased: a killed worker's work.

        A rescued delivery may have been sent: its attempt counts, with the outcome ``unknown``.
        """

    @abstractmethod
    async def next_due(self, target: str) -> datetime | None:
        """Return when the next claimable delivery of a target is due, or None."""

    @abstractmethod
    async def find_link(self, target: str, key: str) -> Link | None:
        """Return the link of a target's key."""

    @abstractmethod
    async def park_except(self, targets: Sequence[str]) -> tuple[int, int]:
        """Park the ``pending`` deliveries of every other target, and make pending those parked so whose target is back.

        Returns how many were parked and how many came back. Both keep their reason and order.
        """

    # people

    @abstractmethod
    async def events(self, query: EventQuery) -> Sequence[Event]:
        """List events, newest first."""

    @abstractmethod
    async def event(self, event_id: str) -> Event | None:
        """Return one event."""

    @abstractmethod
    async def preceding(self, event: Event) -> Event | None:
        """Return the event that gave the entity the state before this one: the newest earlier one that was applied.

        Applied means committed with a new last state: by ``route``, or by the replay of what was quarantined.
        """

    @abstractmethod
    async def last_state(self, source: str, entity: Entity) -> EntityState | None:
        """Return an entity's last state."""

    @abstractmethod
    async def deliveries(self, query: DeliveryQuery) -> Sequence[Delivery]:
        """List deliveries, newest first."""

    @abstractmethod
    async def delivery(self, delivery_id: str) -> Delivery | None:
        """Return one delivery."""

    @abstractmethod
    async def attempts(self, delivery_id: str) -> Sequence[Attempt]:
        """Return a delivery's attempts, oldest first."""

    @abstractmethod
    async def retry(self, delivery_ids: Sequence[str]) -> Sequence[str]:
        """Make ``dead`` and waiting ``pending`` deliveries due now, by a person's wish; return the ids that were.

        The next attempt of each has the trigger ``person``. A delivery that failed to render has nothing to send and
        is left as it is: a replay may help it.
        """

    @abstractmethod
    async def replay(self, routed: RoutedEvent, *, again: bool) -> Sequence[Delivery]:
        """Add the deliveries that routing an already stored event anew has planned; return those that were added.

        A (route, entry) of the event that is delivered or still unfinished is left out, unless ``again``. The event's
        state and reason become those of this decision, unless that is quarantine of an event that was decided before;
        last states are not touched. An event that still waits to be routed is left alone.

        An event that is ``quarantined`` was never decided. It becomes as ``route`` would have made it, with its last
        state, and gets the name, entity and time of the decision's envelope, all in one transaction.
        """

    @abstractmethod
    async def backlog(self) -> Backlog:
        """Count what waits."""
