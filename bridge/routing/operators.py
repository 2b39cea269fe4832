"""The operators of ``match:``: each turns what a rule wants into a closure over values.

An empty value equals every other empty value. A list is matched by any of its elements. Booleans are no numbers,
numbers are no texts, and what cannot be compared does not match.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

from bridge.document import is_empty, same
from bridge.model import Json
from bridge.routing.regex import BadPatternError, Search, search_for
from bridge.routing.spoken import bound_hint

Predicate: TypeAlias = Callable[[Json], bool]
"""Judges the current value."""
Transition: TypeAlias = Callable[[Json, Json], bool]
"""Judges the value before and the value after."""


class BadOperandError(Exception):
    """An operator cannot work with what it was given: code, message, hint."""


def equal(seen: Json, wanted: Json) -> bool:
    """Tell whether a value equals a wanted scalar, or one of its elements does."""
    if isinstance(seen, str) and isinstance(wanted, str):
        return seen == wanted
    if isinstance(seen, list) and seen:
        return any(equal(item, wanted) for item in seen)
    if is_empty(wanted):
        return is_empty(seen)
    return seen == wanted and isinstance(seen, bool) == isinstance(wanted, bool)


# What a rule may want


def _scalar(wanted: Json) -> Json:
    if isinstance(wanted, list | dict):
        raise BadOperandError("bad-operand", "this operator wants one value", "for several values use `in`")
    return wanted


def _scalars(wanted: Json) -> tuple[Json, ...]:
    if not isinstance(wanted, list) or not wanted:
        raise BadOperandError("bad-operand", "this operator wants a list of values", "for one value use `eq`")
    return tuple(_scalar_of_list(item) for item in wanted)


def _scalar_of_list(item: Json) -> Json:
    if isinstance(item, list | dict):
        raise BadOperandError("bad-operand", "the items of this list must be plain values", "no lists, no objects")
    return item


def _one_or_more(wanted: Json) -> tuple[Json, ...]:
    return _scalars(wanted) if isinstance(wanted, list) else (_scalar(wanted),)


def _text(wanted: Json) -> str:
    if not isinstance(wanted, str) or not wanted:
        hint = "write one of them each under `any`" if isinstance(wanted, list) else "put quotes around a number"
        raise BadOperandError("bad-operand", "this operator wants a text", hint)
    return wanted


def _flag(wanted: Json) -> bool:
    if not isinstance(wanted, bool):
        raise BadOperandError("bad-operand", "this operator wants true or false", "without quotes")
    return wanted


def _pattern(wanted: Json) -> Search:
    try:
        return search_for(_text(wanted))
    except BadPatternError as bad:
        message, hint = bad.args
        raise BadOperandError("bad-regex", message, hint or "a backslash is best written in 'single quotes'") from None


# What has an order: numbers, and dates in ISO 8601

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?", re.ASCII)
_Ordered: TypeAlias = float | date


def _ordered(value: Json) -> _Ordered | None:
    if isinstance(value, int | float):
        return None if isinstance(value, bool) else value
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        return _date(value)
    return None


def _date(text: str) -> date | None:
    try:
        if len(text) == len("2026-11-24"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _comparable(left: _Ordered | None, right: _Ordered | None) -> tuple[Any, Any] | None:
    """Bring two values to one footing: beside a bare date, a moment counts by the date it is written with."""
    if not isinstance(left, date) or not isinstance(right, date):
        mixed = left is None or right is None or isinstance(left, date) or isinstance(right, date)
        return None if mixed else (left, right)
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left, right
    return tuple(value.date() if isinstance(value, datetime) else value for value in (left, right))  # type: ignore[return-value] # two in, two out


Verdict: TypeAlias = Callable[[Any, Any], bool]


def _by_order(verdict: Verdict) -> Callable[[Json], Predicate]:
    def make(wanted: Json) -> Predicate:
        bound = _ordered(wanted)
        if bound is None:
            raise BadOperandError("bad-operand", "this operator wants a number or a date", bound_hint(wanted))
        return _dates(verdict, bound) if isinstance(bound, date) else _numbers(verdict, bound)

    return make


def _numbers(verdict: Verdict, bound: float) -> Predicate:
    def holds(seen: Json) -> bool:
        if isinstance(seen, int | float):
            return not isinstance(seen, bool) and verdict(seen, bound)
        return isinstance(seen, list) and any(map(holds, seen))

    return holds


def _dates(verdict: Verdict, bound: date) -> Predicate:
    def holds(seen: Json) -> bool:
        if isinstance(seen, list):
            return any(map(holds, seen))
        pair = _comparable(_ordered(seen), bound)
        return pair is not None and verdict(*pair)

    return holds


# The operators that look at the current value


def _eq(wanted: Json) -> Predicate:
    value = _scalar(wanted)
    return lambda seen: equal(seen, value)


def _in(wanted: Json) -> Predicate:
    values = _scalars(wanted)
    return lambda seen: any(equal(seen, value) for value in values)


def _not(make: Callable[[Json], Predicate]) -> Callable[[Json], Predicate]:
    def negated(wanted: Json) -> Predicate:
        holds = make(wanted)
        return lambda seen: not holds(seen)

    return negated


def _of_text(verdict: Callable[[str, str], bool]) -> Callable[[Json], Predicate]:
    def make(wanted: Json) -> Predicate:
        text = _text(wanted)
        return lambda seen: any(verdict(found, text) for found in _texts(seen))

    return make


def _matches(wanted: Json) -> Predicate:
    search = _pattern(wanted)
    return lambda seen: search([seen] if isinstance(seen, str) else list(_texts(seen)))


def _texts(seen: Json) -> Iterator[str]:
    if isinstance(seen, str):
        yield seen
    elif isinstance(seen, list):
        for item in seen:
            yield from _texts(item)


def _exists(wanted: Json) -> Predicate:
    exists = _flag(wanted)
    return lambda seen: is_empty(seen) != exists


PREDICATES: Mapping[str, Callable[[Json], Predicate]] = {
    "eq": _eq,
    "ne": _not(_eq),
    "in": _in,
    "not_in": _not(_in),
    "gt": _by_order(lambda seen, bound: bool(seen > bound)),
    "gte": _by_order(lambda seen, bound: bool(seen >= bound)),
    "lt": _by_order(lambda seen, bound: bool(seen < bound)),
    "lte": _by_order(lambda seen, bound: bool(seen <= bound)),
    "contains": _of_text(lambda seen, text: text in seen),
    "starts_with": _of_text(str.startswith),
    "ends_with": _of_text(str.endswith),
    "matches": _matches,
    "exists": _exists,
}
"""Operators that look at the current value alone."""


# The operators that compare with the last state


def _from(wanted: Json) -> Transition:
    values = _one_or_more(wanted)
    return lambda before, after: any(equal(before, value) and not equal(after, value) for value in values)


def _to(wanted: Json) -> Transition:
    values = _one_or_more(wanted)
    if len(values) == 1:
        return lambda before, after: equal(after, values[0]) and not equal(before, values[0])
    return lambda before, after: any(equal(after, value) and not equal(before, value) for value in values)


def _changed(wanted: Json) -> Transition:
    changed = _flag(wanted)
    return lambda before, after: (not same(before, after)) == changed


def _moved(verdict: Verdict) -> Callable[[Json], Transition]:
    def make(wanted: Json) -> Transition:
        moved = _flag(wanted)

        def holds(before: Json, after: Json) -> bool:
            pair = _comparable(_ordered(before), _ordered(after))
            return (pair is not None and verdict(*pair)) == moved

        return holds

    return make


TRANSITIONS: Mapping[str, Callable[[Json], Transition]] = {
    "from": _from,
    "to": _to,
    "changed": _changed,
    "increased": _moved(lambda before, after: bool(after > before)),
    "decreased": _moved(lambda before, after: bool(after < before)),
}
"""Operators that compare the last state with the current one."""

OPERATORS: tuple[str, ...] = (*PREDICATES, *TRANSITIONS)

BARE: frozenset[str] = frozenset({"changed", "increased", "decreased"})
"""Operators that may stand alone, as ``path: changed``."""
