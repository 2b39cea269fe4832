"""Rehearsals: every template of every route rendered before an event does it, by what renders it then."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bridge.document import CUSTOM
from bridge.errors import RenderError
from bridge.model import JsonObject
from bridge.options import Loc
from bridge.rehearsal.casting import Cast, Part
from bridge.rehearsal.editing import PREVIOUS
from bridge.rehearsal.pieces import Piece, may_branch, pieces_of
from bridge.rehearsal.scenes import Scene
from bridge.routing.fanout import FanOut, fan_out
from bridge.routing.route import Context, Gather, Route

ONE_BY_ONE: Final = 12
"""Fields that are left out one by one at most."""
LOOKING_BACK: Final = frozenset({PREVIOUS, "changes", "event"})
"""The names that show whether anything was known of the entity before."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A piece that could not be rendered in a scene, and why. One that is not ``sure`` may never be asked to."""

    piece: Piece
    scene: Scene
    error: RenderError
    sure: bool


@dataclass(frozen=True, slots=True)
class _Event:
    """One event of a route: the scenes it is rehearsed with, and what came of each."""

    cast: Cast
    parts: Sequence[Part]
    outs: Sequence[FanOut]

    @property
    def told(self) -> Sequence[tuple[Part, FanOut]]:
        """Return the scenes that `when` lets through."""
        return [(part, out) for part, out in zip(self.parts, self.outs, strict=True) if out.when is not False]


