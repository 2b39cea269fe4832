"""Virtual time: a clock that is moved, and what is to happen when."""

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count


class VirtualClock:
    """Tells the time that it was moved to; it never goes back."""

    def __init__(self, start: datetime) -> None:
        """Take the time it begins with, aware."""
        self._now = start

    def now(self) -> datetime:
        """Return the virtual time."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Move on to a later time; an earlier one changes nothing."""
        self._now = max(self._now, moment)


class Agenda:
    """What is to happen at which virtual time, in this order."""

    def __init__(self, clock: VirtualClock) -> None:
        """Take the clock that is moved along."""
        self._clock = clock
        self._numbers = count()
        self._items: list[tuple[datetime, int, Callable[[], None]]] = []

    @property
    def next_at(self) -> datetime | None:
        """Return when the next thing happens; None if nothing is to."""
        return self._items[0][0] if self._items else None

    def put(self, moment: datetime, act: Callable[[], None]) -> None:
        """Let something happen at a time; what lies in the past happens next."""
        heapq.heappush(self._items, (max(moment, self._clock.now()), next(self._numbers), act))

    def run_until(self, moment: datetime) -> None:
        """Let everything happen that is due until then, each at its time, and move the clock there."""
        while self._items and self._items[0][0] <= moment:
            at, _, act = heapq.heappop(self._items)
            self._clock.move_to(at)
            act()
        self._clock.move_to(moment)
