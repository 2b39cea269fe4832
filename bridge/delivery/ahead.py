"""How much of a target's work is claimed ahead: a claim costs as much for one as for many, and so does an outcome."""

from typing import Final

from bridge.model import Limits

SECONDS: Final = 0.1
"""Seconds that what is claimed ahead may take: who comes meanwhile, however urgent, goes behind it."""
MOST: Final = 7
"""Times as many as may be under way at once that are claimed ahead at most."""
SHARE: Final = 1 / 64
"""What an attempt counts in the mean of those before it."""


class Ahead:
    """Knows how quick a target's attempts are, and so how many may be claimed.

    As many again as may be under way, so that the next leaves while the outcome of the last is still being recorded;
    more where attempts are quick; none ahead if the target has a rate.
    """

    def __init__(self) -> None:
        """Start as if attempts were slow."""
        self._mean = SECONDS

    def learn(self, seconds: float) -> None:
        """Count the duration of an attempt."""
        self._mean += (seconds - self._mean) * SHARE

    def claimable(self, limits: Limits) -> int:
        """Return how many may be claimed at once, with those under way."""
        if limits.rate:
            return limits.concurrency
        rounds = min(max(SECONDS / self._mean, 1), MOST) if self._mean > 0 else MOST
        return int(limits.concurrency * (1 + rounds))

    def is_too_much(self, claimed: int, limits: Limits) -> bool:
        """Tell whether so many claims take far longer than was thought when they were made."""
        return claimed > 2 * self.claimable(limits)
