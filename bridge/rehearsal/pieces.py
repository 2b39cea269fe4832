"""The pieces of a route that are rendered, one by one: to tell which of them failed, and what each of them uses."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import orjson

from bridge.model import JsonObject
from bridge.options import Loc
from bridge.rendering import Expression, Reference, Structure, Template
from bridge.rendering.template import Branch, Part
from bridge.routing.route import Context, DeliverEntry, Route
from bridge.routing.timing import Digest

_BRANCHES = re.compile(r"\{%|\b(?:if|and|or)\b")


@dataclass(frozen=True, slots=True)
class Piece:
    """One template: where it stands, what its errors call it, how it is rendered, and what it uses.

    ``digest`` gathers what it is told of, if that is many changes. ``within`` are those that it is made of.
    """

    loc: Loc
    name: str
    render: Callable[[Context], object]
    used: Sequence[Reference] = ()
    digest: Digest | None = None
    within: tuple["Piece", ...] = ()

    @property
    def is_when(self) -> bool:
        """Tell whether it is the `when` of its route."""
        return self.loc[2:] == ("when",)


def pieces_of(route: Route, written: JsonObject, loc: Loc) -> tuple[Piece, ...]:
    """Return the pieces of a route, which stands at a place in the rules and is written so there."""
    return tuple(_pieces(route, written, loc))


def may_branch(written: JsonObject) -> bool:
    """Tell whether what a route renders may depend on what is missing: then what one field decides may hide another."""
    entries = cast("list[JsonObject]", written["deliver"])
    texts = orjson.dumps([written.get("digest"), entries]).decode()
    return "when" in written or any("template" in entry for entry in entries) or bool(_BRANCHES.search(texts))


def _pieces(route: Route, written: JsonObject, loc: Loc) -> Iterator[Piece]:
    if isinstance(route.when, Expression):
        yield Piece((*loc, "when"), "", route.when.test, route.when.references())
    by = next((entry.timing.by for entry in route.deliver if isinstance(entry.timing, Digest)), None)
    if isinstance(by, Template):
        yield Piece((*loc, "digest", "by"), "", by.render, by.references())
    for index, entry in enumerate(route.deliver):
        deliver = cast("list[JsonObject]", written["deliver"])
        yield from _of_entry(entry, deliver[index], (*loc, "deliver", index))


def _of_entry(entry: DeliverEntry, written: JsonObject, loc: Loc) -> Iterator[Piece]:
    digest = entry.timing if isinstance(entry.timing, Digest) else None
    if isinstance(entry.key, Template) and "key" in written:
        yield Piece((*loc, "key"), "", entry.key.render, entry.key.references(), digest)
    content = cast("Structure", entry.content)
    within = tuple(
        piece
        for name, part in content.parts.items()
        for piece in _leaves(part, (*loc, name if name in written else "template"), name, digest)
    )
    yield Piece(loc, "", content.render, content.references(), digest, within)


def _leaves(part: Part, loc: Loc, name: str, digest: Digest | None) -> Iterator[Piece]:
    inside: Mapping[str, Part] | None = part.parts if isinstance(part, Structure) else None
    if inside is None and not isinstance(part, Branch):
        yield Piece(loc, name, part.value, part.references(), digest)
        return
    steps: Iterator[tuple[str | int, Part]] = (
        iter(inside.items()) if inside is not None else enumerate(cast("Branch", part).parts)
    )
    for step, each in steps:
        yield from _leaves(each, (*loc, step), f"{name}.{step}", digest)
