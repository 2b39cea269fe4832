"""Which values a field would have to have, before and after, so that a change meets what is asked of it."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from bridge.errors import MatchError
from bridge.model import Json, JsonObject
from bridge.rehearsal.conditions import Case, Clause
from bridge.rehearsal.values import TEXTS, AnyText, is_decided, tried
from bridge.routing.operators import PREDICATES, TRANSITIONS

Meets = Callable[[Json, Json], bool]
"""Judges what was before and what is after."""
ARRIVES: Final = "to"
"""The one operator that can agree where nothing was known before."""


class Values(NamedTuple):
    """What a field was before and is after."""

    before: Json
    after: Json


def by_path(case: Case) -> Mapping[str, Sequence[Clause]]:
    """Return the clauses about each field."""
    found: dict[str, list[Clause]] = defaultdict(list)
    for clause in case.clauses:
        found[clause.path].append(clause)
    return found


def conflict(case: Case, shapes: Sequence[JsonObject]) -> Sequence[Clause]:
    """Return clauses about one field that nothing can meet together; none if there may be a change that meets all.

    Only fields that hold one value in all ``shapes`` are judged: a list is met by any of its items. What one clause
    asks for alone there always is.
    """
    judged = {
        path: clauses
        for path, clauses in by_path(case).items()
        if len(clauses) > 1 and is_decided(clauses) and all(holds_one_value(shape, path) for shape in shapes)
    }
    later = next((clauses for clauses in judged.values() if not _can_be(clauses)), ())
    unseen = [clause for clause in case.clauses if _needs_last_state(clause)]
    if later and not unseen:
        return next((clauses for clauses in judged.values() if not _can_be(clauses, first_sight=True)), ())
    return later


def holds_one_value(shape: Json, path: str) -> bool:
    """Tell whether a path leads to a single value in a shape, past no list and into nothing open."""
    for segment in path.split("."):
        if not isinstance(shape, dict) or segment not in shape:
            return False
        shape = shape[segment]
    return shape is None


def solution(clauses: Sequence[Clause], now: Values, *, first_sight: bool) -> Values | None:
    """Return values that meet all these clauses about one field, those of ``now`` if they do; None for want of any."""
    return next(_meeting(clauses, now, first_sight=first_sight), None)


def _needs_last_state(clause: Clause) -> bool:
    return clause.holds and clause.operator in TRANSITIONS and clause.operator != ARRIVES


def _can_be(clauses: Sequence[Clause], *, first_sight: bool = False) -> bool:
    return any(True for _ in _meeting(clauses, None, first_sight=first_sight))


def _meeting(clauses: Sequence[Clause], now: Values | None, *, first_sight: bool) -> Iterator[Values]:
    moves = [_at_first_sight(each) if first_sight else _moves(each) for each in clauses if each.operator in TRANSITIONS]
    stands = [_stands(each) for each in clauses if each.operator in PREDICATES]
    if now and all(meets(*now) for meets in (*stands, *moves)):
        yield now
    before = list(tried(clauses, [now.before] if now else ())) if moves and not first_sight else [None]
    for new in tried(clauses, [now.after] if now else ()):
        if all(meets(None, new) for meets in stands):
            yield from (Values(old, new) for old in before if all(meets(old, new) for meets in moves))


def _stands(clause: Clause) -> Meets:
    holds = PREDICATES[clause.operator](clause.wanted)

    def meets(_: Json, value: Json) -> bool:
        if isinstance(value, AnyText) and clause.operator in TEXTS:
            return True
        try:
            return holds(value) == clause.holds
        except MatchError:
            return True

    return meets


def _moves(clause: Clause) -> Meets:
    moved = TRANSITIONS[clause.operator](clause.wanted)
    return lambda before, after: moved(before, after) == clause.holds


def _at_first_sight(clause: Clause) -> Meets:
    """A move to a value counts where the document dates it, which it may or may not; no other move does."""
    if not clause.holds:
        return lambda *_: True
    moved = TRANSITIONS[clause.operator](clause.wanted)
    return lambda _, after: clause.operator == ARRIVES and moved(None, after)
