"""Several files as one document, each part of which knows in which file it stands."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias, TypeVar

from bridge.config.problems import Problems
from bridge.model import Json, JsonObject
from bridge.options import Loc, Located

Move: TypeAlias = Callable[[Loc], Loc]
"""Says where something of a part stands in the whole."""
PlaceT = TypeVar("PlaceT")


def merged(main: Problems, parts: Iterable[Problems]) -> Problems:
    """Return the document that a file and those it includes are together, with all that is wrong in them.

    A name that stands in two of them is reported; the one that comes first stays.
    """
    merger = _Merger(main)
    for part in parts:
        merger.add(part)
    return merger.whole()


class _Merger:
    """Adds one file after the other."""

    def __init__(self, main: Problems) -> None:
        located = main.located
        self._file = located.file
        self._document = dict(located.data) if isinstance(located.data, dict) else {}
        self._keys, self._values, self._ends = dict(located.keys), dict(located.values), dict(located.ends)
        self._lines = dict(located.lines)
        self._literals, self._unreadable = set(located.literals), set(located.unreadable)
        self._found: list[tuple[Problems, Move]] = [(main, lambda loc: loc)]

    def add(self, part: Problems) -> None:
        data = part.located.data
        shifts: dict[str, int] = {}
        for section, content in data.items() if isinstance(data, dict) else ():
            if isinstance(content, list):
                shifts[section] = self._append(section, content)
            elif isinstance(content, dict):
                self._join(section, content, part)
        move = _mover(shifts)
        self._found.append((part, move))
        self._take_places(part.located, move)

    def whole(self) -> Problems:
        made = Problems(
            Located(
                self._file,
                self._document,
                keys=self._keys,
                values=self._values,
                literals=frozenset(self._literals),
                ends=self._ends,
                lines=self._lines,
                unreadable=frozenset(self._unreadable),
            )
        )
        for problems, move in self._found:
            made.take_over(problems, move)
        return made

    def _append(self, section: str, content: list[Json]) -> int:
        """Add the items of a list, and return how many come before them."""
        before = self._document.get(section, [])
        if not isinstance(before, list):
            return 0
        self._document[section] = [*before, *content]
        return len(before)

    def _join(self, section: str, content: JsonObject, part: Problems) -> None:
        before = self._document.get(section, {})
        if not isinstance(before, dict):
            return
        for name in content.keys() & before.keys():
            hint = f"first at {self._keys[section, name]}"
            part.add((section, name), "repeated-name", f'two {section} are called "{name}"', hint, key=True)
        self._document[section] = before | {name: content[name] for name in content if name not in before}

    def _take_places(self, part: Located, move: Move) -> None:
        """Take where the values of a part stand; where something stands already, it stays."""
        self._lines |= part.lines
        self._literals |= set(map(move, part.literals))
        self._unreadable |= set(map(move, part.unreadable))
        _fill(self._keys, part.keys, move)
        _fill(self._values, part.values, move)
        _fill(self._ends, part.ends, move)


def _fill(places: dict[Loc, PlaceT], more: Mapping[Loc, PlaceT], move: Move) -> None:
    for loc, place in more.items():
        places.setdefault(move(loc), place)


def _mover(shifts: Mapping[str, int]) -> Move:
    def move(loc: Loc) -> Loc:
        if len(loc) > 1 and isinstance(loc[1], int):
            return (loc[0], loc[1] + shifts.get(str(loc[0]), 0), *loc[2:])
        return loc

    return move
