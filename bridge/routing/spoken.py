"""Numbers and dates as people write them in letters, and how they are written in rules."""

import re
from datetime import date
from typing import Final

from bridge.model import Json

_DATE: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_NUMBER: Final = re.compile(r"(?:R\$|BRL)?\s*(-?)(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d+))?", re.IGNORECASE)
USUAL: Final = 'a date is written "2026-11-24", a number without quotes'


def bound_hint(wanted: Json) -> str:
    """Return the hint for what is to be a number or a date and is none, as Brazilians would write either."""
    text = wanted.strip() if isinstance(wanted, str) else ""
    if found := _DATE.fullmatch(text):
        return _as_date(*map(int, found.groups()))
    number = plain_number(text)
    return f"write {number}, without quotes" if number else USUAL


def plain_number(text: str) -> str | None:
    """Return a number with a decimal comma or points between its thousands as JSON has it; None if it is none."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    sign, whole, cents = found.groups()
    return f"{sign}{whole.replace('.', '')}" + (f".{cents}" if cents and cents.strip("0") else "")


def _as_date(day: int, month: int, year: int) -> str:
    try:
        return f'write "{date(year, month, day).isoformat()}"'
    except ValueError:
        return USUAL
