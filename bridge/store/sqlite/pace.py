"""How many of a bucket may go now: the generic cell rate algorithm, one row a bucket.

The row holds the moment at which the bucket would be idle again; what may go at once is how far ahead of now that
moment may lie.
"""

import apsw

from bridge.model import Rate
from bridge.store.sqlite.queries import change, first


class Pace:
    """The buckets of one target during one claim."""

    def __init__(self, connection: apsw.Connection, target: str, rate: Rate | None, now: int) -> None:
        """Take the rate, if there is one, and the time in microseconds since 1970."""
        self._connection = connection
        self._target = target
        self._interval = interval(rate) if rate else 0
        self._ahead = self._interval * rate.at_once if rate else 0
        self._now = now
        self._arrivals: dict[str, int] = {}
        self._changed: set[str] = set()

    def take(self, bucket: str) -> bool:
        """Take a place in a bucket, if there is one left."""
        if not self._interval:
            return True
        arrival = self._arrival(bucket)
        if arrival + self._interval - self._now > self._ahead:
            return False
        self._arrivals[bucket] = arrival + self._interval
        self._changed.add(bucket)
        return True

    def opens_at(self, bucket: str) -> int:
        """Return when a bucket has its next place."""
        if not self._interval:
            return self._now
        return max(self._now, self._arrival(bucket) + self._interval - self._ahead)

    def save(self) -> None:
        """Write down what was taken."""
        for bucket in self._changed:
            change(self._connection, "put_pace", self._target, bucket, self._arrivals[bucket])

    def _arrival(self, bucket: str) -> int:
        """Return when a bucket is idle again; if the clock was set back, as if the bucket had been filled just now."""
        if bucket not in self._arrivals:
            row, full = first(self._connection, "get_pace", self._target, bucket), self._now + self._ahead
            arrival = row[0] if row else 0
            self._arrivals[bucket] = min(max(self._now, arrival), full)
            if arrival > full:
                self._changed.add(bucket)
        return self._arrivals[bucket]


def interval(rate: Rate) -> int:
    """Return the time between those after a burst, in microseconds: so long that no stretch ever holds too many.

    In whole numbers and rounded up: a microsecond less would let one more in at the end of a stretch.
    """
    stretch, gaps = round(rate.seconds * 1_000_000), rate.count - rate.at_once + 1
    return max(1, -(-stretch // gaps))
