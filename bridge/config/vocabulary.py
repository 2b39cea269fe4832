"""What rules may speak of: the events, triggers and fields of all sources of a file."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bridge.component import AnySource, NamedTrigger
from bridge.document import unknown_segment
from bridge.model import JsonObject
from bridge.options import did_you_mean

Advice = tuple[str, str]
"""A message and a hint."""


OWN_FIELDS = "what is related has its own fields only, and not what is related to it in turn"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of the sources. ``complete`` is False when a source could not be made out: then any word may exist."""

    events: Mapping[str, str]
    triggers: Mapping[str, tuple[NamedTrigger, ...]]
    shapes: Mapping[str, tuple[JsonObject, ...]]
    references: Mapping[str, Mapping[str, str]]
    complete: bool
    reached: Mapping[str, tuple[JsonObject, ...]] = field(default_factory=dict)
    """The shapes as templates see them: with what is related to an entity."""

    @property
    def kinds(self) -> frozenset[str]:
        """Return every kind of entity that some event is about."""
        return frozenset(self.events.values())

    def unknown_field(self, kinds: Iterable[str], path: str, *, reached: bool = False) -> Advice | None:
        """Return what is wrong with a path that no entity of these kinds knows; None when one does, or may.

        ``reached`` says that templates speak, which see what is related to an entity as well.
        """
        advice, shapes = dict[str, str](), self.reached if reached else self.shapes
        for kind in sorted(kinds):
            for shape in shapes.get(kind, ()):
                if (unknown := unknown_segment(shape, path)) is None:
                    return None
                advice.setdefault(kind, self._instead(kind, path, *unknown))
            if kind not in shapes:
                return None
        return _most_telling(advice, path) if advice else None

    def _instead(self, kind: str, path: str, segment: str, known: Iterable[str]) -> str:
        """Return what to write in place of a path that a kind does not know."""
        if path.partition(".")[0] != segment and segment in self._relations():
            return OWN_FIELDS
        own = f'write "{path.partition(".")[2]}"' if segment == kind and "." in path else ""
        return own or did_you_mean(segment, known)

    def _relations(self) -> frozenset[str]:
        """Return the names of what is related to an entity of any kind, and no part of it."""
        named = (frozenset().union(*self.reached[kind]) - frozenset().union(*self.shapes[kind]) for kind in self.shapes)
        return frozenset[str]().union(*named)


def _most_telling(advice: Mapping[str, str], path: str) -> Advice:
    """Return the advice for the kind that knows something near; of many kinds that do not, none is singled out."""
    for kind, hint in advice.items():
        if len(advice) == 1 or (hint and not hint.startswith("known:")):
            return f'the {kind} has no field "{path}"', hint
    return f'nothing that the route hears of has a field "{path}"', ""


def vocabulary(sources: Iterable[type[AnySource]], *, complete: bool) -> Vocabulary:
    """Join the words of all types of source that a file names."""
    events: dict[str, str] = {}
    triggers: dict[str, tuple[NamedTrigger, ...]] = defaultdict(tuple)
    shapes: dict[str, tuple[JsonObject, ...]] = defaultdict(tuple)
    references: dict[str, dict[str, str]] = defaultdict(dict)
    reached: dict[str, tuple[JsonObject, ...]] = defaultdict(tuple)
    for source in dict.fromkeys(sources):
        events |= source.events
        for name, trigger in source.triggers.items():
            triggers[name] += (trigger,)
        for kind, shape in source.shapes.items():
            shapes[kind] += (shape,)
            reached[kind] += ({**shape, **_related(source, kind)},)
        for kind, paths in source.references.items():
            references[kind] |= paths
    return Vocabulary(events, dict(triggers), dict(shapes), dict(references), complete, dict(reached))


def _related(source: type[AnySource], kind: str) -> JsonObject:
    """Return the shape of what is related to a kind, and is not a part of it already."""
    known = {**source.related_shapes, **source.shapes}
    return {
        name: [known[relation.kind]] if relation.many else known[relation.kind]
        for name, relation in source.relations.get(kind, {}).items()
        if not relation.completes
    }