class Rehearsal:
    """Rehearses one route."""

    def __init__(self, route: Route, written: JsonObject, loc: Loc, gather: Gather) -> None:
        """Take a route, which is written so at a place in the rules, and what gives the names of a digest."""
        self._route = route
        self._pieces = pieces_of(route, written, loc)
        self._branches = may_branch(written)
        self._gather = gather
        self._used = {reference.path for piece in self._pieces for reference in piece.used}
        gathers = any(piece.digest for piece in self._pieces)  # of its items, whatever a template calls them
        self._looks_back = gathers or not LOOKING_BACK.isdisjoint(path[0] for path in self._used)

    def failures(self, events: Iterable[tuple[Cast, Sequence[Scene]]]) -> Iterator[Failure]:
        """Yield what fails: first with all that an event can hold, then with what may be missing left out.

        Where `when` lets no scene through, and of no event, what stands behind it is rehearsed all the same.
        """
        played = [self._played(cast, scenes) for cast, scenes in events]
        met = any(event.told for event in played)
        for event in played:
            for part, out in event.told:
                yield from self._failed(part, out)
            for part in event.parts[:1] if not met else ():
                yield from self._past_when(event.cast, part)
            for part in [part for part, _ in event.told or zip(event.parts, event.outs, strict=True)][:1]:
                yield from self._emptied(event.cast, part) if part.sure else ()

    def _played(self, cast: Cast, scenes: Sequence[Scene]) -> _Event:
        found = sorted(cast.parts(scenes), key=lambda part: not part.scene.whole)
        parts = [Part(self._labelled(part.scene), part.sure) for part in found]
        return _Event(cast, parts, [self._play(self._route, part.scene) for part in parts])

    def _labelled(self, scene: Scene) -> Scene:
        """Return a scene in which the custom fields that the route speaks of hold something."""
        labels = {path[2] for path in self._used if path[1:2] == (CUSTOM,) and path[2:]}
        return scene.labelled(sorted(labels)) if labels else scene

    def _play(self, route: Route, scene: Scene) -> FanOut:
        return fan_out(route, scene.change, scene.context, scene.now, self._gather)

    def _past_when(self, cast: Cast, part: Part) -> Iterator[Failure]:
        """Rehearse what stands behind a `when` that no scene meets; what it does not ask for, it cannot vouch for."""
        route = replace(self._route, when=None)
        yield from self._failed(Part(part.scene, sure=False), self._play(route, part.scene))
        when = [used.path for piece in self._pieces if piece.is_when for used in piece.used]
        if part.sure:
            yield from self._without(cast, route, Part(part.scene, sure=False), when)

    def _emptied(self, cast: Cast, part: Part) -> Iterator[Failure]:
        """Rehearse without what may be missing, and with nothing known of the entity before."""
        yield from self._without(cast, self._route, part, ())
        if self._looks_back and part.scene.change.previous is not None:
            yield from self._again(cast, self._route, Part(part.scene.unseen()))

    def _without(self, cast: Cast, route: Route, part: Part, known: Sequence[tuple[str, ...]]) -> Iterator[Failure]:
        """Rehearse without all that may be missing and is not ``known``; and one by one, to tell or to find which."""
        missing = self._missing(part.scene, known)
        if not missing:
            return
        scene = part.scene.without(missing)
        bare = list(self._again(cast, route, part._replace(scene=scene)))
        telling = bare or self._branches or not cast.matches(scene)
        for path in missing if 1 < len(missing) <= ONE_BY_ONE and telling else ():
            yield from self._again(cast, route, part._replace(scene=part.scene.without([path])))
        yield from bare

    def _again(self, cast: Cast, route: Route, part: Part) -> Iterator[Failure]:
        if cast.matches(part.scene):
            yield from self._failed(part, self._play(route, part.scene))

    def _missing(self, scene: Scene, known: Sequence[tuple[str, ...]]) -> list[str]:
        """Return the paths that the route speaks of, or may, and that may be empty."""
        found: list[str] = []
        for name, prefix in ((PREVIOUS, f"{PREVIOUS}."), (scene.kind, "")):
            used = [path[1:] for path in self._used if path[0] == name]
            heads = {each[:1] for each in used}
            vouched = [path[1:] for path in known if path[0] == name]
            spoken_of = (path for path in scene.optional() if () in heads or (path.partition(".")[0],) in heads)
            for path in spoken_of if used else ():
                if any(_touch(each, path) for each in used) and not any(_touch(each, path) for each in vouched):
                    found += [f"{prefix}{each}" for each in _named(path, used)]
        return found

    def _failed(self, part: Part, out: FanOut) -> Iterator[Failure]:
        gathered = any(piece.digest for piece in self._pieces)  # then there is more to see than what was played
        if not gathered and all(preview.error is None for preview in out.previews):
            return
        for piece in self._pieces:
            if out.error is None or piece.is_when:
                yield from self._found(piece, part)

    def _found(self, piece: Piece, part: Part) -> Iterator[Failure]:
        """Yield the failure of a piece, or those of what it is made of."""
        inside = [failure for each in piece.within for failure in self._found(each, part)]
        yield from inside
        error = None if inside else self._error(piece, part.scene)
        if error is not None:
            yield Failure(piece, part.scene, error, part.sure)

    def _error(self, piece: Piece, scene: Scene) -> RenderError | None:
        for context in self._contexts(piece, scene):
            try:
                piece.render(context)
            except RenderError as error:
                return error
        return None

    def _contexts(self, piece: Piece, scene: Scene) -> Iterator[Context]:
        """Yield what a piece may see in a scene: of a digest the first, one that follows it, and one of nothing."""
        if not piece.digest:
            yield scene.context
            return
        for items in ([scene.context], []) if piece.digest.empty else ([scene.context],):
            yield self._gather(items, "", scene.now, [scene.context])
            yield self._gather(items, "", scene.now, None)


def _named(path: str, used: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a path, or of custom fields those that are named, if any are."""
    labels = sorted({each[1] for each in used if each[:1] == (CUSTOM,) and each[1:]}) if path == CUSTOM else []
    return [f"{CUSTOM}.{label}" for label in labels] or [path]


def _touch(used: Sequence[str], path: str) -> bool:
    """Tell whether a use of some fields, or of all for want of any, is one of a path or of something inside it."""
    return all(one == other for one, other in zip(used, path.split("."), strict=False))
