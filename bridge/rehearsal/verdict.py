"""What a failure in a rehearsal comes to: a mistake, a warning, or nothing that anybody can be sure of."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.config.templates import FOLDER, Spot, place_in_file
from bridge.options import Place
from bridge.rehearsal.editing import PREVIOUS
from bridge.rehearsal.rehearsing import Failure
from bridge.rehearsal.scenes import is_open
from bridge.rendering import TemplateFailedError

FAILS: Final = "template-fails"
MAY_FAIL: Final = "template-may-fail"
ASK: Final = "give it a value with `| default(…)`, or ask first with `{% if … %}`"
LET_MATCH: Final = "let `match` ask for it first: `{exists: true}`"
_QUOTED: Final = re.compile(r'"([^"]+)"')


class Verdicts:
    """Reports failures, each at its place, and once however many routes and scenes it meets."""

    def __init__(self, problems: Problems) -> None:
        """Take where problems go."""
        self._problems = problems
        self._folder = Path(problems.located.file).parent / FOLDER
        self._certain: dict[Place, Failure] = {}
        self._possible: dict[Place, Failure] = {}

    def take(self, failures: Iterable[Failure]) -> None:
        """Take what failed; the first failure at a place is the one that is told."""
        for failure in failures:
            kept = self._kept(failure)
            if kept is not None:
                kept.setdefault(self._place(failure), failure)

    def report(self) -> None:
        """Report what was taken."""
        for place, failure in self._certain.items():
            self._problems.add_at(place, failure.piece.loc, FAILS, self._message(failure))
        for place, failure in self._possible.items():
            if place not in self._certain:
                hint = LET_MATCH if failure.piece.is_when else ASK
                self._problems.warn_at(place, MAY_FAIL, self._message(failure), hint)

    def _kept(self, failure: Failure) -> dict[Place, Failure] | None:
        """Return where a failure belongs; what only nobody knows of may be to blame belongs nowhere."""
        lack = _lack(failure)
        if lack == "name":
            return self._certain if failure.sure else self._possible
        if failure.scene.whole and _uses_what_is_open(failure):
            return None
        wanting = lack == "value" or not failure.scene.whole or _lacks_something(failure)
        if not failure.sure:
            return None if wanting and failure.scene.whole else self._possible
        return self._possible if wanting else self._certain

    def _message(self, failure: Failure) -> str:
        error = failure.error
        why = error.message if isinstance(error, TemplateFailedError) else str(error)
        what = describe(self._problems.located.data, failure.piece.loc)
        doubt = "" if failure.sure else ", which the route may not match"
        return f"{what} fails with {failure.scene.told}{doubt}: {why}"

    def _place(self, failure: Failure) -> Place:
        piece, error, located = failure.piece, failure.error, self._problems.located
        if not isinstance(error, TemplateFailedError):
            return located.value(piece.loc)
        if error.name != piece.name:
            spots = [Spot(error.name, error.line, word) for word in (*_words(failure, error.name), "")]
            return max((place_in_file(self._folder, spot) for spot in spots), key=lambda place: place.column > 1)
        places = [located.within(piece.loc, error.line, word) for word in (*_words(failure, ""), "")]
        return next((place for place in places if place != places[-1]), places[-1])


def _words(failure: Failure, file: str) -> Iterator[str]:
    """Yield what may stand where a piece failed: what the error names, then what the line speaks of."""
    error = failure.error
    if isinstance(error, TemplateFailedError):
        yield from _QUOTED.findall(error.message)[:1]
        used = (each for each in failure.piece.used if (each.file, each.line) == (file, error.line))
        yield from (".".join(each.path) for each in used)


def _lack(failure: Failure) -> str | None:
    return failure.error.lack if isinstance(failure.error, TemplateFailedError) else None


def _uses_what_is_open(failure: Failure) -> bool:
    """Tell whether a piece uses a field of which nobody knows what it holds, or hands the whole entity to a filter."""
    roots = {failure.scene.kind, PREVIOUS}
    fields = [used.path[1:] for used in failure.piece.used if used.path[0] in roots]
    return any(not path or is_open(failure.scene.shape, ".".join(path)) for path in fields)


def _lacks_something(failure: Failure) -> bool:
    return any(failure.scene.lacks(used.path[0], ".".join(used.path[1:])) for used in failure.piece.used)
