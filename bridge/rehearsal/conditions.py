"""What `on` and `match` ask of a change, as the alternatives that a change may meet it by."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias

from bridge.model import Json
from bridge.options import Loc
from bridge.routing.matcher import BLOCKS, shorthand

MOST: Final = 256
"""Alternatives that are looked through; rules with more are taken to be meetable."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One operator on one path, and whether it has to hold or must not. ``loc`` is where it stands in the rules."""

    path: str
    operator: str
    wanted: Json
    loc: Loc
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """One alternative: all its clauses together. ``parts`` are the places of the blocks of `any` that it is one of."""

    clauses: tuple[Clause, ...] = ()
    parts: frozenset[Loc] = frozenset()


Cases: TypeAlias = Sequence[Case]


class TooManyError(Exception):
    """There are more alternatives than are looked through."""


def cases(block: Json, loc: Loc) -> Cases:
    """Return the alternatives of a sound match block.

    Raises:
        TooManyError: there are more than ``MOST``.
    """
    return _block(block, loc, holds=True)


def both(first: Cases, second: Cases) -> Cases:
    """Return the alternatives in which one of the first and one of the second are met; raises TooManyError."""
    return _every((first, second))


def _block(block: Json, loc: Loc, *, holds: bool) -> Cases:
    members = block.items() if isinstance(block, dict) else ()
    found = [each for key, wanted in members for each in _member(key, wanted, (*loc, key), holds=holds)]
    return _every(found) if holds else _some(found)


def _member(key: str, wanted: Json, loc: Loc, *, holds: bool) -> Iterator[Cases]:
    if key not in BLOCKS:
        yield from ((Case((clause,)),) for clause in _clauses(key, wanted, loc, holds=holds))
    elif key == "not":
        yield _block(wanted, loc, holds=not holds)
    else:
        blocks = [_block(each, (*loc, index), holds=holds) for index, each in enumerate(_items(wanted))]
        if key == "any" and holds:
            blocks = [_marked(each, (*loc, index)) for index, each in enumerate(blocks)]
        yield _every(blocks) if (key == "all") is holds else _some(blocks)


def _clauses(path: str, wanted: Json, loc: Loc, *, holds: bool) -> Iterator[Clause]:
    if isinstance(wanted, dict):
        yield from (Clause(path, operator, operand, (*loc, operator), holds) for operator, operand in wanted.items())
    else:
        yield Clause(path, *shorthand(wanted), loc, holds)


def _items(wanted: Json) -> list[Json]:
    return wanted if isinstance(wanted, list) else []


def _marked(block: Cases, loc: Loc) -> Cases:
    return tuple(Case(case.clauses, case.parts | {loc}) for case in block)


def _some(alternatives: Iterable[Cases]) -> Cases:
    return tuple(case for each in alternatives for case in each)


def _every(alternatives: Iterable[Cases]) -> Cases:
    found: Cases = (Case(),)
    for each in alternatives:
        if len(found) * len(each) > MOST:
            raise TooManyError
        found = tuple(
            Case(left.clauses + right.clauses, left.parts | right.parts) for left, right in product(found, each)
        )
    return found
