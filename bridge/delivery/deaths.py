"""Dead letters by the hundred, told as one: the first at once, what follows once a minute, with their number."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bridge.model import Clock, Delivery

EVERY: Final = timedelta(minutes=1)
"""Between two tellings of one target."""
MOST: Final = 1000
"""So many of a target are kept one by one until they are told; further ones are only counted."""


class Death(NamedTuple):
    """What is kept of a dead letter, without its message."""

    delivery_id: str
    event_id: str
    route: str
    key: str
    reason: str | None


class Toll(NamedTuple):
    """The dead letters of a target that are due to be told, oldest first, and how many more there are."""

    target: str
    deaths: tuple[Death, ...]
    more: int


@dataclass(slots=True)
class _Waiting:
    deaths: list[Death] = field(default_factory=list)
    more: int = 0
    told_at: datetime | None = None


class Deaths:
    """Keeps the dead letters of each target until it is time to tell of them."""

    def __init__(self, clock: Clock) -> None:
        """Start with nobody dead."""
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}

    def add(self, delivery: Delivery, reason: str | None) -> None:
        """Keep a dead letter."""
        waiting = self._waiting.setdefault(delivery.target, _Waiting())
        if len(waiting.deaths) < MOST:
            waiting.deaths.append(Death(delivery.id, delivery.event_id, delivery.route, delivery.key, reason))
        else:
            waiting.more += 1

    def due(self, *, early: bool = False) -> list[Toll]:
        """Return what is to be told now, or will be later too; it stays until ``forget`` is told of it."""
        return [
            Toll(target, tuple(waiting.deaths), waiting.more)
            for target, waiting in self._waiting.items()
            if waiting.deaths and (early or self._seconds(waiting) <= 0)
        ]

    def forget(self, toll: Toll, *, told: bool) -> None:
        """Let go of what was due; what follows of its target waits for a while if this was ``told``."""
        waiting = self._waiting[toll.target]
        del waiting.deaths[: len(toll.deaths)]
        waiting.more -= toll.more
        if told:
            waiting.told_at = self._clock.now()

    def seconds(self) -> float | None:
        """Return how long until something is due; None if nothing waits."""
        return min((self._seconds(each) for each in self._waiting.values() if each.deaths), default=None)

    def _seconds(self, waiting: _Waiting) -> float:
        since = self._clock.now() - waiting.told_at if waiting.told_at else EVERY
        return max(0.0, (EVERY - since).total_seconds())


def without(toll: Toll, event_ids: Collection[str]) -> Toll:
    """Return a toll without the dead letters of these events; if none is left, there are no more either."""
    left = tuple(death for death in toll.deaths if death.event_id not in event_ids)
    return toll._replace(deaths=left, more=toll.more if left else 0)
