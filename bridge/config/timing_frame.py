"""The frame of what has to do with time: windows and digests."""

import re
from datetime import datetime, time
from typing import Annotated, Final, Self

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from bridge.component.base import Strict
from bridge.config.holidays import check_holidays
from bridge.options import did_you_mean

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT: Final = "24:00"
FIELDS: Final = 5
"""Of a cron expression. One for seconds would be the first of six, and nobody wants a digest each second."""
_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_SOME_DAY: Final = datetime(2026, 1, 1)  # noqa: DTZ001 (an expression is looked through, whatever the zone)


def parse_clock(value: str) -> time:
    """Return the time of day that a text such as ``09:00`` names; ``24:00`` is the midnight that ends a day.

    Raises:
        ValueError: it names none.
    """
    found = _CLOCK.fullmatch("00:00" if value == MIDNIGHT else value)
    if not found:
        raise ValueError('write a time of day such as "09:00" or "18:30"')
    return time(int(found[1]), int(found[2]))


def parse_days(value: str | list[str]) -> frozenset[int]:
    """Return the days, 0 for Monday, that ``mon-fri``, ``mon,wed`` or a list of them names; raises ValueError."""
    items = [item.strip() for text in ([value] if isinstance(value, str) else value) for item in text.split(",")]
    return frozenset(day for item in items for day in _span(item))


def _span(item: str) -> list[int]:
    first, _, last = item.partition("-")
    for name in (first, last or first):
        if name not in DAYS:
            hint = did_you_mean(name, DAYS)
            raise ValueError(
                f'there is no day "{name}"; {hint}' if hint else 'write days as in "mon-fri" or "sat, sun"'
            )
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return [day % len(DAYS) for day in range(begin, end + 1 if begin <= end else end + 1 + len(DAYS))]


def _cron(value: str) -> str:
    if len(value.split()) > FIELDS:
        raise ValueError('takes five fields: minute, hour, day, month and day of the week, as in "0 18 * * mon-fri"')
    try:
        CronSim(value, _SOME_DAY)
    except CronSimError as error:
        raise ValueError(f'is no cron expression, such as "0 18 * * mon-fri": {error}') from None
    return value


def _clock(value: str) -> str:
    parse_clock(value)
    return value


def _days(value: str | list[str]) -> str | list[str]:
    parse_days(value)
    return value


_TIME_SCHEMA: Final = WithJsonSchema(
    {"type": "string", "pattern": r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$|^24:00$", "examples": ["09:00"]}
)
ClockTime = Annotated[str, AfterValidator(_clock), _TIME_SCHEMA]
Days = Annotated[str | list[str], AfterValidator(_days)]


class WindowFrame(Strict):
    """Hours in which messages may go out."""

    days: Days = "mon-sun"
    """The days it opens on: `mon-fri`, `mon, wed`, or a list."""
    from_: ClockTime = Field(default="00:00", alias="from")
    """When it opens."""
    to: ClockTime = MIDNIGHT
    """When it closes; earlier than `from` is on the next day."""
    holidays: str | list[str] = Field(default_factory=list)
    """Days on which it stays closed: those of a country (`BR`), of a state too (`BR-SP`), and single dates."""

    @model_validator(mode="after")
    def _known_holidays(self) -> Self:
        for each in self.calendars:
            check_holidays(each)
        return self

    @property
    def calendars(self) -> list[str]:
        """Return the days off as a list."""
        return [self.holidays] if isinstance(self.holidays, str) else self.holidays


class DigestFrame(Strict):
    """When a digest is told: at times of day, or by a cron expression."""

    at: ClockTime | Annotated[list[ClockTime], Field(min_length=1)] | None = None
    """The time of day, or several: `18:00`."""
    cron: Annotated[str, AfterValidator(_cron)] | None = None
    """A cron expression of five fields: `0 18 * * mon-fri`."""
    within: str | None = None
    """The window, by its name under `windows`, outside of which a digest waits for its next time."""
    by: str | None = Field(default=None, min_length=1)
    """A template that names the group: each has a message of its own."""
    empty: bool = False
    """Whether it is told where nothing happened as well, from the first one on; not for groups."""

    @model_validator(mode="after")
    def _one_clock(self) -> Self:
        if (self.at is None) == (self.cron is None):
            raise ValueError('needs "at" or "cron", and not both')
        if self.empty and self.by:
            raise ValueError('"empty" is not for digests with "by": nobody knows which groups there could be')
        return self

    @property
    def expressions(self) -> list[str]:
        """Return its times as cron expressions."""
        times = [self.at] if isinstance(self.at, str) else self.at or []
        parsed = [parse_clock(each) for each in times]
        return [self.cron] if self.cron else [f"{each.minute} {each.hour} * * *" for each in parsed]
