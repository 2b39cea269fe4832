"""Changes with other values in them: copied as far as they are touched, for scenes share what they hold."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.component import AnySource
from bridge.document import CUSTOM, differences, is_empty, lookup
from bridge.model import Change, Json, JsonObject
from bridge.rehearsal.solving import Values
from bridge.routing.matcher import AS_SENT

PREVIOUS = "previous"
"""The first segment of a path into what was there before."""


class Edit:
    """What becomes of one change. Paths are those of `match`."""

    def __init__(self, change: Change) -> None:
        """Start with the change as it is."""
        self._change = change
        self._current = change.current
        self._previous = change.previous
        self._sent = change.document

    def values(self, path: str) -> Values:
        """Return what stands at a path before and after."""
        head, _, rest = path.partition(".")
        if head == AS_SENT:
            return Values(None, lookup(self._sent, rest))
        before = None if self._previous is None else lookup(self._previous, path)
        return Values(before, lookup(self._current, path))

    def put(self, path: str, values: Values, *, moves: bool) -> None:
        """Put a value at a path; what was there before is left alone unless it ``moves``."""
        head, _, rest = path.partition(".")
        if head == AS_SENT:
            self._sent = _with(self._sent, rest, values.after)
            return
        self._current = _with(self._current, path, values.after)
        if head in self._sent and head != CUSTOM:
            self._sent = _with(self._sent, path, values.after)
        if moves and self._previous is not None:
            self._previous = _with(self._previous, path, values.before)

    def clear(self, path: str, nothing: Json) -> None:
        """Put nothing, in the shape that nothing has there, at a path of the entity or behind ``previous.``."""
        head, _, rest = path.partition(".")
        if head != PREVIOUS:
            self._current = _without(self._current, path, nothing)
        elif self._previous is not None:
            self._previous = _without(self._previous, rest, nothing)

    def change(self, source: AnySource) -> Change:
        """Return the change as it has become, with its differences."""
        before, after = self._previous, self._current
        changed = {} if before is None else differences(before, after, source.quiet)
        return replace(self._change, current=after, previous=before, document=self._sent, differences=changed)


def filled(document: JsonObject, example: JsonObject) -> JsonObject:
    """Return a document with what an example has in place of what is empty in it, one level deep and two in objects."""
    return {name: _filled(value, example.get(name)) for name, value in document.items()}


def _filled(value: Json, example: Json) -> Json:
    if isinstance(value, dict) and isinstance(example, dict):
        return {**example, **{name: inner for name, inner in value.items() if not is_empty(inner)}}
    return example if is_empty(value) and example is not None else value


def _with(document: JsonObject, path: str, value: Json) -> JsonObject:
    """Return a copy with another value at a path; the document itself where the path leads nowhere in it."""
    head, _, rest = path.partition(".")
    held = document.get(head)
    if head == CUSTOM and rest:
        return {**document, head: {**(held if isinstance(held, dict) else {}), rest: value}}
    if not rest:
        listed = isinstance(held, list) and not isinstance(value, list) and value is not None
        return {**document, head: [value] if listed else value}
    try:
        return {**document, head: _inside(held, rest.split("."), value)}
    except (IndexError, TypeError):
        return document


def _inside(held: Json, segments: Sequence[str], value: Json) -> Json:
    """Return a copy with another value inside, of a list in its first item; raises where the path leads nowhere."""
    if isinstance(held, list):
        return [_inside(held[0], segments, value), *held[1:]]
    if not isinstance(held, dict | None):
        raise TypeError
    first, *rest = segments
    members = held or {}
    return {**members, first: _inside(members.get(first), rest, value) if rest else value}


def _without(document: JsonObject, path: str, nothing: Json) -> JsonObject:
    """Return a copy with nothing at a path; a custom field that there is not has no label either."""
    head, _, label = path.partition(".")
    held = document.get(head)
    if head == CUSTOM and label and isinstance(held, dict):
        return {**document, head: {name: value for name, value in held.items() if name != label}}
    return _with(document, path, nothing)
