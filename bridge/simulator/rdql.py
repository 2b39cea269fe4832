"""RDQL, the filters of API v2: ``updated_at:>=2026-07-22T13:11:07Z -status:(won,lost)``.

Written after https://developers.rdstation.com/reference/crm-v2-rdql-filtering.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeAlias

from bridge.model import Json, JsonObject
from bridge.rdstation.timestamps import instant

Predicate: TypeAlias = Callable[[JsonObject], bool]
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<bracket>[()])|(?P<word>and|or)(?=[\s(]|$)"
    r"|(?P<not>-)?(?P<field>@?[\w-]+):(?P<operator>>=|<=|>|<|~)?(?P<value>\([^)]*\)|\"[^\"]*\"|[^\s()]+))",
    re.IGNORECASE,
)


class UnreadableFilterError(ValueError):
    """A text that is no filter."""


class UnbearableFilterError(Exception):
    """A filter by which the real API breaks: a time without a ``T`` between day and hour."""


def compiled(text: str) -> Predicate:
    """Return what tells whether a filter lets a row through.

    Raises:
        UnreadableFilterError: it is no filter.
        UnbearableFilterError: the API answers it with an error 500.
    """
    reader = _Reader(text)
    predicate = reader.either()
    if reader.left:
        raise UnreadableFilterError(text)
    return predicate


class _Reader:
    """Reads a filter from left to right."""

    def __init__(self, text: str) -> None:
        self.left: list[re.Match[str]] = []
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if not found:
                raise UnreadableFilterError(text)
            self.left.append(found)
            place = found.end()

    def either(self) -> Predicate:
        """Read what is joined by ``or``."""
        found = [self._all()]
        while self._next("word", "or"):
            found.append(self._all())
        return lambda row: any(each(row) for each in found)

    def _all(self) -> Predicate:
        """Read what is joined by ``and``, or by nothing."""
        found = [self._one()]
        while self._next("word", "and") or (self.left and self.left[0]["field"]) or self._opens():
            found.append(self._one())
        return lambda row: all(each(row) for each in found)

    def _one(self) -> Predicate:
        if self._next("bracket", "("):
            inner = self.either()
            if not self._next("bracket", ")"):
                raise UnreadableFilterError("a bracket is not closed")
            return inner
        if not self.left or not self.left[0]["field"]:
            raise UnreadableFilterError("a condition is missing")
        found = self.left.pop(0)
        condition = _condition(found["field"], found["operator"] or "", found["value"])
        return (lambda row: not condition(row)) if found["not"] else condition

    def _opens(self) -> bool:
        return bool(self.left) and self.left[0]["bracket"] == "("

    def _next(self, kind: str, text: str) -> bool:
        if self.left and (self.left[0][kind] or "").lower() == text:
            self.left.pop(0)
            return True
        return False


def _condition(field: str, operator: str, value: str) -> Predicate:
    if value.startswith("("):
        wanted = {each.strip().strip('"') for each in value[1:-1].split(",")}
        return lambda row: bool(wanted & set(_texts(_held(row, field))))
    plain = value.strip('"')
    if field.endswith(("_at", "_date")) and " " in plain:
        raise UnbearableFilterError(value)
    if operator in _ORDER:
        return lambda row: _compared(_held(row, field), plain, _ORDER[operator])
    if operator == "~":
        return lambda row: any(plain.lower() in text.lower() for text in _texts(_held(row, field)))
    return lambda row: plain in _texts(_held(row, field)) or _compared(_held(row, field), plain, lambda a, b: a == b)


_ORDER: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": lambda held, wanted: held > wanted,
    "<": lambda held, wanted: held < wanted,
    ">=": lambda held, wanted: held >= wanted,
    "<=": lambda held, wanted: held <= wanted,
}


def _held(row: JsonObject, field: str) -> Json:
    if not field.startswith("@"):
        return row.get(field)
    custom = row.get("custom_fields")
    return custom.get(field[1:]) if isinstance(custom, dict) else None


def _texts(held: Json) -> list[str]:
    """Return what a value is written as; of a list, each item is one, and of an object each member."""
    if isinstance(held, list):
        return [text for item in held for text in _texts(item)]
    if isinstance(held, dict):
        return [text for item in held.values() for text in _texts(item)]
    return [str(held).lower() if isinstance(held, bool) else str(held)] if held is not None else []


def _compared(held: Json, wanted: str, holds: Callable[[float, float], bool]) -> bool:
    left, right = _number(held), _number(wanted)
    return left is not None and right is not None and holds(left, right)


def _number(value: Json) -> float | None:
    """Return a number, or a time as one."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value)
    moment: datetime | None = instant(value)
    return moment.timestamp() if moment else None
