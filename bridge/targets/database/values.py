"""What rendered values become in a column of a type: bound to the statement, never a part of its text."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from bridge.component.occasion import read
from bridge.model import Json
from bridge.targets.database.options import ColumnType

Bound: TypeAlias = "str | int | Decimal | bool | date | datetime | Json"
MOST: Final = 2**63 - 1
WORDS: Final[Mapping[object, bool]] = {True: True, False: False, "true": True, "false": False}


def bound(kind: ColumnType, value: Json, zone: ZoneInfo) -> Bound:
    """Return a value as a column of this type takes it; what is empty is null.

    Raises:
        ValueError: it is none of the type.
    """
    if kind == "json":
        return clean(value)
    if value is None or value in ("", [], {}):
        return None
    return MAKERS[kind](value, zone)


def moment(text: str, zone: ZoneInfo) -> datetime:
    """Return a moment in UTC; a day is its midnight in the zone.

    Raises:
        ValueError: it is none, or out of what can be reckoned with.
    """
    at = read(text, zone)
    begun = at if isinstance(at, datetime) else datetime.combine(at, time(), zone)
    try:
        return begun.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None


def clean(value: Json) -> Json:
    """Return a value without what no database stores: the character zero, and halves of characters."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [clean(each) for each in value]
    if isinstance(value, dict):
        return {str(clean(name)): clean(each) for name, each in value.items()}
    return value


def _text(value: Json, _: ZoneInfo) -> str:
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return str(clean(told))


def _number(value: Json, _: ZoneInfo) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("is no number")  # noqa: TRY004 (what is wrong is the content)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError("is no number") from None
    if not number.is_finite():
        raise ValueError("is no number")
    return number


def _integer(value: Json, zone: ZoneInfo) -> int:
    number = _number(value, zone)
    if abs(number) > MOST or number != int(number):
        raise ValueError("is no whole number of 64 bits")
    return int(number)


def _boolean(value: Json, _: ZoneInfo) -> bool:
    if not isinstance(value, bool | str) or value not in WORDS:
        raise ValueError("is neither true nor false")
    return WORDS[value]


def _date(value: Json, zone: ZoneInfo) -> date:
    at = read(_written(value), zone)
    return at.astimezone(zone).date() if isinstance(at, datetime) else at


def _moment(value: Json, zone: ZoneInfo) -> datetime:
    return moment(_written(value), zone)


def _written(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError("is no day and no moment")  # noqa: TRY004 (what is wrong is the content)
    return value


MAKERS: Final[Mapping[ColumnType, Callable[[Json, ZoneInfo], Bound]]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "moment": _moment,
}
