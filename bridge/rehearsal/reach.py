"""Routes, and parts of them, that no event can ever meet."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.config.vocabulary import Vocabulary
from bridge.model import Json, JsonObject
from bridge.options import Loc
from bridge.rehearsal.conditions import Case, Cases, Clause, TooManyError, both, cases
from bridge.rehearsal.solving import conflict
from bridge.routing.route import Route

UNREACHABLE: Final = "unreachable"


class Asked(NamedTuple):
    """What an item of `on` asks of one event together with `match`: the cases, and of each why it cannot be met."""

    item: Loc
    event: str
    cases: Cases
    conflicts: Sequence[Sequence[Clause]]

    @property
    def reachable(self) -> Cases:
        """Return the cases that may be met."""
        return [case for case, why in zip(self.cases, self.conflicts, strict=True) if not why]


class Reach:
    """Tells what the routes of one file ask for, and warns of what can never be met."""

    def __init__(self, words: Vocabulary, problems: Problems) -> None:
        """Take what events hold, and where warnings go."""
        self._words = words
        self._problems = problems

    def asked(self, route: Route, written: JsonObject, loc: Loc) -> Sequence[Asked]:
        """Return what a route asks for, which is written so at this place in the rules."""
        match = _cases(written.get("match"), (*loc, "match"))
        return [
            self._asked(item, event, trigger, match)
            for item, name in _items(written.get("on"), (*loc, "on"))
            for events, trigger in self._heard(route, name, item)
            for event in sorted(events)
        ]

    def warn(self, asked: Sequence[Asked], loc: Loc) -> None:
        """Warn of a route that can never match, or else of the parts of it that cannot."""
        if not any(each.reachable for each in asked):
            self._warn_of_route(asked, loc)
            return
        items = dict.fromkeys(each.item for each in asked)
        for item in items:
            about = [each for each in asked if each.item == item]
            if not any(each.reachable for each in about):
                message = f"{self._name(item)} never comes to anything: {self._why(about)}"
                self._problems.warn(item, UNREACHABLE, message, "leave it out")
        for part in sorted(
            _parts(asked, lambda each: each.cases) - _parts(asked, lambda each: each.reachable), key=str
        ):
            message = f"{self._name(part)} can never hold"
            self._problems.warn(part, UNREACHABLE, message, "leave it out")

    def _warn_of_route(self, asked: Sequence[Asked], loc: Loc) -> None:
        clauses = next((why for each in asked for why in each.conflicts), ())
        own = [clause.loc for clause in clauses if clause.loc[: len(loc) + 1] == (*loc, "match")]
        place = own[-1] if own else (*loc, "match")
        message = f"{self._name(loc)} can never match: {self._why(asked)}"
        self._problems.warn(place, UNREACHABLE, message)

    def _asked(self, item: Loc, event: str, trigger: Cases | None, match: Cases | None) -> Asked:
        try:
            found = both(trigger, match) if trigger is not None and match is not None else (Case(),)
        except TooManyError:
            found = (Case(),)
        shapes = self._words.shapes.get(self._words.events[event], ())
        return Asked(item, event, found, [conflict(case, shapes) if shapes else () for case in found])

    def _heard(self, route: Route, name: str, item: Loc) -> Iterator[tuple[Iterable[str], Cases | None]]:
        for trigger in self._words.triggers.get(name, ()):
            yield trigger.events, _cases(trigger.match, item)
        if name not in self._words.triggers:
            yield from ((listener.events, (Case(),)) for listener in route.listeners if listener.name == name)

    def _why(self, asked: Sequence[Asked]) -> str:
        clauses = next((why for each in asked for why in each.conflicts), ())
        if not clauses:
            return "what `not` holds is always so"
        return f"nothing has {' with '.join(dict.fromkeys(map(_spelt, clauses)))}"

    def _name(self, loc: Loc) -> str:
        return describe(self._problems.located.data, loc)


def _cases(block: Json, loc: Loc) -> Cases | None:
    """Return the cases of a block, None if there are too many to look at."""
    try:
        return cases(block, loc)
    except TooManyError:
        return None


def _items(on: Json, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(on, list):
        yield from (((*loc, index), str(item)) for index, item in enumerate(on))
    else:
        yield loc, str(on)


def _parts(asked: Sequence[Asked], which: Callable[[Asked], Cases]) -> set[Loc]:
    return {part for each in asked for case in which(each) for part in case.parts}


def _spelt(clause: Clause) -> str:
    told = f"`{clause.path}: {{{clause.operator}: {json.dumps(clause.wanted, ensure_ascii=False)}}}`"
    return told if clause.holds else f"not {told}"
