"""When what failed is tried again: soon at first, and after ever longer waits."""

from datetime import datetime, timedelta
from typing import Final

from bridge.model import Clock

POLL: Final = 60.0
"""Seconds between looks when nothing is due sooner."""
LONGEST: Final = timedelta(minutes=15)
DOUBLINGS: Final = 10


class Again:
    """Knows when each of several things is due; what is not known, or was done, is due at no time."""

    def __init__(self, first: timedelta, clock: Clock) -> None:
        """Take the wait after a first failure; each further one is twice as long."""
        self._first = first
        self._clock = clock
        self._due: dict[str, datetime] = {}
        self._failures: dict[str, int] = {}

    def ask(self, name: str) -> None:
        """Have something done now."""
        self._due[name] = self._clock.now()

    def take(self) -> list[str]:
        """Return what is due, and wait for it no more."""
        due = [name for name, at in self._due.items() if at <= self._clock.now()]
        for name in due:
            del self._due[name]
        return due

    def failed(self, name: str) -> timedelta:
        """Have something tried again, and return after which wait."""
        failures = self._failures.get(name, 0)
        self._failures[name] = min(failures + 1, DOUBLINGS)
        wait = min(self._first * (1 << failures), LONGEST)
        self._due[name] = self._clock.now() + wait
        return wait

    def went_well(self, name: str) -> None:
        """Forget failures; what was asked for meanwhile stays due."""
        self._failures.pop(name, None)

    def done(self, name: str) -> None:
        """Forget failures, and what was to be tried again."""
        self._failures.pop(name, None)
        self._due.pop(name, None)

    def pause(self) -> float:
        """Return the seconds until the next is due, and no more than until somebody should look in any case."""
        if not self._due:
            return POLL
        return min(max((min(self._due.values()) - self._clock.now()).total_seconds(), 0.1), POLL)
