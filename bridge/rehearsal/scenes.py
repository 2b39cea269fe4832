"""Scenes: changes that events may bring about, made of the samples of a source. Read and compared as in earnest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import orjson

from bridge.component import AnySource
from bridge.document import CUSTOM, differences, is_empty, lookup
from bridge.model import Change, EntityState, Event, Json, JsonObject
from bridge.rehearsal.conditions import Case
from bridge.rehearsal.editing import PREVIOUS, Edit, filled
from bridge.rehearsal.solving import Values, by_path, solution
from bridge.rendering import Rendering
from bridge.routing.change import compare
from bridge.routing.matcher import AS_SENT
from bridge.routing.operators import TRANSITIONS

EARLIER = timedelta(minutes=2)
"""How long before an event its entity was last edited."""
LABELLED = "um texto"
"""What stands in a custom field of an account whose fields nobody knows here."""


@dataclass(frozen=True)
class Scene:
    """A change to rehearse with. ``told`` names it in a sentence.

    ``whole`` says that all its fields hold something, so that what fails in it does not fail for want of data.
    """

    change: Change
    source: AnySource
    told: str
    rendering: Rendering
    now: datetime
    whole: bool = True

    @cached_property
    def context(self) -> Mapping[str, object]:
        """Return the names that templates see."""
        return self.rendering.context(self.change, self.source, self.now)

    @cached_property
    def kind(self) -> str:
        """Return the kind of entity that it is about."""
        return self.change.event.entity.kind if self.change.event.entity else ""

    @property
    def shape(self) -> JsonObject:
        """Return the full shape of its entity, with nothing in it."""
        return self.source.shapes.get(self.kind, {})

    def unseen(self) -> "Scene":
        """Return the scene as it is where nothing was known of the entity before."""
        change = replace(self.change, previous=None, differences={})
        return replace(self, change=change, told=f"{self.told} at first sight")

    def adapted(self, case: Case) -> "Scene":
        """Return the scene with what a case asks for, as far as values are found that meet it."""
        edit, first_sight = Edit(self.change), self.change.previous is None
        for path, clauses in by_path(case).items():
            now = edit.values(path)
            found = solution(clauses, now, first_sight=first_sight)
            if found and found != now:
                edit.put(path, found, moves=any(clause.operator in TRANSITIONS for clause in clauses))
        return self._edited(edit, f"{self.told}, adapted to what is asked for")

    def labelled(self, labels: Iterable[str]) -> "Scene":
        """Return the scene with something in these custom fields too."""
        edit = Edit(self.change)
        for label in labels:
            if edit.values(f"{CUSTOM}.{label}").after is None:
                edit.put(f"{CUSTOM}.{label}", Values(LABELLED, LABELLED), moves=True)
        return self._edited(edit, self.told)

    def without(self, paths: Sequence[str]) -> "Scene":
        """Return the scene with nothing at these paths of the entity, or behind ``previous.``."""
        edit = Edit(self.change)
        for path in paths:
            edit.clear(path, _nothing(self.shape, path.removeprefix(f"{PREVIOUS}.")))
        missing = f'"{paths[0]}"' if len(paths) == 1 else "what may be missing"
        return replace(self._edited(edit, f"{self.told} without {missing}"), whole=False)

    def lacks(self, name: str, path: str) -> bool:
        """Tell whether nothing stands at a path behind a name of templates, or nobody can tell what may."""
        if name == AS_SENT:
            return is_empty(lookup(self.change.document, path))
        if name not in {self.kind, PREVIOUS}:
            return False
        document = self.change.current if name == self.kind else self.change.previous
        return bool(path) and (is_open(self.shape, path) or is_empty(lookup(document, path)))

    def optional(self) -> Iterator[str]:
        """Yield the paths of the entity that may be empty: objects as a whole, unless something in them never is."""
        certain = self.source.certain.get(self.kind, frozenset())
        held = {path.partition(".")[0] for path in certain if "." in path}
        for name, shape in self.shape.items():
            if name in held and isinstance(shape, dict):
                yield from (f"{name}.{inner}" for inner in shape if f"{name}.{inner}" not in certain)
            elif name not in certain:
                yield name

    def _edited(self, edit: Edit, told: str) -> "Scene":
        return replace(self, change=edit.change(self.source), told=told)


class Stories:
    """The scenes of the samples of all sources, each made once."""

    def __init__(self, rendering: Rendering, now: datetime) -> None:
        """Take what gives the names that templates see, and the moment."""
        self._rendering = rendering
        self._now = now
        self._scenes: dict[tuple[type[AnySource], str], tuple[Scene, ...]] = {}
        self._examples: dict[tuple[type[AnySource], str], JsonObject] = {}

    def of(self, source: AnySource, name: str) -> tuple[Scene, ...]:
        """Return the scenes of an event of a source: as it is documented, and as each trigger tells it."""
        key = (type(source), name)
        if key not in self._scenes:
            tellers = [each.name for each in source.triggers.values() if name in each.events and each.name != name]
            self._scenes[key] = tuple(self._made(source, name, tellers))
        return self._scenes[key]

    def _made(self, source: AnySource, name: str, tellers: Iterable[str]) -> Iterator[Scene]:
        for teller in (name, *tellers):
            try:
                story = source.story(teller, self._now)
            except KeyError:  # a source need not have samples
                continue
            change = _told(source, story, self._now)
            if change and change.event.name == name:
                whole = change.action != "deleted" or change.previous is not None
                change = self._filled(source, change) if whole else change
                yield Scene(change, source, f"the sample {teller}", self._rendering, self._now, whole)

    def _filled(self, source: AnySource, change: Change) -> Change:
        """Return a change with something in every field that its samples leave empty, before and after."""
        example = self.example(source, change.event.entity.kind if change.event.entity else "")
        current = filled(change.current, example)
        previous = None if change.previous is None else filled(change.previous, example)
        changed = {} if previous is None else differences(previous, current, source.quiet)
        return replace(change, current=current, previous=previous, differences=changed)

    def example(self, source: AnySource, kind: str) -> JsonObject:
        """Return a document with something in each of its fields."""
        key = (type(source), kind)
        if key not in self._examples:
            self._examples[key] = source.example(kind, self._now - EARLIER)
        return self._examples[key]


def is_open(shape: Json, path: str) -> bool:
    """Tell whether a path ends at, or leads into, an object or a list of which nobody knows what it holds."""
    for segment in path.split("."):
        if isinstance(shape, list) and shape:
            shape = shape[0]
        shape = shape.get(segment) if isinstance(shape, dict) else None
        if shape in ({}, []):
            return True
    return False


def _told(source: AnySource, story: Sequence[JsonObject], now: datetime) -> Change | None:
    """Return the change that the last of these webhooks brings about; an edit that nothing precedes edits nothing."""
    last: EntityState | None = None
    change: Change | None = None
    for body in story:
        raw = orjson.dumps(body)
        read = source.read(raw)
        event = Event("evt_sample", source.name, read.name, read.entity, read.dedup_key, raw, now, read.occurred_at)
        comparison = compare(event, source.interpret(event, last.document if last else None), last, source.quiet)
        last, change = comparison.entity_state, comparison.change
    if change and change.first_sight and change.action == "updated":
        return replace(change, previous=change.current)
    return change


def _nothing(shape: Json, path: str) -> Json:
    """Return what a path holds in a shape where there is nothing: no list has items, of an object all is empty."""
    found = lookup(shape, path)
    return [] if isinstance(found, list) else found
