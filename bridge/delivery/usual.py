"""What a source usually sends: a silence is told where none was set, if even a poor week would have had much by then.

Per hour of the week the fewest of the last four weeks count: a night, a weekend, a holiday or an hour in which bridge
did not run make that nothing, and of nothing no silence is unusual. So nothing is told before four weeks are known.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

WEEKS: Final = 4
ENOUGH: Final = 20
"""So many events have to be missing, even by the poorest of the weeks."""
LEAST: Final = timedelta(hours=1)
"""No shorter silence is unusual."""
HOUR: Final = timedelta(hours=1)
WEEK: Final = 7 * 24
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def unusual(counts: Mapping[int, int], last: datetime, now: datetime) -> timedelta | None:
    """Return how long a silence since ``last`` would have been usual, if it is longer; None if it is usual still.

    ``counts`` are the events of each hour since 1970.
    """
    missing, at = 0.0, last
    while at < now:
        hour = (at - EPOCH) // HOUR
        end = min(EPOCH + (hour + 1) * HOUR, now)
        missing += _fewest(counts, hour) * ((end - at) / HOUR)
        at = end
        if missing >= ENOUGH and at - last >= LEAST:
            return timedelta(minutes=(at - last) // timedelta(minutes=1))
    return None


def _fewest(counts: Mapping[int, int], hour: int) -> int:
    return min(counts.get(hour - week * WEEK, 0) for week in range(1, WEEKS + 1))
