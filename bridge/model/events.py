"""What comes in: events, what they say of an entity, and how it changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from bridge.model.values import Action, EventState, Json, JsonObject


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


class Origin(StrEnum):
    """How an event came: by a webhook; or found by the source's API, because its webhook was missed, or as a baseline.

    A baseline is the first that is known of an entity, and no news.
    """

    WEBHOOK = "webhook"
    REPAIRED = "repaired"
    IMPORTED = "imported"


FOUND: Final = frozenset({Origin.REPAIRED.value, Origin.IMPORTED.value})


def found_key(origin: Origin, key: str) -> str:
    """Return the dedup key of an event that the source's API told of."""
    return f"{origin}:{key}"


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

    @property
    def origin(self) -> Origin:
        """Return how it came; no webhook has a dedup key that begins like those of the others."""
        head, colon, _ = self.dedup_key.partition(":")
        return Origin(head) if colon and head in FOUND else Origin.WEBHOOK


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
    """The last state of an entity: the newest document seen, normalised.

    ``found`` says that the source's API told it: a webhook of the same version may still come, and is no news.
    """

    source: str
    entity: Entity
    document: JsonObject
    version: int
    event_id: str
    deleted: bool = False
    created_seen: bool = False
    found: bool = False


Differences: TypeAlias = Mapping[str, tuple[Json, Json]]


@dataclass(frozen=True, slots=True)
class Change:
    """An event beside its entity's last state. ``previous`` is None at first sight.

    ``differences`` maps each changed path to (before, after). At first sight it is empty. ``version`` is the reading's.
    """

    event: Event
    action: Action
    document: JsonObject
    current: JsonObject
    previous: JsonObject | None
    differences: Differences = field(default_factory=dict)
    dated: frozenset[str] | None = frozenset()
    version: int = 0

    @property
    def first_sight(self) -> bool:
        """Tell whether the bridge had never seen this entity."""
        return self.previous is None

    def is_dated(self, path: str) -> bool:
        """Tell whether the document itself says that this path changed just now."""
        return self.dated is None or path in self.dated


StateKey: TypeAlias = tuple[str, Entity]
"""Source name and entity."""
