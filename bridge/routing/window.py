"""Windows: the hours in which messages go out, such as those of business days without holidays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HORIZON = 400
"""Days looked ahead for the next opening: a window that does not open in them never does."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Opens on its ``days`` (0 is Monday) but for days off, from ``begin`` to ``end`` of the wall clock of its zone.

    One that ends no later than it begins ends on the day after: a night belongs to the day that it begins on.
    """

    days: frozenset[int]
    begin: time
    end: time
    zone: ZoneInfo
    is_off: Callable[[date], bool] = lambda _: False

    def opening(self, moment: datetime) -> datetime | None:
        """Return the moment itself if the window is open then, else when it opens next; None if it never does."""
        for begin, end in self._spans(moment):
            if moment < end:
                return max(begin, moment)
        return None

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment lies in the window, its end included: what comes at 18:00 is within 9:00 to 18:00."""
        return any(begin <= moment <= end for begin, end in self._spans(moment, days=3))

    def _spans(self, moment: datetime, days: int = HORIZON) -> Iterator[tuple[datetime, datetime]]:
        first = moment.astimezone(self.zone).date() - _DAY
        for number in range(days):
            day = first + number * _DAY
            if day.weekday() in self.days and not self.is_off(day):
                yield self._at(day, self.begin), self._at(day if self.begin < self.end else day + _DAY, self.end)

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)
