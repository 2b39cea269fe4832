"""Each operator against an oracle in plain Python, and the operands that each refuses."""

import operator
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.document import is_empty, same
from bridge.model import Json
from bridge.routing.operators import BARE, OPERATORS, PREDICATES, TRANSITIONS, BadOperandError
from tests.routing.building import json_values

SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([0.5, 2.0, "", "a", "ab", "1", "2026-11-24"])
NUMBERS = st.integers(-9, 9) | st.floats(-9, 9)


def flat(value: Json) -> list[Json]:
    """Return what a matcher may look at: the value, or whatever is in a list, at any depth."""
    if isinstance(value, list) and value:
        return [leaf for item in value for leaf in flat(item)]
    return [value]


def equals(seen: Json, wanted: Json) -> bool:
    def one(leaf: Json) -> bool:
        if is_empty(leaf) or is_empty(wanted):
            return is_empty(leaf) and is_empty(wanted)
        return _kind(leaf) == _kind(wanted) and leaf == wanted

    return any(one(leaf) for leaf in flat(seen))


def _kind(value: Json) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


@given(json_values(), SCALARS)
def test_eq_and_ne(seen: Json, wanted: Json) -> None:
    assert PREDICATES["eq"](wanted)(seen) is equals(seen, wanted)
    assert PREDICATES["ne"](wanted)(seen) is not equals(seen, wanted)


@given(json_values(), st.lists(SCALARS, min_size=1, max_size=4))
def test_in_and_not_in(seen: Json, wanted: list[Json]) -> None:
    expected = any(equals(seen, value) for value in wanted)
    assert PREDICATES["in"](wanted)(seen) is expected
    assert PREDICATES["not_in"](wanted)(seen) is not expected


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


@pytest.mark.parametrize("name", COMPARISONS)
@given(json_values() | NUMBERS, NUMBERS)
def test_numbers_are_ordered_among_numbers(name: str, seen: Json, bound: float) -> None:
    numbers = [leaf for leaf in flat(seen) if _kind(leaf) == "number"]
    assert PREDICATES[name](bound)(seen) is any(COMPARISONS[name](number, bound) for number in numbers)


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds the zone)
DATES = st.dates(date(2025, 1, 1), date(2025, 1, 9))


@pytest.mark.parametrize("name", COMPARISONS)
@given(MOMENTS, MOMENTS)
def test_moments_are_ordered_by_instant(name: str, seen: datetime, bound: datetime) -> None:
    assert PREDICATES[name](bound.isoformat())(seen.isoformat()) is COMPARISONS[name](seen, bound)


@pytest.mark.parametrize("name", COMPARISONS)
@given(DATES, DATES)
def test_dates_are_ordered_by_day(name: str, seen: date, bound: date) -> None:
    assert PREDICATES[name](bound.isoformat())(seen.isoformat()) is COMPARISONS[name](seen, bound)
    assert PREDICATES[name](bound.isoformat())(f"{seen}T23:59:59-03:00") is COMPARISONS[name](seen, bound)
    assert PREDICATES[name](f"{bound}T00:00:00-03:00")(seen.isoformat()) is COMPARISONS[name](seen, bound)


def test_a_moment_without_an_offset_counts_as_utc() -> None:
    assert PREDICATES["gte"]("2026-11-24T12:00:00Z")("2026-11-24T12:00:00")
    assert not PREDICATES["gt"]("2026-11-24T12:00:00Z")("2026-11-24T12:00:00")


@pytest.mark.parametrize(
    "seen", ["20261124", "2026-W48-2", "2026-13-40", "2026-11-24Tnoon", "12:00", 5, None, {}, True]
)
def test_what_is_no_date_is_neither_before_nor_after_one(seen: Json) -> None:
    assert not any(PREDICATES[name]("2026-11-24")(seen) for name in COMPARISONS)


@pytest.mark.parametrize("name", COMPARISONS)
def test_any_date_of_a_list_is_enough(name: str) -> None:
    assert PREDICATES[name]("2026-11-24")([None, "2026-11-23", "2026-11-25"])


TEXTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda seen, text: text in seen,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "matches": lambda seen, text: re.search(text, seen) is not None,
}


