"""Numbers, money and dates as people of a region write them.

One rule for all of them: nothing prints as nothing; a text that cannot be read as what the filter wants prints as it
is, for a CRM's free fields hold anything; any other type is an error.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from babel import dates, numbers

from bridge.rendering.budget import account
from bridge.rendering.filters.figures import of_money, of_numbers, of_percent, typeable
from bridge.rendering.region import Region
from bridge.rendering.value import described, given

STYLES = frozenset({"short", "medium", "long", "full"})
PLACES = 12
"""Decimal places that `number` knows."""
PATTERN = 100
"""Characters that a pattern may have."""
NOW = {"pt": "agora", "en": "now", "es": "ahora"}

_YEARLESS = re.compile(r"0000-(\d\d)-(\d\d)")


@dataclass(frozen=True, slots=True)
class Formats:
    """The filters of one region."""

    region: Region

    def money(self, value: object, currency: str | None = None) -> str:
        """Return an amount with its currency: ``R$ 11.050,50``."""
        amount = _decimal(value, "money")
        if amount is None:
            return _as_it_is(value)
        code = currency or self.region.currency
        if code != self.region.currency and not numbers.is_currency(code):
            raise ValueError(f'money knows no currency "{code}"')
        return of_money(self.region.locale, code).write(amount)

    def number(self, value: object, places: int | None = None) -> str:
        """Return a number with the region's separators; ``places`` fixes how many decimals it shows."""
        amount = _decimal(value, "number")
        if amount is None:
            return _as_it_is(value)
        if places is not None and not 0 <= places <= PLACES:
            raise ValueError(f"number takes 0 to {PLACES} places")
        return of_numbers(self.region.locale, places).write(amount)

    def percent(self, value: object, places: int = 0) -> str:
        """Return a part of 1 in percent: ``12%``; ``places`` is how many decimals it shows at most."""
        part = _decimal(value, "percent")
        if part is None:
            return _as_it_is(value)
        if not 0 <= places <= PLACES:
            raise ValueError(f"percent takes 0 to {PLACES} places")
        return of_percent(self.region.locale, places).write(100 * part)

    def growth(self, value: object, former: object, places: int = 0) -> str:
        """Return how much a number has grown since a former one: ``+25%``; nothing if that was nothing or 0."""
        now, before = _decimal(value, "growth"), _decimal(former, "growth")
        if now is None or not before:
            return ""
        grown = (now - before) / abs(before)
        return ("+" if grown > 0 else "") + self.percent(grown, places)

    def day(self, value: object, style: str = "short") -> str:
        """Return a day: ``28/03/2025``; ``style`` is short, medium, long, full or a pattern such as ``dd/MM``."""
        birthday = _YEARLESS.fullmatch(value) if isinstance(value, str) else None
        if birthday:
            return self._yearless(birthday, style)
        moment = self._moment(value, "date")
        if moment is None:
            return _as_it_is(value)
        return typeable(dates.format_date(moment, _style(style), locale=self.region.locale))

    def moment(self, value: object, style: str = "short") -> str:
        """Return a moment in the region's time: ``28/03/2025 09:50``; a day alone shows no time."""
        moment = self._moment(value, "datetime")
        if not isinstance(moment, datetime):
            return self.day(value, style)
        return typeable(dates.format_datetime(moment, _style(style), locale=self.region.locale))

    def ago(self, value: object) -> str:
        """Return how far a moment lies from now: ``há 3 dias``, ``em 2 horas``."""
        moment = self._moment(value, "ago")
        now = account.get().now
        if moment is None or now is None:
            return _as_it_is(value)
        distance = self._distance(moment, now)
        if abs(distance) < timedelta(minutes=1) and self.region.locale.language in NOW:
            return NOW[self.region.locale.language] if isinstance(moment, datetime) else self.day(value)
        return typeable(dates.format_timedelta(distance, add_direction=True, locale=self.region.locale))

    def _moment(self, value: object, filter_name: str) -> date | None:
        """Return a day, or a moment in the region's time; None for a text that is neither."""
        value = _parsed(value) if isinstance(value, str) else given(value)
        if isinstance(value, datetime):
            zone = self.region.timezone
            return value.replace(tzinfo=zone) if value.tzinfo is None else _in_zone(value, zone)
        if value is None or isinstance(value, date):
            return value
        raise TypeError(f"{filter_name} wants a date, not {described(value)}")

    def _distance(self, moment: date, now: datetime) -> timedelta:
        if isinstance(moment, datetime):
            return moment - now
        today = now.astimezone(self.region.timezone).date()
        return moment - today

    def _yearless(self, birthday: re.Match[str], style: str) -> str:
        month, day = map(int, birthday.groups())
        try:
            moment = date(2000, month, day)  # a leap year, for birthdays in February
        except ValueError:
            return birthday.string
        if style in STYLES or "y" in style:
            skeleton = "MMMMd" if style in {"long", "full"} else "Md"
            return dates.format_skeleton(skeleton, moment, locale=self.region.locale)
        return dates.format_date(moment, _style(style), locale=self.region.locale)


def format_filters(region: Region) -> dict[str, Callable[..., Any]]:
    """Return the filters of a region by their names in templates."""
    formats = Formats(region)
    return {
        "ago": formats.ago,
        "date": formats.day,
        "datetime": formats.moment,
        "growth": formats.growth,
        "money": formats.money,
        "number": formats.number,
        "percent": formats.percent,
    }


def _decimal(value: object, filter_name: str) -> Decimal | None:
    value = given(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise TypeError(f"{filter_name} wants a number, not {described(value)}")
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount.adjusted()) <= 2 * PLACES else None


def _parsed(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2025-03-28") else datetime.fromisoformat(text)
    except ValueError:
        return None


def _in_zone(moment: datetime, zone: tzinfo) -> datetime | None:
    """Return a moment in a zone; None at the ends of the calendar, where there is no such moment any more."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return None


def _style(style: str) -> str:
    if len(style) > PATTERN:
        raise ValueError(f"a pattern has at most {PATTERN} characters")
    return style


def _as_it_is(value: object) -> str:
    value = given(value)
    return "" if value is None else str(value)
