"""Days off: those of a country, or of one of its parts, and single dates.

The calendars are a library's. It is imported where rules name one, and of its calendars that one: its own functions
import those of all 250 countries, which takes as long as all else that is read to check a file.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import TYPE_CHECKING, Final

from bridge.options import did_you_mean

if TYPE_CHECKING:
    from holidays import HolidayBase

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def check_holidays(value: str) -> str:
    """Return the name of a calendar of days off, such as ``BR`` or ``BR-SP``, or a date; raises ValueError."""
    if _DATE.fullmatch(value):
        date.fromisoformat(value)
        return value
    country, _, part = value.partition("-")
    if country not in _countries():
        raise ValueError(
            f'there are no holidays of "{country}" here: write a country such as BR, a state such as BR-SP, or a date'
        )
    parts = _calendar(country).subdivisions
    if part and part not in parts:
        raise ValueError(f'{country} has no part "{part}"; {did_you_mean(part, parts)}')
    return value


def days_off(names: Iterable[str]) -> Callable[[date], bool]:
    """Return what tells whether a day is off by any of these calendars and dates, all of which were checked."""
    written = list(names)
    single = {date.fromisoformat(each) for each in written if each[0].isdecimal()}
    named = [each.partition("-") for each in written if not each[0].isdecimal()]
    known = [_calendar(country)(subdiv=part or None) for country, _, part in named]
    return lambda day: day in single or any(day in holidays for holidays in known)


@cache
def _countries() -> frozenset[str]:
    from holidays.registry import EntityLoader  # noqa: PLC0415 (few rules name a country)

    return frozenset(EntityLoader.get_country_codes(include_aliases=False))


@cache
def _calendar(country: str) -> "type[HolidayBase]":
    """Return the calendar of a country; its module is run without the package around it, which imports all of them."""
    import holidays  # noqa: PLC0415 (few rules name a country)

    loader = getattr(holidays, country)
    spec = PathFinder.find_spec(loader.module_name, [f"{folder}/countries" for folder in holidays.__path__])
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(loader.module_name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    calendar: type[HolidayBase] = getattr(module, loader.entity_name)
    return calendar
