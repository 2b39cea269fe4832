"""What is decided: by routing of an event, by time of what was deferred, by experience of a target."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from bridge.model.deliveries import CallOff, Delivery
from bridge.model.events import EntityState, Event
from bridge.model.values import Breaker, EventState, JsonObject


@dataclass(frozen=True, slots=True)
class RoutedEvent:
    """What routing decided for one event: its state, its deliveries, and its entity's new last state, if it moved.

    ``called_off`` are the entries whose deferred deliveries about the same entity are cancelled by it.
    """

    event_id: str
    state: EventState
    reason: str | None = None
    deliveries: tuple[Delivery, ...] = ()
    entity_state: EntityState | None = None
    called_off: tuple[CallOff, ...] = ()


@dataclass(frozen=True, slots=True)
class Deferred:
    """One event that a deferred delivery is to tell of; ``damaged`` says that what was ``before`` cannot be read."""

    event: Event
    before: JsonObject | None
    delivery_id: str = ""
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Former:
    """What a digest told before: at its newest ``turn`` until then, of one group, oldest first.

    Where there are no items, that turn told of other groups.
    """

    turn: datetime
    items: tuple[Deferred, ...] = ()


@dataclass(frozen=True, slots=True)
class Ripe:
    """Deferred deliveries whose time has come, and that are told in one message: but for a digest, a single one.

    ``delivery`` is the newest of them, which bears the message, and ``others`` are the ids of those told along with it;
    ``items`` are what all of them tell of, oldest first; none where they only hold the place of a digest.
    ``last`` is the last state of the newest one's entity. ``urgent`` says that a person wants it now. ``former`` is
    what a digest told before; None if it has told nothing yet.
    """

    delivery: Delivery
    items: tuple[Deferred, ...]
    last: EntityState | None = None
    urgent: bool = False
    others: tuple[str, ...] = ()
    former: Former | None = None

    @property
    def turn(self) -> datetime:
        """Return when a digest is told by its rules."""
        deferral = self.delivery.deferral
        return deferral.latest if deferral and deferral.latest else self.delivery.due_at


class Ripened(NamedTuple):
    """What becomes of deferred deliveries, of the one that tells of all; ``following`` holds the place of a digest."""

    delivery: Delivery
    following: Delivery | None = None


class Unreadable(NamedTuple):
    """Those deferred deliveries, by id, that can never be told, and why; whatever was due with them is told without."""

    reasons: Mapping[str, str]
    following: Delivery | None = None


@dataclass(frozen=True, slots=True)
class TargetState:
    """Whether a target may be sent to just now; what waits for a target that is held is parked, and in order.

    ``present`` is whether the rules of the moment name it. ``retry_at`` is when an open breaker lets a probe through,
    ``wait_until`` how long the service itself asked us to stay away.
    """

    name: str
    present: bool = True
    paused_by: Literal["person", "bridge"] | None = None
    breaker: Breaker = Breaker.CLOSED
    reason: str | None = None
    since: datetime | None = None
    retry_at: datetime | None = None
    wait_until: datetime | None = None

    @property
    def held(self) -> bool:
        """Tell whether nothing is sent to it until that changes."""
        return not self.present or self.paused_by is not None or self.breaker is not Breaker.CLOSED
