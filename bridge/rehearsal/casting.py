"""Which scenes a route is rehearsed with: those that it hears and matches, in each way that it can be met."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from bridge.document import lookup
from bridge.errors import MatchError
from bridge.rehearsal.conditions import Cases
from bridge.rehearsal.scenes import Scene
from bridge.routing.listening import Listening

MOST: Final = 6
"""Scenes of one event and route, before anything is left out of them."""


class Part(NamedTuple):
    """A scene that a route is rehearsed with; one that is not ``sure`` may be none that the route matches."""

    scene: Scene
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Cast:
    """A route, and what one event has to meet so that it is told."""

    listening: Listening
    cases: Cases

    def matches(self, scene: Scene) -> bool:
        """Tell whether the route hears a scene and its `match` agrees."""
        try:
            return self.listening.test(scene.change)
        except MatchError:
            return False

    def parts(self, scenes: Sequence[Scene]) -> Sequence[Part]:
        """Return the scenes of an event to rehearse with; where none matches, what comes nearest."""
        found = _distinct(scene for scene in scenes if self.matches(scene))
        if not found or len(self.cases) > 1:
            found = [*found, *self._adapted(self._heard(scenes))][:MOST]
        if found:
            return [Part(scene) for scene in found]
        return [Part(scenes[0].adapted(case), sure=False) for case in self.cases[:1] for _ in scenes[:1]]

    def _heard(self, scenes: Sequence[Scene]) -> Sequence[Scene]:
        """Return the scenes, those first that the trigger agrees with."""
        trigger = self.listening.trigger
        return sorted(scenes, key=lambda scene: trigger is not None and not trigger.test(scene.change))

    def _adapted(self, scenes: Sequence[Scene]) -> Iterator[Scene]:
        for case in self.cases[:MOST]:
            fitting = filter(self.matches, (scene.adapted(case) for scene in scenes))
            yield from islice(fitting, 1)


def _distinct(scenes: Iterable[Scene]) -> list[Scene]:
    """Return one scene for each state that the entity may be in, such as a deal's status."""
    found: dict[tuple[object, ...], Scene] = {}
    for scene in scenes:
        paths = sorted(scene.source.choices.get(scene.kind, ()))
        found.setdefault(tuple(str(lookup(scene.change.current, path)) for path in paths), scene)
    return list(found.values())
