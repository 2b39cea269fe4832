"""The nouns of bridge: frozen values, standard library only, known to every layer."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from random import getrandbits
from typing import Literal, NamedTuple, Protocol, TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, "Json"]

Action = Literal["created", "updated", "deleted"]
Trigger = Literal["schedule", "person"]
OnUnknown = Literal["retry", "park"]
DeferralKind = Literal["debounce", "delay", "digest", "window"]


class EventState(StrEnum):
    """Where an event stands; all but ``received`` are final until it is replayed."""

    RECEIVED = "received"
    ROUTED = "routed"
    UNMATCHED = "unmatched"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"
    STALE = "stale"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    DEFERRED = "deferred"
    PENDING = "pending"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    DEAD = "dead"
    PARKED = "parked"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """What one attempt came to."""

    DELIVERED = "delivered"
    TRANSIENT = "transient"
    UNKNOWN = "unknown"
    PERMANENT = "permanent"


class Breaker(StrEnum):
    """What a target's circuit breaker lets through: everything, nothing, or one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Clock(Protocol):
    """Tells the time; injected, so that tests move it."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC)


def new_id(prefix: Literal["evt", "dlv", "att"]) -> str:
    """Return a new id such as ``evt_0192…``: the prefix, 48 bits of milliseconds, 64 bits of chance; sorts by time."""
    chance = getrandbits(64)  # unlike all others, which is enough; a secure one would cost a system call per webhook
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{chance:016x}"


@dataclass(frozen=True, slots=True)
class Entity:
    """What an event is about. Ids are opaque strings."""

    kind: str
    id: str

    def __str__(self) -> str:
        """Return ``kind:id``, the default key of deliveries."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What ingest reads of a webhook before it is stored: enough to tell it from others, and no more."""

    name: str
    entity: Entity | None
    dedup_key: str
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A stored fact. ``body`` holds the exact bytes that came."""

    id: str
    source: str
    name: str
    entity: Entity | None
    dedup_key: str
    body: bytes
    received_at: datetime
    occurred_at: datetime | None = None
    state: EventState = EventState.RECEIVED
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source makes of one event: its document, beside nothing.

    ``document`` is as sent, ``current`` normalised to the entity's full shape. ``version`` orders documents of one
    entity (microseconds since 1970). ``dated`` are the paths of ``current`` whose change the document itself dates,
    so that a first sight can tell a fresh change from an old one; ``None`` means every path (a creation).
    """

    action: Action
    document: JsonObject
    current: JsonObject
    version: int
    dated: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True)
class EntityState:
    """The last state of an entity: the newest document seen, normalised."""

    source: str
    entity: Entity
    document: JsonObject
    version: int
    event_id: str
    deleted: bool = False
    created_seen: bool = False


Differences: TypeAlias = Mapping[str, tuple[Json, Json]]


@dataclass(frozen=True, slots=True)
class Change:
    """An event beside its entity's last state. ``previous`` is None at first sight.

    ``differences`` maps each changed path to (before, after). At first sight it is empty.
    """

    event: Event
    action: Action
    document: JsonObject
    current: JsonObject
    previous: JsonObject | None
    differences: Differences = field(default_factory=dict)
    dated: frozenset[str] | None = frozenset()

    @property
    def first_sight(self) -> bool:
        """Tell whether the bridge had never seen this entity."""
        return self.previous is None

    def is_dated(self, path: str) -> bool:
        """Tell whether the document itself says that this path changed just now."""
        return self.dated is None or path in self.dated


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in any stretch of so many seconds. Of these, ``burst`` may go at once."""

    count: int
    seconds: float
    burst: int = 0

    @property
    def at_once(self) -> int:
        """Return how many may go without a pause between them; a tenth where nothing else was said."""
        return min(self.count, self.burst or max(1, self.count // 10))

    def __str__(self) -> str:
        """Return it as it is written in rules."""
        return f"{self.count}/{self.seconds:g}s"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a target takes: deliveries under way at once, and per bucket so many in a time."""

    concurrency: int = 4
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a deliver entry asks of the delivery itself, beside the message.

    ``retry`` holds the parts of the retry schedule that the entry sets (``attempts``, and ``first``, ``max``,
    ``horizon`` in seconds); the target's own fill in the rest.
    """

    retry: Mapping[str, float] = field(default_factory=dict)
    on_unknown: OnUnknown = "retry"
    ordered: bool = True
    supersedes: bool = False
    quiet: float = 0
    """Seconds in which the same entry tells nothing again under the same key; ``FOREVER`` is for once."""


FOREVER = 2.0**36
"""Seconds; longer than anything is kept."""


@dataclass(frozen=True, slots=True)
class Deferral:
    """Why a delivery is not due yet, and what it then tells of.

    - ``debounce``: its change may go on; a further one joins it, until ``latest`` at most
    - ``delay``: it is told after a while, as things stand by then
    - ``digest``: it is told together with the others of its ``group``
    - ``window``: its message is made, and goes when a window opens

    ``before`` is what the change is compared with; None at first sight. ``latest`` of a digest is its turn: when it is
    told by its rules, whatever a person wants. What is ``vacant`` tells of nothing, and holds the place of a digest
    that is told all the same.
    """

    kind: DeferralKind
    group: str = ""
    before: JsonObject | None = None
    latest: datetime | None = None
    vacant: bool = False


class CallOff(NamedTuple):
    """A deliver entry whose deferred deliveries are cancelled by a change of the same entity."""

    route: str
    entry: int


@dataclass(frozen=True, slots=True)
class Message:
    """What rendering made of a change for one deliver entry: the action's fields, rendered.

    ``delivery_id`` stays the same over all attempts, and is the idempotency key on the wire.
    """

    delivery_id: str
    key: str
    content: JsonObject


@dataclass(frozen=True, slots=True)
class Link:
    """The external object that a target made for a key: a card, a calendar event, a Slack ``ts``."""

    target: str
    key: str
    external_id: str
    data: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A target's proof of delivery. ``links`` are written together with the attempt's outcome."""

    status: int | None = None
    excerpt: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one target by one route. ``entry`` counts the route's deliver entries from 0.

    ``attempts`` counts all of them, ``failures`` those that the retry schedule counts; ``give_up_at`` is when that
    schedule ends. ``uncertain`` says that an attempt may have been accepted without our knowing. ``bucket`` is what
    the target's rate is counted by.
    """

    id: str
    event_id: str
    route: str
    entry: int
    target: str
    key: str
    state: DeliveryState
    content: JsonObject | None
    due_at: datetime
    created_at: datetime
    attempts: int = 0
    failures: int = 0
    give_up_at: datetime | None = None
    uncertain: bool = False
    replay: int = 0
    reason: str | None = None
    bucket: str = ""
    terms: Terms = Terms()
    deferral: Deferral | None = None

    @property
    def queue(self) -> str:
        """Return what orders it: its key, or nothing but itself."""
        return self.key if self.terms.ordered else self.id

    @property
    def message(self) -> Message:
        """Return what is sent; only a delivery that failed to render has none."""
        return Message(self.id, self.key, self.content or {})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a delivery: append-only. ``duration`` is in seconds."""

    id: str
    delivery_id: str
    number: int
    outcome: Outcome
    trigger: Trigger
    started_at: datetime
    duration: float
    status: int | None = None
    reason: str | None = None
    excerpt: str = ""


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
    """One event that a deferred delivery is to tell of."""

    event: Event
    before: JsonObject | None


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


StateKey: TypeAlias = tuple[str, Entity]
"""Source name and entity."""
