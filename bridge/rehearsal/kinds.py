"""Values of a kind that a field never has: rules that ask for them match nothing, or not what was meant."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from bridge.component import AnySource
from bridge.config.problems import Problems
from bridge.document import CUSTOM, is_empty, lookup
from bridge.model import Json, JsonObject
from bridge.options import Loc
from bridge.rehearsal.conditions import Clause
from bridge.rehearsal.reach import Asked
from bridge.routing.matcher import AS_SENT
from bridge.routing.spoken import plain_number

Example: TypeAlias = Callable[[AnySource, str], JsonObject]
"""Gives a document of a kind with something in each of its fields."""
UNKNOWN_VALUE: Final = "unknown-value"
SIGNS: Final = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "!=": "ne", "=": "eq", "==": "eq"}
PRESENT: Final = frozenset({"exists", "changed"})
"""The operators that ask for no value."""
_SIGNED: Final = re.compile(r"\s*([<>]=?|!=|==?)\s*(.+?)\s*")
_PLAIN: Final = re.compile(r"-?\d+(?:\.\d+)?")
_GROUPED: Final = re.compile(r"(\d{1,3})\.(\d{3})(?![\d.])")
"""A number that Brazilians read as thousands."""


def warn_of_kinds(asked: Sequence[Asked], sources: Sequence[AnySource], example: Example, problems: Problems) -> None:
    """Warn of numbers that are written as texts, of thousands with a point, and of a part where there are several."""
    found: dict[Loc, tuple[Clause, set[str]]] = {}
    for each in asked:
        for clause in (clause for case in each.cases for clause in case.clauses):
            found.setdefault(clause.loc, (clause, set()))[1].add(each.event)
    for clause, events in found.values():
        if clause.path.split(".", 1)[0] not in {CUSTOM, AS_SENT}:  # what an account's own fields hold, nobody knows
            seen = list(_examples(events, clause.path, sources, example))
            _warn_of_text(clause, seen, problems)
            _warn_of_parts(clause, seen, problems)
        _warn_of_thousands(clause, problems)


def _examples(events: Iterable[str], path: str, sources: Sequence[AnySource], example: Example) -> Iterator[Json]:
    """Yield what the field holds in examples of what these events are about."""
    for source in sources:
        for kind in {source.events[event] for event in events if event in source.events}:
            if not is_empty(value := lookup(example(source, kind), path)):
                yield value


def _warn_of_text(clause: Clause, seen: Sequence[Json], problems: Problems) -> None:
    """Warn of a text that is compared with a number, with or without a sign before it."""
    for wanted in _texts(clause):
        message = f'"{clause.path}" is compared with the text "{wanted}"'
        signed = _SIGNED.fullmatch(wanted)
        number = _number(signed[2] if signed else wanted)
        if signed and number and clause.operator == "eq":
            hint = f"to compare with the number write `{clause.path}: {{{SIGNS[signed[1]]}: {number}}}`"
            problems.warn(clause.loc, UNKNOWN_VALUE, message, hint)
        elif seen and all(isinstance(value, int | float) for value in seen):
            hint = f"write the number {number}, without quotes" if number else "it is a number"
            problems.warn(clause.loc, UNKNOWN_VALUE, message, hint)


def _texts(clause: Clause) -> Iterator[str]:
    wanted = clause.wanted if isinstance(clause.wanted, list) else [clause.wanted]
    yield from (value for value in wanted if isinstance(value, str) and value and clause.operator not in PRESENT)


def _number(text: str) -> str | None:
    return text if _PLAIN.fullmatch(text) else plain_number(text)


def _warn_of_parts(clause: Clause, seen: Sequence[Json], problems: Problems) -> None:
    """Warn of a value where there are several under names of their own."""
    parts = next((value for value in seen if isinstance(value, dict)), None)
    if parts and clause.operator not in PRESENT and not is_empty(clause.wanted):
        part = "name" if "name" in parts else min(parts)
        message = f'"{clause.path}" holds {", ".join(sorted(parts))}, and no value of its own'
        problems.warn(clause.loc, UNKNOWN_VALUE, message, f'write "{clause.path}.{part}"')


def _warn_of_thousands(clause: Clause, problems: Problems) -> None:
    """Warn of a number that is a thousand times as small as it may be meant."""
    if isinstance(clause.wanted, float):
        place = problems.located.value(clause.loc)
        written = _GROUPED.match(problems.located.lines[place.file][place.line - 1][place.column - 1 :])
        if written:
            message = f"{written[0]} is {clause.wanted:g}: the point begins the fraction"
            problems.warn(clause.loc, UNKNOWN_VALUE, message, f"if thousands are meant, write {written[1]}{written[2]}")
