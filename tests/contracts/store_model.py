"""What deliveries should do, in the plainest words: the model that engines are compared with."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bridge.model import Delivery, DeliveryState, Trigger

UNFINISHED = frozenset({DeliveryState.PENDING, DeliveryState.DELIVERING, DeliveryState.PARKED})


@dataclass(slots=True)
class Row:
    """One delivery. ``attempts`` counts, ``trigger`` is that of the next attempt."""

    id: str
    event_id: str
    entry: int
    target: str
    key: str
    due_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    trigger: Trigger = "schedule"
    leased_until: datetime | None = None

    @property
    def facts(self) -> tuple[object, ...]:
        return (self.id, self.target, self.key, self.state, self.due_at, self.attempts)


def facts_of(delivery: Delivery) -> tuple[object, ...]:
    """Return of a delivery what a row of the model says of its own."""
    return (delivery.id, delivery.target, delivery.key, delivery.state, delivery.due_at, delivery.attempts)


@dataclass(slots=True)
class Model:
    """All deliveries, in the order they were planned."""

    rows: list[Row] = field(default_factory=list)

    def find(self, delivery_id: str) -> Row:
        return next(row for row in self.rows if row.id == delivery_id)

    def claimable(self, target: str) -> list[Row]:
        """Return what may be claimed once it is due: of each key the oldest unfinished, if none is under way."""
        heads = (queue[0] for queue in self._queues(target) if not any(_under_way(row) for row in queue))
        return [row for row in heads if row.state is DeliveryState.PENDING]

    def due(self, target: str, now: datetime) -> list[Row]:
        """Return what may be claimed now, the longest due first."""
        due = [row for row in self.claimable(target) if row.due_at <= now]
        return sorted(due, key=lambda row: row.due_at)  # stable: among equals, the order of planning

    def leased(self, expired_by: datetime | None) -> list[Row]:
        """Return what is under way, or only that whose lease has ended by then."""
        under_way = [row for row in self.rows if _under_way(row)]
        return [row for row in under_way if expired_by is None or _expired(row, expired_by)]

    def parking(self, present: Collection[str]) -> tuple[list[Row], list[Row]]:
        """Return what is to be parked and what comes back, if these are the targets there are."""
        gone = [row for row in self.rows if row.state is DeliveryState.PENDING and row.target not in present]
        back = [row for row in self.rows if row.state is DeliveryState.PARKED and row.target in present]
        return gone, back

    def _queues(self, target: str) -> Iterator[list[Row]]:
        unfinished = [row for row in self.rows if row.target == target and row.state in UNFINISHED]
        for key in dict.fromkeys(row.key for row in unfinished):
            yield [row for row in unfinished if row.key == key]


def _under_way(row: Row) -> bool:
    return row.state is DeliveryState.DELIVERING


def _expired(row: Row, now: datetime) -> bool:
    return row.leased_until is not None and row.leased_until <= now
