"""The values that are worth trying for one field: between them, every verdict of its operators can come about.

An operator can tell apart only what it names. So of numbers there are those that are named and a few between them, of
dates likewise, and of all else what is named, nothing, and a few that nobody names.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import chain, count, islice, pairwise
from typing import Final

from bridge.model import Json
from bridge.rehearsal.conditions import Clause
from bridge.rehearsal.patterns import text_for

ORDERS: Final = frozenset({"gt", "gte", "lt", "lte"})
TEXTS: Final = frozenset({"contains", "starts_with", "ends_with", "matches"})
DIRECTIONS: Final = frozenset({"increased", "decreased"})
_BARE: Final = (True, False, None)
FEW: Final = (0.25, 0.5, 0.625)
"""Where between two numbers others are tried."""


class AnyText(str):
    """A text of which it is not told what it holds: it may satisfy whatever looks into texts, and may not."""

    __slots__ = ()


def tried(clauses: Sequence[Clause], first: Iterable[Json] = ()) -> Iterator[Json]:
    """Yield the values to try for a field that these clauses are about, beginning with some that are preferred."""
    named = [value for clause in clauses for value in _named(clause)]
    return _once(chain(first, named, _pieces(clauses), _unnamed(named), _numbers(named), _dates(named), _BARE))


def is_decided(clauses: Sequence[Clause]) -> bool:
    """Tell whether the values to try leave none out that could matter.

    Moments are in any zone, and count by their day beside a bare date: not all that they can be is tried. What is
    looked for in a text may be in a date too, and not all of those are tried either.
    """
    bounds = [clause.wanted for clause in clauses if clause.operator in ORDERS]
    ordered = bool(bounds) or any(clause.operator in DIRECTIONS for clause in clauses)
    moments = any(isinstance(bound, str) and _date(bound) is None for bound in bounds)
    return not moments and not (ordered and any(clause.operator in TEXTS for clause in clauses))


def _named(clause: Clause) -> list[Json]:
    if clause.operator in TEXTS or isinstance(clause.wanted, bool):
        return []
    return clause.wanted if isinstance(clause.wanted, list) else [clause.wanted]


def _pieces(clauses: Sequence[Clause]) -> Iterator[Json]:
    """Yield texts made of those that are looked for: each alone, and all in one."""
    wanted: dict[str, list[str]] = {name: [] for name in TEXTS}
    for clause in clauses:
        if clause.operator in TEXTS and clause.holds:
            looked_for = text_for(str(clause.wanted)) if clause.operator == "matches" else str(clause.wanted)
            wanted[clause.operator] += [] if looked_for is None else [looked_for]
    pieces = [*wanted["starts_with"], *wanted["contains"], *wanted["matches"], *wanted["ends_with"]]
    if len(pieces) > 1:
        yield " ".join(pieces)
    yield from pieces


def _unnamed(named: Sequence[Json]) -> Iterator[AnyText]:
    """Yield two texts that nobody names."""
    return islice((AnyText(text) for number in count(1) if (text := f"um texto {number}") not in named), 2)


def _numbers(named: Iterable[Json]) -> Iterator[float]:
    found = sorted({0, *(value for value in named if isinstance(value, int | float) and not isinstance(value, bool))})
    yield from (found[0] - step for step in (1, 2, 3))
    for before, after in pairwise(found):
        yield from (before + step for step in (1, 2, 3) if before + step < after)
        yield from (before + (after - before) * part for part in FEW)
    yield from (found[-1] + step for step in (1, 2, 3))


def _dates(named: Iterable[Json]) -> Iterator[str]:
    """Yield the days around those that are named, and moments of them: a day is two values that come to the same."""
    known = (date(2026, 11, 24), *filter(None, map(_date, named)))
    days = {each + timedelta(days=step) for each in known for step in (-2, -1, 0, 1, 2)}
    for day in sorted(days):
        yield day.isoformat()
        yield from (f"{day.isoformat()}T{hour}:00:00-03:00" for hour in ("09", "15"))


def _date(value: Json) -> date | None:
    """Return a bare date that is not at the ends of the calendar."""
    try:
        found = date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-11-24") else None
    except ValueError:
        return None
    return found if found and date.min.year < found.year < date.max.year else None


def _once(values: Iterable[Json]) -> Iterator[Json]:
    """Yield values each once; true and 1 are two, but 1 and 1.0 are one."""
    seen: set[tuple[bool, object]] = set()
    for value in values:
        marked = (isinstance(value, bool), repr(value) if isinstance(value, list | dict) else value)
        if marked not in seen:
            seen.add(marked)
            yield value
