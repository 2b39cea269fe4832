"""All that `bridge check` looks at: what loading finds, and what only a rehearsal of the rules can."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from pydantic import BaseModel

from bridge.config import Loaded, load, read_trials, trials_beside
from bridge.config.frame import FileFrame
from bridge.config.problems import Problems
from bridge.model import Clock, JsonObject, SystemClock
from bridge.options import InvalidConfigurationError, Loc, Problem
from bridge.rehearsal.casting import Cast
from bridge.rehearsal.deprecation import warn_of_deprecated
from bridge.rehearsal.idle import warn_of_signs, warn_of_sources, warn_of_times, warn_of_twins, warn_of_values
from bridge.rehearsal.kinds import warn_of_kinds
from bridge.rehearsal.reach import Asked, Reach
from bridge.rehearsal.rehearsing import Rehearsal
from bridge.rehearsal.scenes import Scene, Stories
from bridge.rehearsal.verdict import Verdicts
from bridge.routing.listening import index
from bridge.routing.route import Route

_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with the rules, and what their author may want to know; ``loaded`` if they can be used."""

    problems: Sequence[Problem]
    warnings: Sequence[Problem]
    loaded: Loaded | None = None


def check(path: Path, environ: Mapping[str, str], clock: Clock = _CLOCK) -> Checked:
    """Check a rules file, and the tests beside it.

    Raises:
        SettingsError: an installed component cannot be loaded.
    """
    try:
        loaded = load(path, environ, clock)
    except InvalidConfigurationError as error:
        return Checked(error.problems, ())
    problems = Problems(loaded.located)
    _Check(loaded, problems, clock.now()).run()
    found = [*problems.found, *_of_trials(path, loaded)]
    return Checked(sorted(set(found)), sorted({*loaded.warnings, *problems.warnings}), loaded)


def _of_trials(path: Path, loaded: Loaded) -> Sequence[Problem]:
    found: list[Problem] = []
    for file in trials_beside(path):
        try:
            read_trials(file, loaded.named)
        except InvalidConfigurationError as error:
            found += error.problems
    return found


class _Check:
    """One check of rules that can be used."""

    def __init__(self, loaded: Loaded, problems: Problems, now: datetime) -> None:
        self._loaded = loaded
        self._problems = problems
        self._now = now
        self._routes = loaded.ruleset.routes
        document = cast("JsonObject", loaded.located.data)
        self._written = cast("Sequence[JsonObject]", document["routes"])
        self._readers = tuple({type(source): source for source in loaded.named.readers.values()}.values())
        self._stories = Stories(loaded.rendering, now)
        listening = index(self._routes)
        self._listening = {(event, each.route.name): each for event in listening for each in listening[event]}

    def run(self) -> None:
        """Look at everything."""
        warn_of_deprecated(self._models(), self._problems)
        warn_of_twins(self._written, self._problems)
        warn_of_signs(self._written, self._loaded.words.kinds, self._problems)
        warn_of_sources(self._routes, self._loaded.ruleset.sources, self._problems)
        warn_of_times(self._routes, self._problems, self._now)
        reach, verdicts = Reach(self._loaded.words, self._problems), Verdicts(self._problems)
        for number, route in enumerate(self._routes):
            loc: Loc = ("routes", number)
            asked = reach.asked(route, self._written[number], loc)
            reach.warn(asked, loc)
            warn_of_values(asked, self._readers, self._problems)
            warn_of_kinds(asked, self._readers, self._stories.example, self._problems)
            self._rehearse(route, asked, loc, verdicts)
        verdicts.report()

    def _models(self) -> Iterator[tuple[type[BaseModel], Loc]]:
        """Yield the models of all that is written in the file, each with the place of it."""
        rules = self._loaded.ruleset
        yield FileFrame, ()
        yield from ((type(source).Options, ("sources", name)) for name, source in rules.sources.items())
        yield from ((type(target).Options, ("targets", name)) for name, target in rules.targets.items())
        for number, route in enumerate(self._routes):
            for place, entry in enumerate(route.deliver):
                yield type(rules.targets[entry.target]).Action, ("routes", number, "deliver", place)

    def _rehearse(self, route: Route, asked: Sequence[Asked], loc: Loc, verdicts: Verdicts) -> None:
        casts = [(each, self._scenes(event)) for event in route.events if (each := self._cast(route, event, asked))]
        events = sorted(((each, scenes) for each, scenes in casts if scenes), key=_needs_adapting)
        rehearsal = Rehearsal(route, self._written[int(loc[1])], loc, self._loaded.rendering.gathered)
        verdicts.take(rehearsal.failures(events))

    def _cast(self, route: Route, event: str, asked: Sequence[Asked]) -> Cast | None:
        """Return what has to be met so that an event is told; None if it cannot be."""
        reachable = [case for each in asked if each.event == event for case in each.reachable]
        return Cast(self._listening[event, route.name], reachable) if reachable else None

    def _scenes(self, event: str) -> Sequence[Scene]:
        able = (source for source in self._readers if event in source.events)
        return [scene for source in able for scene in self._stories.of(source, event)]


def _needs_adapting(cast_: tuple[Cast, Sequence[Scene]]) -> tuple[bool, str]:
    """Put events first of which a sample is told as it is; their names give the rest an order."""
    cast_of, scenes = cast_
    return not any(map(cast_of.matches, scenes)), scenes[0].change.event.name
