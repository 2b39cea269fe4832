"""Documents: reading a path, what counts as empty, what differs, and what a shape knows."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from bridge.model import Json, JsonObject

Read: TypeAlias = Callable[[Json], Json]
"""Reads one path of a document."""

CUSTOM = "custom"
LABEL = 200
"""Characters of a label that count: the time to take accents off grows with their square, and slugs are remembered."""
_INDEX = re.compile("[0-9]{1,4}")
_SUFFIX = re.compile(r"-(?=[a-f]*[0-9])[0-9a-f]{4}$")


def lookup(document: Json, path: str) -> Json:
    """Return the value at a dotted path, None where there is none.

    A list met on the way stands for all its elements: the answer is then the flat list of what they hold. Everything
    behind ``custom.`` is one name, dots and all.
    """
    return reader(path)(document)


@lru_cache(maxsize=4096)
def reader(path: str) -> Read:
    """Compile a path once, for ``lookup`` many times."""
    head, _, rest = path.partition(".")
    if head == CUSTOM and rest:
        return lambda document: custom_value(document, rest)
    if not rest:
        return lambda document: document.get(head) if isinstance(document, dict) else _walk(document, (head,))
    segments = tuple(path.split("."))
    return lambda document: _walk(document, segments)


class Slot(NamedTuple):
    """A place in a document: a member of an object, or an item of a list."""

    holder: Any
    key: str | int

    @property
    def value(self) -> Json:
        """Return what stands there, None where there is nothing yet."""
        held: Json = self.holder.get(self.key) if isinstance(self.holder, dict) else self.holder[self.key]
        return held

    def fill(self, value: object) -> None:
        """Put a value there."""
        self.holder[self.key] = value


def slot(document: Json, path: str) -> Slot:
    """Return the place at a dotted path; an object on the way that is empty or not there is made.

    Raises:
        LookupError: a segment, which it holds, leads nowhere.
    """
    first, *further = path.split(".")
    place = _slot(document, first)
    for segment in further:
        if isinstance(place.holder, dict) and place.value is None:
            place.fill({})
        place = _slot(place.value, segment)
    return place


def _slot(holder: Json, segment: str) -> Slot:
    if isinstance(holder, dict):
        return Slot(holder, segment)
    if isinstance(holder, list) and _INDEX.fullmatch(segment) and int(segment) < len(holder):
        return Slot(holder, int(segment))
    raise LookupError(segment)


def _walk(value: Json, segments: tuple[str, ...]) -> Json:
    for position, segment in enumerate(segments):
        if isinstance(value, dict):
            value = value.get(segment)
        elif isinstance(value, list):
            return list(_walk_all(value, segments[position:]))
        else:
            return None
    return value


def _walk_all(items: list[Json], segments: tuple[str, ...]) -> Iterator[Json]:
    for item in items:
        found = _walk(item, segments)
        if isinstance(found, list):
            yield from found
        elif found is not None:
            yield found


def is_empty(value: Json) -> bool:
    """Tell whether a value is ``null``, ``""``, ``[]``, ``{}`` or an object of nothing but such values."""
    if value is None:
        return True
    if isinstance(value, dict):
        return all(map(is_empty, value.values()))
    return isinstance(value, str | list) and not value


def custom_value(document: Json, name: str) -> Json:
    """Return a custom field by its label, its slug or its id, None where there is none.

    A slug in the document may carry a suffix of four hexadecimal digits (``cnpj-41d5``), which a rule may leave out.
    """
    fields = document.get(CUSTOM) if isinstance(document, dict) else None
    if not isinstance(fields, dict):
        return None
    if name in fields:
        return fields[name]
    key = _matching(name, fields) or _label_of(document, name)
    return fields.get(key) if key else None


def _matching(name: str, known: Mapping[str, object]) -> str | None:
    """Return the known label or slug that means the same custom field as a name, if exactly one does."""
    wanted = slug(name)
    if not wanted:
        return None
    same = [key for key in known if slug(key) == wanted]
    near = same or [key for key in known if _SUFFIX.sub("", slug(key)) == wanted]
    return near[0] if len(near) == 1 else None


def _label_of(document: Json, field_id: str) -> str | None:
    """Find the label of a custom field in the list that some documents carry beside the values."""
    definitions = _walk(document, ("deal_custom_fields", CUSTOM + "_field"))
    for definition in definitions if isinstance(definitions, list) else ():
        if isinstance(definition, dict) and definition.get("id") == field_id:
            label = definition.get("label")
            return label if isinstance(label, str) else None
    return None


def slug(text: str) -> str:
    """Return a text in lower case, without accents, hyphens for all other signs: ``De onde, é?`` → ``de-onde-e``.

    Of a label that is longer than any is, its beginning has to do.
    """
    return _slug(text[:LABEL])


@lru_cache(maxsize=4096)
def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).lstrip("-")[:LABEL].rstrip("-")


def differences(
    before: JsonObject, after: JsonObject, quiet: frozenset[str] = frozenset()
) -> dict[str, tuple[Json, Json]]:
    """Return every path whose value changed, with what it was and what it is; an empty value is None in both.

    Objects are compared member by member, lists as a whole. ``quiet`` names top-level fields to leave out.
    """
    found: dict[str, tuple[Json, Json]] = {}
    for key, value in after.items():
        if key not in quiet:
            _compare(key, before.get(key), value, found)
    for key, value in before.items():
        if key not in after and key not in quiet:
            _compare(key, value, None, found)
    return found


def _compare(path: str, before: Json, after: Json, found: dict[str, tuple[Json, Json]]) -> None:
    if before is after or before == after:
        return
    if isinstance(before, dict) or isinstance(after, dict):
        left, right = _members(before), _members(after)
        if left is not None and right is not None:
            for key in (*right, *(key for key in left if key not in right)):
                _compare(f"{path}.{key}", left.get(key), right.get(key), found)
            return
    if not same(before, after):
        found[path] = (None if is_empty(before) else before, None if is_empty(after) else after)


def _members(value: Json) -> JsonObject | None:
    """Return an object as it is and an empty value as an object without members; None for any other value."""
    if isinstance(value, dict):
        return value
    return {} if is_empty(value) else None


def same(before: Json, after: Json) -> bool:
    """Tell whether two values are equal where every empty value equals every other, at any depth."""
    if isinstance(before, dict) and isinstance(after, dict):
        return all(same(before.get(key), after.get(key)) for key in before.keys() | after.keys())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(same, before, after))
    return before == after or (is_empty(before) and is_empty(after))


def unfilled(shape: Json) -> Json:
    """Return a document of a shape in which nothing is known: its lists have no items."""
    if isinstance(shape, dict):
        return {key: unfilled(value) for key, value in shape.items()}
    return [] if isinstance(shape, list) else shape


def unknown_segment(shape: Json, path: str) -> tuple[str, list[str]] | None:
    """Return the first segment of a path that a shape does not know, with those it would know there.

    None if the shape knows them all. A leaf (None) knows nothing behind it, an empty object or list knows anything.
    """
    for segment in path.split("."):
        if isinstance(shape, list):
            shape = shape[0] if shape else {}
        if shape == {}:
            return None
        if not isinstance(shape, dict) or segment not in shape:
            return segment, sorted(shape) if isinstance(shape, dict) else []
        shape = shape[segment]
    return None
