"""What one rendering may spend.

The sandbox keeps a template from reaching out; this keeps it from never coming back. A template's author is trusted
to mean well, yet a typo in a loop must cost one visible failure, not the daemon.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime
from time import thread_time
from typing import TypeVar

OUTPUT = 1024 * 1024
"""Characters one text may have."""
CHARACTERS = 8 * OUTPUT
"""Characters that one rendering may put together on its way to its output."""
STEPS = 100_000
"""Turns of loops, items of lists, calls of macros."""
SECONDS = 0.5
"""Processor time. Not the wall's: a machine that is busy elsewhere must not fail a message."""
LEAST = 0.05
"""Processor time that a rendering has, whatever those before it took of the time that one event may take."""
BITS = 512
"""Size that an integer may reach by multiplication."""
RANGE = 10_000
SOUGHT = 100
"""Characters that a text may have that is looked for from the end of another."""
DIGITS = 1000
"""Characters that a text may have of which `int` makes a number."""

ItemT = TypeVar("ItemT")


class BudgetError(Exception):
    """A template wants more than one rendering may spend."""


class Purse:
    """The processor time that all renderings for one event share: webhooks wait while it is spent."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        """Fill it."""
        self.seconds = SECONDS


class Seen(dict[str, object]):
    """The names that templates see of one event, and the time that they have for it."""

    __slots__ = ("purse",)

    def __init__(self, names: Mapping[str, object]) -> None:
        """Copy the names."""
        super().__init__(names)
        self.purse = Purse()


class Budget:
    """The account of one rendering; ``now`` is the moment it renders for."""

    __slots__ = ("_began", "_characters", "_purse", "_seconds", "_steps", "now")

    def __init__(self, now: datetime | None, purse: Purse | None = None) -> None:
        """Open the account; its time is taken out of ``purse``."""
        self.now = now
        self._steps = STEPS
        self._characters = CHARACTERS
        self._purse = purse or Purse()
        self._seconds = max(self._purse.seconds, LEAST)
        self._began: float | None = None

    def close(self) -> None:
        """Take out of the purse what was spent; what never looked at the time was too short to count."""
        if self._began is not None:
            self._purse.seconds -= thread_time() - self._began

    def step(self, count: int = 1) -> None:
        """Pay for turns; raises BudgetError when the account is empty."""
        self._steps -= count
        if self._steps < 0:
            raise BudgetError(f"it goes through more than {STEPS} items")
        if not self._steps & 15 or count > 1:
            self._look_at_the_time()

    def write(self, characters: int) -> None:
        """Pay for characters; raises BudgetError when the account is empty."""
        self._characters -= characters
        if self._characters < 0 or characters > OUTPUT:
            raise BudgetError(f"its text grows beyond {OUTPUT} characters")

    def _look_at_the_time(self) -> None:
        now = thread_time()
        if self._began is None:
            self._began = now
        elif now - self._began > self._seconds:
            shared = "" if self._seconds == SECONDS else ", with the others of its event"
            raise BudgetError(f"it takes more than {SECONDS} seconds of the processor{shared}")


account: ContextVar[Budget] = ContextVar("account")
"""The account of the rendering under way."""


def metered(items: Iterable[ItemT]) -> Iterator[ItemT]:
    """Yield items, each paid for."""
    budget = account.get()
    for item in items:
        budget.step()
        yield item


def limited_range(*bounds: int) -> range:
    """Return a range of bounded length."""
    numbers = range(*bounds)
    if len(numbers) > RANGE:
        raise BudgetError(f"range() may count {RANGE} numbers, not {len(numbers)}")
    return numbers


def concatenated(parts: Iterable[str]) -> str:
    """Join pieces of output, as long as they stay within bounds."""
    kept: list[str] = []
    size = 0
    for part in parts:
        size += len(part)
        if size > OUTPUT:
            raise BudgetError(f"its text grows beyond {OUTPUT} characters")
        kept.append(part)
    account.get().write(size)  # the text of a macro or of a set block can be kept, and be made once more
    return "".join(kept)


def take(items: Iterable[ItemT]) -> list[ItemT]:
    """Return the items as a list, each paid for."""
    return list(metered(items))
