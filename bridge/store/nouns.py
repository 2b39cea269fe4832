"""What a store is asked, and what it answers. All times are aware datetimes in UTC."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from bridge.model import (
    Delivery,
    DeliveryState,
    Entity,
    EntityState,
    Event,
    EventState,
    Ripe,
    Ripened,
    RoutedEvent,
    StateKey,
    Trigger,
    Unreadable,
)

Plan: TypeAlias = Callable[[Sequence[Event], Mapping[StateKey, EntityState]], Sequence[RoutedEvent]]
"""Decides a batch in order of arrival, or as much of its beginning as it has time for: the rest is offered again.

Pure: may be called again for the same batch after a failure.
"""


Prepare: TypeAlias = Callable[[Sequence[Event], Mapping[StateKey, EntityState]], Awaitable[None]]
"""Finds out what ``Plan`` will need of a batch that it has no time to ask for."""

Foresee: TypeAlias = Callable[[Sequence[Ripe]], Awaitable[None]]
"""Finds out what ``Ripen`` will need of a batch."""

Ripen: TypeAlias = Callable[[Ripe], Ripened | Unreadable]
"""Returns what becomes of deferred deliveries whose time has come: of the newest, which tells of them all. Pure.

Or which of them cannot be told at all: these die, and the others wait on, to be told without them at once.
"""


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
