"""What one rendering may spend.

The sandbox keeps a template from reaching out; this keeps it from never coming back. A template's author is trusted
to mean well, yet a typo in a loop must cost one visible failure, not the daemon.
"""

from collections.abc import Iterable, Iterator
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
SECONDS = 1.0
"""Processor time. Not the wall's: a machine that is busy elsewhere must not fail a message."""
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


class Budget:
    """The account of one rendering; ``now`` is the moment it renders for."""

    __slots__ = ("_characters", "_deadline", "_steps", "now")

    def __init__(self, now: datetime | None) -> None:
        """Open the account."""
        self.now = now
        self._steps = STEPS
        self._characters = CHARACTERS
        self._deadline: float | None = None

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
        if self._deadline is None:
            self._deadline = thread_time() + SECONDS
        elif thread_time() > self._deadline:
            raise BudgetError(f"it takes more than {SECONDS:.0f} second of the processor")


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
