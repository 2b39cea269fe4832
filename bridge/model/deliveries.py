"""What goes out: messages, deliveries with their terms and limits, attempts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bridge.model.values import DeferralKind, DeliveryState, JsonObject, OnUnknown, Outcome, Trigger


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


OVER = "over"
"""Where the data of a link tells when its object is over, such as `2026-12-24T18:00:00Z`."""
DAMAGED = "its message, as it was stored, is damaged and cannot be read any more"
"""Why a delivery is dead that is due and has no content: only what was never rendered is without one by right."""
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
    """The external object that a target made for a key: a card, a calendar event, a Slack ``ts``.

    Where ``data`` has an ``over``, the moment in UTC when the object is over, ``Store.links`` finds it by that.
    """

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
