"""Rules as their author wrote them, and what of them differs from what was written before, a line each."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from bridge.model import Json, JsonObject

MOST: Final = 50
"""Lines that are told; more than that nobody reads in a log."""
LONGEST: Final = 60
"""Characters that are shown of a value."""
SHOWN: Final = frozenset(
    {"on", "match", "when", "debounce", "digest", "to", "template", "key", "delay", "unless", "within", "once"}
    | {"repeat_after", "retry", "on_unknown", "ordering", "supersede", "name"}
)
"""The keys of a route, and of its deliver entries, whose values are told; those of a target's own may hold secrets."""
NAMED: Final = {"sources": "source", "targets": "target", "windows": "window"}
"""The sections that are mappings of names."""
OPEN: Final = frozenset({"windows"})
"""Those of them whose values are told."""
NOTHING: Final = object()
Tell: TypeAlias = Callable[[str, Json, Json], Iterator[str]]
"""Tells how something of a name differs, given what to call it."""


@dataclass(frozen=True, slots=True)
class Written:
    """The document, before values from outside are put in, and a digest of each template by its path."""

    document: JsonObject = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)

    def since(self, former: "Written") -> tuple[str, ...]:
        """Return what differs from what was written before, as people read it: `route "lost": when removed`."""
        found = [*self._sections(former), *_names("template", former.templates, self.templates, _changed)]
        lines = [" ".join(line.split()) for line in found]  # names may hold line breaks
        left = len(lines) - MOST
        return (*lines[:MOST], *([f"and {left} more"] if left > 0 else []))

    def same(self, former: "Written", section: str) -> set[str]:
        """Return the names in a section that stand for the same as before, with what they are called."""
        before, after = _mapping(former.document, section), _mapping(self.document, section)
        return {label_of(NAMED[section], name) for name in after if before.get(name) == after[name]}

    def _sections(self, former: "Written") -> Iterator[str]:
        before, after = former.document, self.document
        for section, noun in NAMED.items():
            tell = _told if section in OPEN else _keys
            yield from _names(noun, _mapping(before, section), _mapping(after, section), tell)
        yield from _names("route", _routes(before), _routes(after), _route)
        yield from _order(_routes(before), _routes(after))
        yield from _forgotten(_quiet_entries(_routes(before)), _quiet_entries(_routes(after)))
        yield from _leaves("defaults", _mapping(before, "defaults"), _mapping(after, "defaults"))
        yield from (f"{key} changed" for key in ("include", "tests") if before.get(key) != after.get(key))


def label_of(noun: str, name: str) -> str:
    """Return what something of the rules is called."""
    return f'{noun} "{name}"'


def _mapping(document: JsonObject, section: str) -> Mapping[str, Json]:
    content = document.get(section)
    return content if isinstance(content, dict) else {}


def _routes(document: JsonObject) -> Mapping[str, Json]:
    routes = document.get("routes")
    listed = routes if isinstance(routes, list) else []
    return {str(route.get("name")): route for route in listed if isinstance(route, dict)}


def _names(noun: str, before: Mapping[str, Json], after: Mapping[str, Json], tell: Tell) -> Iterator[str]:
    """Tell which names came, went and stand for something else."""
    yield from (f"{label_of(noun, name)} added" for name in after if name not in before)
    yield from (f"{label_of(noun, name)} removed" for name in before if name not in after)
    for name in after:
        if name in before and before[name] != after[name]:
            yield from tell(label_of(noun, name), before[name], after[name])


def _changed(label: str, *_: Json) -> Iterator[str]:
    yield f"{label} changed"


def _keys(label: str, before: Json, after: Json) -> Iterator[str]:
    """Tell which keys differ, and none of their values."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = [key for key in {**before, **after} if before.get(key, NOTHING) != after.get(key, NOTHING)]
        yield f"{label}: {', '.join(names)} changed"
    else:
        yield f"{label} changed"


def _told(label: str, before: Json, after: Json) -> Iterator[str]:
    yield from (f"{label}: {line}" for line in _leaves("", before, after))


def _route(label: str, before: Json, after: Json) -> Iterator[str]:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return
    rest = [{key: value for key, value in route.items() if key != "deliver"} for route in (before, after)]
    yield from _told(label, *rest)
    entries = [route.get("deliver") for route in (before, after)]
    old, new = (each if isinstance(each, list) else [] for each in entries)
    yield from (f"{label}: entry {number + 1} added" for number in range(len(old), len(new)))
    yield from (f"{label}: entry {number + 1} removed" for number in range(len(new), len(old)))
    for number, (was, is_) in enumerate(zip(old, new, strict=False), 1):
        if isinstance(was, dict) and isinstance(is_, dict):
            yield from (f"{label}: entry {number}: {line}" for line in _entry(was, is_))


def _entry(before: JsonObject, after: JsonObject) -> Iterator[str]:
    for key in {**before, **after}:
        was, is_ = before.get(key, NOTHING), after.get(key, NOTHING)
        if was == is_:
            continue
        if key in SHOWN:
            yield from _leaves(key, was, is_)
        else:
            yield f"{key} {'added' if was is NOTHING else 'removed' if is_ is NOTHING else 'changed'}"


def _leaves(path: str, before: object, after: object) -> Iterator[str]:
    """Tell what differs below a path, leaf by leaf."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            below = f"{path}.{key}" if path else str(key)
            yield from _leaves(below, before.get(key, NOTHING), after.get(key, NOTHING))
    elif before is NOTHING:
        yield f"{path} {_short(after)} added"
    elif after is NOTHING:
        yield f"{path} {_short(before)} removed"
    else:
        yield f"{path} {_short(before)} → {_short(after)}"


def _order(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[str]:
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        yield "the routes stand in another order"


def _quiet_entries(routes: Mapping[str, Json]) -> Mapping[tuple[str, int], Json]:
    """Return the targets of the entries that remember what they told, by the route and the place that they do it by."""
    return {
        (name, number): entry.get("to")
        for name, route in routes.items()
        if isinstance(route, dict) and isinstance(entries := route.get("deliver"), list)
        for number, entry in enumerate(entries)
        if isinstance(entry, dict) and (entry.get("once") or entry.get("repeat_after"))
    }


def _forgotten(before: Mapping[tuple[str, int], Json], after: Mapping[tuple[str, int], Json]) -> Iterator[str]:
    """Tell which entries begin anew, for what seems to be the same entry stood at another place."""
    gone = [place for place in before if after.get(place, NOTHING) != before[place]]
    for place in (place for place in after if before.get(place, NOTHING) != after[place]):
        was = next((each for each in gone if before[each] == after[place]), None)
        if was is not None:
            gone.remove(was)
            (name, number), (old, at) = place, was
            told = f"entry {at + 1} of {label_of('route', old)}"
            yield f"{label_of('route', name)}: entry {number + 1} does not know what {told} has told, and may repeat it"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
