"""The contract of a store: what it promises, whichever engine keeps it. ``tests/contracts/store.py`` holds each to it.

All times are aware datetimes in UTC, kept to the microsecond. Every method may raise ``StoreError``.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from bridge.model import (
    Attempt,
    CallOff,
    Delivery,
    Entity,
    EntityState,
    Event,
    Limits,
    Link,
    Ripe,
    RoutedEvent,
    TargetState,
)
from bridge.store.nouns import (
    Backlog,
    Claim,
    DeliveryQuery,
    EventQuery,
    Foresee,
    Mark,
    Plan,
    Prepare,
    Pruned,
    Recorded,
    Retention,
    Ripen,
    Settlement,
    Spread,
)


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
    async def route(self, limit: int, plan: Plan, prepare: Prepare | None = None) -> Sequence[RoutedEvent]:
        """Take the oldest ``received`` events, at most ``limit``, let ``plan`` decide them, and commit what it decided.

        What it left undecided stays ``received``, and comes first the next time, beside the last states of then.
        Returns what was committed; empty when nothing waits. A decision that cannot be stored, such as one that JSON
        cannot hold, is committed as quarantine of its event, so that it never stops the others. A delivery is planned
        ``pending``, ``deferred``, or ``dead``. ``prepare`` is awaited first, with the same batch and nothing locked.
        """

    # timekeeper

    @abstractmethod
    async def ripen(self, limit: int, ripen: Ripen, foresee: Foresee | None = None) -> Sequence[Delivery]:
        """Take deferred deliveries that are due, at most ``limit``, and commit what ``ripen`` makes of each.

        Those of one entry and group of a digest are taken together, ``ITEMS`` of them at most; with as many, no other
        is taken. The newest bears the message, the others are cancelled, or dead as it is. What it defers again waits
        on. Returns what was committed, but for what was gathered. What cannot be stored becomes dead, and so does what
        ``ripen`` finds unreadable, so that it never stops the others; a ``before`` that was damaged is handed over as
        such. What a digest tells of is kept until the one after the next of its entry, ``ITEMS`` of each group at most,
        as its ``former``. What is to follow a digest is added, unless its place is held already.
        ``foresee`` is awaited first, with the same batch; what is deferred no more by then is left as it is.
        """

    @abstractmethod
    async def next_ripe(self) -> datetime | None:
        """Return when the next deferred delivery is due; None if there is none."""

    @abstractmethod
    async def waiting(self, event: Event, delivery: Delivery) -> Ripe:
        """Return a deferred delivery of an event, planned or not, as ``ripen`` would give it if its time had come now.

        ``others`` are those that wait already and that it is told along with: of its digest, the same change of its
        entity. What waits on its account, or on that of a later event, is returned as it is.
        """

    @abstractmethod
    async def called_off(self, event: Event, entries: Sequence[CallOff]) -> Sequence[Sequence[str]]:
        """Return, for each entry, the ids of the deliveries that an event called off.

        One that is not decided yet, stored or not, would call off those of its entity that wait now.
        """

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
        self,
        claim: Claim,
        attempt: Attempt | None,
        settlement: Settlement,
        links: Sequence[Link] = (),
        *,
        patient: bool = False,
    ) -> Recorded:
        """Write an attempt, its delivery's new state, the links it made and what became of the target, all or nothing.

        A ``patient`` one may wait a moment for others, to be written together with them.

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
    async def links(self, target: str, over_since: datetime, most: int) -> Sequence[Link]:
        """Return the links of a target whose objects are not over by then, by their keys; of more, those over last.

        Links that do not tell when their objects are over are left out.
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
    async def living(self, source: str, kind: str) -> Sequence[str]:
        """Return the ids of all entities of a kind that are known, and of which no deletion is."""

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
    async def hourly(self, source: str, since: datetime) -> Mapping[int, int]:
        """Count the events of a source received since then, by the hour since 1970 that they came in."""

    @abstractmethod
    async def backlog(self) -> Backlog:
        """Count what waits."""

    @property
    @abstractmethod
    def hangs(self) -> bool:
        """Tell whether a write has waited for the disk for so long that no more should be made to wait behind it."""

    @abstractmethod
    async def writable(self) -> None:
        """Look whether something can be written, if lately something could not or takes long; else it costs nothing.

        Raises:
            StoreUnavailableError: it cannot; ``str()`` tells people why.
        """

    @abstractmethod
    def economise(self, *, room: bool) -> None:
        """Hear whether the disk has room. While it has none, what is held of it only for speed is given back."""

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
