"""What the other nouns are made of: JSON, states, time and ids."""

import time
from datetime import UTC, datetime
from enum import StrEnum
from random import getrandbits
from typing import Literal, Protocol, TypeAlias

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


def made_at(id_: str) -> datetime:
    """Return when an id was made, to the second."""
    return datetime.fromtimestamp(int(id_.partition("_")[2][:12], 16) // 1000, UTC)
