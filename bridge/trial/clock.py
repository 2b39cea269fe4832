"""The clock of a test: it stands still until it is moved."""

from datetime import UTC, datetime


class MovedClock:
    """Tells the time it was set to."""

    def __init__(self) -> None:
        """Start anywhere: each test sets it."""
        self._now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return self._now

    def set(self, moment: datetime) -> None:
        """Move it there."""
        self._now = moment.astimezone(UTC)
