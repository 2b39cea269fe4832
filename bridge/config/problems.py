"""The problems of a rules file, each placed where its defect stands."""

from collections.abc import Callable

from bridge.options import Loc, Located, Place, Problem, Report

_AT_KEY = frozenset({"unknown-key", "unknown-operator", "unknown-field"})
"""Defects that lie in a key; all others lie in a value."""
_FOLLOWING = frozenset({"missing-key", "wrong-type", "bad-value"})
"""Defects that a part of the document may seem to have when some of it could not be read."""


class Problems:
    """Collects problems and warnings, and remembers which parts of the document are broken."""

    def __init__(self, located: Located) -> None:
        """Start with the problems of the file's writing."""
        self.located = located
        self.found = list(located.problems)
        self.warnings: list[Problem] = []
        self._broken: set[Loc] = set(located.unreadable)

    def add(self, loc: Loc, code: str, message: str, hint: str = "", *, key: bool = False) -> None:
        """Record a problem at a value, or at its key, unless it only follows from what cannot be read there."""
        if code in _FOLLOWING and any(_touch(loc, bad) for bad in self.located.unreadable):
            return
        place = self.located.key(loc) if key else self.located.value(loc)
        self.add_at(place, loc, code, message, hint)

    def add_in_text(self, loc: Loc, line: int, word: str, problem: tuple[str, str, str]) -> None:
        """Record a problem (code, message, hint) at a word in a line (from 1) of a text of the document."""
        self.add_at(self.located.within(loc, line, word), loc, *problem)

    def add_at(self, place: Place, loc: Loc, code: str, message: str, hint: str = "") -> None:
        """Record a problem that stands elsewhere, such as in a template file, and breaks this part of the document."""
        self.found.append(Problem(place, code, message, hint))
        self._broken.add(loc)

    def warn(self, loc: Loc, code: str, message: str, hint: str = "") -> None:
        """Record what works, but hardly as it was meant."""
        self.warn_at(self.located.key(loc), code, message, hint)

    def warn_at(self, place: Place, code: str, message: str, hint: str = "") -> None:
        """Record likewise what stands elsewhere, such as in a template file."""
        self.warnings.append(Problem(place, code, message, hint))

    def take_over(self, part: "Problems", moved: Callable[[Loc], Loc]) -> None:
        """Record what was found in a part of the document before it was put here; ``moved`` says where that is."""
        self.found += part.found
        self.warnings += part.warnings
        self._broken |= {moved(loc) for loc in part._broken}  # noqa: SLF001 (its own kind)

    def under(self, prefix: Loc) -> Report:
        """Return a report for a part of the document: it takes the way from there."""

        def report(loc: Loc, code: str, message: str, hint: str) -> None:
            self.add((*prefix, *loc), code, message, hint, key=code in _AT_KEY)

        return report

    def broken(self, loc: Loc) -> bool:
        """Tell whether this value, one inside it or one around it has a problem."""
        return any(_touch(loc, bad) for bad in self._broken)


def _touch(one: Loc, other: Loc) -> bool:
    """Tell whether two places are the same, or one lies inside the other."""
    return one[: len(other)] == other or other[: len(one)] == one