@pytest.mark.parametrize("name", TEXTS)
@given(json_values() | st.text("ab", max_size=6), st.text("ab", min_size=1, max_size=3))
def test_texts_are_searched(name: str, seen: Json, text: str) -> None:
    texts = [leaf for leaf in flat(seen) if isinstance(leaf, str)]
    assert PREDICATES[name](text)(seen) is any(TEXTS[name](found, text) for found in texts)


@given(json_values())
def test_exists_is_the_opposite_of_empty(seen: Json) -> None:
    assert PREDICATES["exists"](True)(seen) is not is_empty(seen)
    assert PREDICATES["exists"](False)(seen) is is_empty(seen)


@given(json_values(), json_values(), st.lists(SCALARS, min_size=1, max_size=3))
def test_from_and_to_mirror_each_other(before: Json, after: Json, wanted: list[Json]) -> None:
    arrived = any(equals(after, value) and not equals(before, value) for value in wanted)
    assert TRANSITIONS["to"](wanted)(before, after) is arrived
    assert TRANSITIONS["from"](wanted)(after, before) is arrived
    single = equals(after, wanted[0]) and not equals(before, wanted[0])
    assert TRANSITIONS["to"](wanted[0])(before, after) is single


@given(json_values(), json_values())
def test_changed_knows_that_empty_equals_empty(before: Json, after: Json) -> None:
    assert TRANSITIONS["changed"](True)(before, after) is not same(before, after)
    assert TRANSITIONS["changed"](False)(before, after) is same(before, after)


@given(json_values() | NUMBERS, json_values() | NUMBERS)
def test_increased_and_decreased_look_at_numbers(before: Any, after: Any) -> None:
    numbers = _kind(before) == _kind(after) == "number"
    assert TRANSITIONS["increased"](True)(before, after) is (numbers and after > before)
    assert TRANSITIONS["decreased"](True)(before, after) is (numbers and after < before)
    assert TRANSITIONS["increased"](False)(before, after) is not (numbers and after > before)


def test_a_date_moves_too() -> None:
    assert TRANSITIONS["increased"](True)("2026-11-24T10:00:00-03:00", "2026-11-24T14:00:00Z")
    assert TRANSITIONS["decreased"](True)("2026-11-24", "2026-11-23")
    assert not TRANSITIONS["increased"](True)("2026-11-24", 5)
    assert not TRANSITIONS["increased"](True)("2026-11-24", None)


REFUSED: list[tuple[str, Any]] = [
    *[(name, {"a": 1}) for name in ("eq", "ne", "to", "from")],
    ("eq", ["a"]),
    ("ne", ["a"]),
    ("to", []),
    ("from", [["a"]]),
    ("in", "a"),
    ("in", []),
    ("in", [{"a": 1}]),
    ("not_in", None),
    *[(name, wanted) for name in COMPARISONS for wanted in ("tomorrow", True, None, [5], "")],
    *[(name, wanted) for name in TEXTS for wanted in ("", 5, None, ["a"])],
    *[(name, wanted) for name in ("exists", "changed", "increased", "decreased") for wanted in ("true", 1, None)],
]


@pytest.mark.parametrize(("name", "wanted"), REFUSED)
def test_an_operand_that_makes_no_sense_is_refused(name: str, wanted: Json) -> None:
    maker = {**PREDICATES, **TRANSITIONS}[name]
    with pytest.raises(BadOperandError) as refused:
        maker(wanted)
    code, message, hint = refused.value.args
    assert code == "bad-operand"
    assert message
    assert hint


@pytest.mark.parametrize("pattern", ["(", "[z-a]", "*", "a{2,1}", "(?P<n", "a{1001}"])
def test_a_broken_regular_expression_is_told_as_such(pattern: str) -> None:
    with pytest.raises(BadOperandError) as refused:
        PREDICATES["matches"](pattern)
    assert refused.value.args[0] == "bad-regex"


def test_the_operators_are_those_of_the_language() -> None:
    language = """
        eq ne in not_in gt gte lt lte contains starts_with ends_with matches exists from to changed increased decreased
    """
    assert set(OPERATORS) == set(language.split())
    assert set(OPERATORS) > BARE
