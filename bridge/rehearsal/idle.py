"""What is written in the rules and says nothing, or says it twice."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import orjson

from bridge.component import AnySource
from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.document import unknown_segment
from bridge.model import Json, JsonObject
from bridge.options import Loc, did_you_mean
from bridge.rehearsal.conditions import Clause
from bridge.rehearsal.kinds import UNKNOWN_VALUE
from bridge.rehearsal.reach import Asked
from bridge.routing.route import Route
from bridge.routing.timing import Digest

NAMES_VALUES: Final = frozenset({"eq", "ne", "in", "not_in", "from", "to"})
"""The operators that name values which a field may have."""
CONDITIONS: Final = ("on", "match", "when", "debounce", "digest")
"""The keys of a route that say when it tells."""

_CURLY: Final = re.compile("[“”].*[“”]", re.DOTALL)


def warn_of_twins(routes: Sequence[JsonObject], problems: Problems) -> None:
    """Warn of every message that goes out twice: two entries say the same, at the same time, to the same target."""
    first: dict[bytes, Loc] = {}
    for number, route in enumerate(routes):
        when = {key: route.get(key) for key in CONDITIONS}
        entries = route.get("deliver")
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            loc: Loc = ("routes", number, "deliver", index)
            told = orjson.dumps([when, entry], option=orjson.OPT_SORT_KEYS)
            if first.setdefault(told, loc) != loc:
                one, other = (describe(problems.located.data, each) for each in (first[told], loc))
                problems.warn(loc, "repeated-message", f"{other} tells what {one} tells, so it goes out twice")


def warn_of_values(asked: Sequence[Asked], sources: Sequence[AnySource], problems: Problems) -> None:
    """Warn of every value that a field, of which all values are known, never has in any event that is listened to."""
    events: dict[Loc, set[str]] = defaultdict(set)
    clauses: dict[Loc, Clause] = {}
    for each in asked:
        for clause in (clause for case in each.cases for clause in case.clauses):
            events[clause.loc].add(each.event)
            clauses[clause.loc] = clause
    for loc, clause in clauses.items():
        known = _choices(events[loc], clause.path, sources)
        for value in _unknown(clause, known):
            hint = did_you_mean(value, known) or f"there are: {', '.join(sorted(known))}"
            problems.warn(loc, UNKNOWN_VALUE, f'"{clause.path}" is never "{value}"', hint)


def warn_of_signs(routes: Sequence[JsonObject], kinds: Iterable[str], problems: Problems) -> None:
    """Warn of texts that are told with signs which were meant for bridge: single braces, curly quotation marks."""
    single = re.compile(rf"(?<![{{$])\{{ *((?:{'|'.join(sorted(map(re.escape, kinds)))}|previous)\.[\w.]+) *\}}(?!\}})")
    for number, route in enumerate(routes):
        for loc, text in _texts(route.get("deliver"), ("routes", number, "deliver")):
            if found := single.search(text):
                hint = f"a template has two braces: {{{{ {found[1]} }}}}"
                problems.warn(loc, "no-effect", f'"{found[0]}" is told as it stands', hint)
            elif _CURLY.fullmatch(text.strip()):
                message = "the curly quotation marks are told along"
                problems.warn(loc, "no-effect", message, 'write straight ones around the text: "…"')


def _texts(value: Json, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, str):
        yield loc, value
    elif isinstance(value, dict | list):
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(item, (*loc, step))


def warn_of_sources(routes: Sequence[Route], sources: Mapping[str, AnySource], problems: Problems) -> None:
    """Warn of every source that no route hears of."""
    listeners = [each for route in routes for entry in route.deliver for each in (*route.listeners, *entry.unless)]
    heard = {event for listener in listeners for event in listener.events}
    for name, source in sources.items():
        if heard.isdisjoint(source.events):
            loc: Loc = ("sources", name)
            message = f"no route listens to {describe(problems.located.data, loc)}"
            problems.warn(loc, "unused-source", message, "remove it, or use it")


def warn_of_times(routes: Sequence[Route], problems: Problems, now: datetime) -> None:
    """Warn of times of a digest that its window never lets come."""
    for number, route in enumerate(routes):
        if route.deliver and isinstance(timing := route.deliver[0].timing, Digest):
            for at in _never(timing, now):
                loc: Loc = ("routes", number, "digest", "at", at)
                message = f"{describe(problems.located.data, loc)} never comes: its window is closed then"
                problems.warn(loc, "no-effect", message, "leave it out")


def _never(digest: Digest, now: datetime) -> Iterator[int]:
    """Yield which of several times of day never come."""
    if len(digest.turns) > 1:
        alone = (Digest((turn,), digest.zone, digest.window) for turn in digest.turns)
        yield from (index for index, each in enumerate(alone) if each.next(now) is None)


def _choices(events: Iterable[str], path: str, sources: Sequence[AnySource]) -> frozenset[str]:
    """Return the values that a field of what these events are about may have; none if some are not known."""
    pairs = [(source, source.events[event]) for source in sources for event in events if event in source.events]
    able = [source.choices.get(kind, {}).get(path) for source, kind in pairs if _has(source, kind, path)]
    return frozenset[str]().union(*filter(None, able)) if all(able) else frozenset()


def _has(source: AnySource, kind: str, path: str) -> bool:
    return kind not in source.shapes or unknown_segment(source.shapes[kind], path) is None


def _unknown(clause: Clause, known: frozenset[str]) -> Iterator[str]:
    wanted: list[Json] = clause.wanted if isinstance(clause.wanted, list) else [clause.wanted]
    if known and clause.operator in NAMES_VALUES:
        yield from (str(value) for value in wanted if value and value not in known)
