"""How many requests may leave: 120 a minute, over all uses (RD Station's documented limit of both APIs)."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from math import ceil
from time import monotonic
from typing import Final

from bridge.component.remote import Urgency

MOST: Final = 120
WINDOW: Final = 63.0
"""Seconds in which so many may leave: a minute, and what the ways of two of them may differ by."""
SHARES: Final = {Urgency.MESSAGE: 1.0, Urgency.PERSON: 0.9, Urgency.REPAIR: 0.6}
"""How much of it each use may take at most, so that whoever is more urgent finds something left."""


class Budget:
    """Lets requests go, the most urgent first, and never more in a minute than the API takes."""

    def __init__(self, most: int = MOST, window: float = WINDOW, now: Callable[[], float] = monotonic) -> None:
        """Take the limit, and a clock in seconds."""
        self._most = most
        self._window = window
        self._now = now
        self._spent: deque[float] = deque()
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._number = 0
        self._closed_until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def left(self) -> int:
        """Return how many may go just now."""
        self._forget()
        return 0 if self._now() < self._closed_until else self._most - len(self._spent)

    async def spend(self, urgency: Urgency) -> None:
        """Return once a request may go; those that are cancelled meanwhile cost nothing."""
        turn = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._waiting, (urgency, self._number, turn))
        self._let_go()
        await turn

    def close(self, seconds: float) -> None:
        """Let nothing go for so long: the API said that it was too much."""
        self._closed_until = max(self._closed_until, self._now() + seconds)

    def _let_go(self) -> None:
        while self._waiting and self._may_go(self._waiting[0][0]):
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.cancelled():
                self._spent.append(self._now())
                turn.set_result(None)
        if self._timer:  # whoever came meanwhile may go sooner than the one it was set for
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._pause(), self._let_go) if self._waiting else None

    def _may_go(self, urgency: Urgency) -> bool:
        self._forget()
        return self._now() >= self._closed_until and len(self._spent) < self._share(urgency)

    def _pause(self) -> float:
        """Return how long until the next of those that wait may go."""
        opens = self._closed_until
        over = len(self._spent) - self._share(self._waiting[0][0])
        if over >= 0:
            opens = max(opens, self._spent[over] + self._window)
        return max(opens - self._now(), 0.001)

    def _share(self, urgency: Urgency) -> int:
        return ceil(self._most * SHARES[urgency])

    def _forget(self) -> None:
        while self._spent and self._spent[0] <= self._now() - self._window:
            self._spent.popleft()
