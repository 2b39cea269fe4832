"""What deliveries should do, in the plainest words: the model that engines are compared with."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bridge.model import Delivery, DeliveryState, Trigger

UNFINISHED = frozenset({DeliveryState.PENDING, DeliveryState.DELIVERING, DeliveryState.PARKED})


@dataclass(slots=True)
class Row:
    """One delivery. ``attempts`` counts, ``trigger`` is that of the next attempt.

    What something newer has superseded would be ``undone_by_replay``.
    """

    id: str
    event_id: str
    entry: int
    target: str
    key: str
    due_at: datetime
    supersedes: bool = False
    undone_by_replay: bool = False
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    trigger: Trigger = "schedule"
    leased_until: datetime | None = None

    def facts(self, held: Collection[str]) -> tuple[object, ...]:
        """Return what is seen of it while these targets are held."""
        waits = self.state is DeliveryState.PENDING and self.target in held
        seen = DeliveryState.PARKED if waits else self.state
        return (self.id, self.target, self.key, seen, self.due_at, self.attempts)


def facts_of(delivery: Delivery) -> tuple[object, ...]:
    """Return of a delivery what a row of the model says of its own."""
    return (delivery.id, delivery.target, delivery.key, delivery.state, delivery.due_at, delivery.attempts)


@dataclass(slots=True)
class Model:
    """All deliveries, in the order they were planned, and the targets that are gone or paused."""

    rows: list[Row] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    heads: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def held(self) -> set[str]:
        return self.gone | self.paused

    def plan(self, row: Row, now: datetime) -> None:
        """Add a delivery; one that supersedes cancels what waits of its target, key and entry."""
        place = row.target, row.key, row.entry
        same = [older for older in self.rows if (older.target, older.key, older.entry) == place]
        for older in same if row.supersedes else ():
            if older.state is DeliveryState.PENDING:
                older.state = DeliveryState.CANCELLED
                older.undone_by_replay = older.event_id != row.event_id
        self.see_to_head(row, now)
        self.rows.append(row)
        self.see_to_head(row, now)

    def see_to_head(self, changed: Row, now: datetime) -> None:
        """Find whose turn it is in the queue of a row that has changed; a turn comes behind what is due already."""
        place = changed.target, changed.key
        queue = [row for row in self.rows if (row.target, row.key) == place and row.state in UNFINISHED]
        head = next(filter(_under_way, queue), queue[0] if queue else None)
        if head is None:
            self.heads.pop(place, None)
        elif self.heads.get(place) != head.id:
            self.heads[place] = head.id
            head.due_at = max(head.due_at, now)

    def find(self, delivery_id: str) -> Row:
        return next(row for row in self.rows if row.id == delivery_id)

    def claimable(self, target: str) -> list[Row]:
        """Return what may be claimed once it is due: of each key the oldest unfinished, if none is under way."""
        if target in self.held:
            return []
        heads = (queue[0] for queue in self._queues(target) if not any(_under_way(row) for row in queue))
        return [row for row in heads if row.state is DeliveryState.PENDING]

    def due(self, target: str, now: datetime, most: int) -> list[Row]:
        """Return what may be claimed now, the longest due first, where so many may be under way."""
        due = [row for row in self.claimable(target) if row.due_at <= now]
        free = most - sum(_under_way(row) for row in self.rows if row.target == target)
        return sorted(due, key=lambda row: row.due_at)[: max(0, free)]  # stable: among equals, the order of planning

    def leased(self, expired_by: datetime | None) -> list[Row]:
        """Return what is under way, or only that whose lease has ended by then."""
        under_way = [row for row in self.rows if _under_way(row)]
        return [row for row in under_way if expired_by is None or _expired(row, expired_by)]

    def adopt(self, present: Collection[str]) -> tuple[list[str], list[str]]:
        """Take these for the targets there are; return those that are gone by it and have work, and those back."""
        working = {row.target for row in self.rows if row.state in UNFINISHED}
        back = sorted(self.gone & set(present))
        gone = sorted(working - set(present) - self.gone)
        return gone, back

    def _queues(self, target: str) -> Iterator[list[Row]]:
        unfinished = [row for row in self.rows if row.target == target and row.state in UNFINISHED]
        for key in dict.fromkeys(row.key for row in unfinished):
            yield [row for row in unfinished if row.key == key]


def _under_way(row: Row) -> bool:
    return row.state is DeliveryState.DELIVERING


def _expired(row: Row, now: datetime) -> bool:
    return row.leased_until is not None and row.leased_until <= now
