"""Rehearsals: every template of every route rendered before an event does it, by what renders it then."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bridge.document import CUSTOM
from bridge.errors import RenderError
from bridge.rehearsal.casting import Cast, Part
from bridge.rehearsal.editing import PREVIOUS
from bridge.rehearsal.pieces import Piece
from bridge.rehearsal.scenes import Scene
from bridge.routing.fanout import FanOut, fan_out
from bridge.routing.route import Gather, Route

ONE_BY_ONE: Final = 12
"""Fields that are left out one by one at most."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A piece that could not be rendered in a scene, and why. One that is not ``sure`` may never be asked to."""

    piece: Piece
    scene: Scene
    error: RenderError
    sure: bool


class Rehearsal:
    """Rehearses one route with the scenes of one event."""

    def __init__(self, cast: Cast, pieces: Sequence[Piece], gather: Gather) -> None:
        """Take the route, its pieces, and what gives the names of a digest."""
        self._cast = cast
        self._route = cast.listening.route
        self._pieces = pieces
        self._gather = gather
        self._used = {reference.path for piece in pieces for reference in piece.used}

    def failures(self, scenes: Sequence[Scene]) -> Iterator[Failure]:
        """Yield what fails: first with all that an event can hold, then with what may be missing left out."""
        parts = [Part(self._labelled(part.scene), part.sure) for part in self._cast.parts(scenes)]
        played = [(part, self._play(self._route, part.scene)) for part in parts]
        told = [(part, out) for part, out in played if out.when is not False]
        for part, out in told:
            yield from self._failed(part, out)
        for part in parts[:1] if not told else ():
            yield from self._past_when(part)
        for part in [part for part, _ in told or played][:1]:
            yield from self._emptied(part, self._route, frozenset()) if part.sure else ()

    def _labelled(self, scene: Scene) -> Scene:
        """Return a scene in which the custom fields that the route speaks of hold something."""
        labels = {path[2] for path in self._used if path[1:2] == (CUSTOM,) and path[2:]}
        return scene.labelled(sorted(labels)) if labels else scene

    def _play(self, route: Route, scene: Scene) -> FanOut:
        return fan_out(route, scene.change, scene.context, scene.now, self._gather)

    def _past_when(self, part: Part) -> Iterator[Failure]:
        """Rehearse what stands behind a `when` that no scene meets; what it does not ask for, it cannot vouch for."""
        route = replace(self._route, when=None)
        yield from self._failed(Part(part.scene, sure=False), self._play(route, part.scene))
        when = [used.path for piece in self._pieces if piece.loc[-1] == "when" for used in piece.used]
        yield from self._emptied(part, route, frozenset(when)) if part.sure else ()

    def _emptied(self, part: Part, route: Route, known: frozenset[tuple[str, ...]]) -> Iterator[Failure]:
        """Rehearse with nothing known of the entity before, and without what may be missing and is not ``known``."""
        missing = self._missing(part.scene, known)
        alone = [[path] for path in missing] if len(missing) <= ONE_BY_ONE else []
        for paths in (*alone, *([missing] if len(missing) > 1 else ())):
            yield from self._again(part.scene.without(paths), route)
        if part.scene.change.previous is not None and not known:
            yield from self._again(part.scene.unseen(), route)

    def _again(self, scene: Scene, route: Route) -> Iterator[Failure]:
        if self._cast.matches(scene):
            yield from self._failed(Part(scene), self._play(route, scene))

    def _missing(self, scene: Scene, known: frozenset[tuple[str, ...]]) -> list[str]:
        """Return the paths that the route speaks of, or may, and that may be empty."""
        found: list[str] = []
        for name, prefix in ((PREVIOUS, f"{PREVIOUS}."), (scene.kind, "")):
            used = [path[1:] for path in self._used if path[0] == name]
            vouched = [path[1:] for path in known if path[0] == name]
            for path in scene.optional() if used else ():
                if any(_touch(each, path) for each in used) and not any(_touch(each, path) for each in vouched):
                    found += [f"{prefix}{each}" for each in _named(path, used)]
        return found

    def _failed(self, part: Part, out: FanOut) -> Iterator[Failure]:
        if out.error is not None or any(preview.error is not None for preview in out.previews):
            for piece in self._pieces:
                yield from self._found(piece, part)

    def _found(self, piece: Piece, part: Part) -> Iterator[Failure]:
        """Yield the failure of a piece, or those of what it is made of."""
        inside = [failure for each in piece.within for failure in self._found(each, part)]
        yield from inside
        error = None if inside else self._error(piece, part.scene)
        if error is not None:
            yield Failure(piece, part.scene, error, part.sure)

    def _error(self, piece: Piece, scene: Scene) -> RenderError | None:
        context = self._gather([scene.context], "", scene.now) if piece.gathered else scene.context
        try:
            piece.render(context)
        except RenderError as error:
            return error
        return None


def _named(path: str, used: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a path, or of custom fields those that are named, if any are."""
    labels = sorted({each[1] for each in used if each[:1] == (CUSTOM,) and each[1:]}) if path == CUSTOM else []
    return [f"{CUSTOM}.{label}" for label in labels] or [path]


def _touch(used: Sequence[str], path: str) -> bool:
    """Tell whether a use of some fields, or of all for want of any, is one of a path or of something inside it."""
    return all(one == other for one, other in zip(used, path.split("."), strict=False))
