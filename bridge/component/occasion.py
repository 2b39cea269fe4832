"""When something is, as calendars take it: whole days, or from one moment to another."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Final, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator

USUAL: Final = timedelta(hours=1)
"""How long an appointment lasts where nothing says so."""
DAY: Final = timedelta(days=1)

When: TypeAlias = "date | datetime"
"""A day, or a moment that knows its time zone."""


class Occasion(NamedTuple):
    """Both ends are days, or both are moments. ``end`` is the first day, or moment, that is no longer part of it."""

    start: When
    end: When

    @property
    def whole_days(self) -> bool:
        """Tell whether it is days."""
        return not isinstance(self.start, datetime)

    def __str__(self) -> str:
        """Return it as people read it: whole days with the last of them."""
        if self.whole_days:
            last = self.end - DAY
            return str(self.start) if last == self.start else f"{self.start} to {last}"
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}"


def read(text: str, zone: ZoneInfo) -> When:
    """Return the day or the moment of a text in ISO 8601; a moment without an offset is one of the time zone.

    Raises:
        ValueError: it is neither.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def check(text: str) -> str:
    """Return a text that is a day or a moment.

    Raises:
        ValueError: it is neither, with an example.
    """
    try:
        read(text, ZoneInfo("UTC"))
    except ValueError:
        raise ValueError('must be a day such as "2026-12-24" or a moment such as "2026-12-24T15:00-03:00"') from None
    return text


def occasion(start: str, end: str | None, duration: timedelta | None, zone: ZoneInfo) -> Occasion:
    """Return when something is that begins then, and ends then, or lasts so long; else a day, or an hour.

    An ``end`` that is a day is the last one, and whole. Where the start is a day and the end a moment, or the other way
    round, what is only a day begins, or ends, with it.

    Raises:
        ValueError: it ends before it begins.
    """
    begins = read(start, zone)
    ends = _end(begins, end, duration, zone)
    if not isinstance(begins, datetime) and isinstance(ends, datetime):
        begins = datetime.combine(begins, time(), ends.tzinfo)
    if ends <= begins:
        raise ValueError(f"it ends before it begins: {start} to {end}")
    return Occasion(begins, ends)


def _end(begins: When, end: str | None, duration: timedelta | None, zone: ZoneInfo) -> When:
    if end is None:
        whole = not isinstance(begins, datetime)
        return begins + (max(duration or DAY, DAY) if whole else duration or USUAL)
    ends = read(end, zone)
    if isinstance(ends, datetime):
        return ends
    after = ends + DAY
    return datetime.combine(after, time(), begins.tzinfo) if isinstance(begins, datetime) else after


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError('is no time zone, such as "America/Sao_Paulo"')
    return name


ZoneName: TypeAlias = Annotated[str, AfterValidator(_known_zone)]
"""An option that is the name of a time zone."""
WhenOption: TypeAlias = Annotated[str, AfterValidator(check)]
"""A key of an entry that is a day or a moment."""
