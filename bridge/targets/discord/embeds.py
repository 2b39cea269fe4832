"""What is said to Discord: texts within its limits, one by one and all together.

https://docs.discord.com/developers/resources/message#embed-object-embed-limits: where all texts of all embeds have more
than 6000 characters together, Discord refuses the message.
"""

from collections.abc import Iterator
from typing import Final

from bridge.component.lengths import cut as cut_plain
from bridge.component.lengths import units
from bridge.component.markdown import cut, said, unescape
from bridge.model import Json, JsonObject

EMPTY: Final = "—"
"""Stands in for a text that came out empty where Discord wants one."""
MOST_TEXT: Final = 2000
MOST_TOGETHER: Final = 6000
MOST_FIELDS: Final = 25
LEAST: Final = 2
"""What is kept back for the name and the value of a field in which the rest is cut off."""
LIMITS: Final = {"title": 256, "description": 4096, "name": 256, "value": 1024, "text": 2048}
"""Of a text, by its key."""
PLAIN: Final = frozenset({"author", "footer"})
"""The parts in which Discord reads no Markdown, so that an escape would be seen."""


class Room:
    """How much may still be said in one message."""

    def __init__(self) -> None:
        """Begin with all of it."""
        self._left = MOST_TOGETHER

    def fitted(self, text: str, limit: int, *, plain: bool = False) -> str:
        """Return a text, cut to its limit or to what is left."""
        shorten = cut_plain if plain else cut
        short = shorten(text, limit)
        if units(short) > self._left - LEAST:
            short = shorten(short, max(self._left - LEAST, 1))
        self._left -= units(short)
        return short

    @property
    def used(self) -> bool:
        """Tell whether nothing else fits."""
        return self._left < LEAST


def fitted(embeds: list[JsonObject]) -> list[Json]:
    """Return embeds that Discord takes: within their limits, without what came out empty."""
    room = Room()
    found: list[Json] = [told for embed in embeds if (told := _embed(embed, room))]
    return found or [{"description": EMPTY}]


def written(embeds: list[JsonObject]) -> Iterator[str]:
    """Yield what is written in embeds, from the top down, as a person reads it."""
    for embed in embeds:
        for name in ("author", "title", "description", "fields", "footer"):
            yield from _read(embed.get(name))


def _read(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _read(each)
    elif isinstance(value, dict):
        said = [str(value[name]) for name in ("name", "value", "text") if value.get(name)]
        yield from [unescape(": ".join(said))] if said else []
    elif value:
        yield unescape(str(value))


def _embed(embed: JsonObject, room: Room) -> JsonObject:
    return _without_empty({name: _part(name, value, room) for name, value in embed.items()})


def _part(name: str, value: Json, room: Room) -> Json:
    if isinstance(value, list):
        return _fields(value, room)
    if isinstance(value, dict):
        return _without_empty({key: _inner(key, each, room, plain=name in PLAIN) for key, each in value.items()})
    return _inner(name, value, room)


def _fields(fields: list[Json], room: Room) -> list[Json]:
    found: list[Json] = []
    for field in fields[:MOST_FIELDS]:
        if isinstance(field, dict) and not room.used:
            told = {name: room.fitted(said(field.get(name), EMPTY), LIMITS[name]) for name in ("name", "value")}
            found.append({**field, **told})
    return found


def _inner(key: str, value: Json, room: Room, *, plain: bool = False) -> Json:
    """Return a text within its limit; addresses and what else there is take no escape."""
    if key not in LIMITS:
        return unescape(value) if isinstance(value, str) else value
    text = said(value)
    if not text or room.used:
        return ""
    return room.fitted(unescape(text) if plain else text, LIMITS[key], plain=plain)


def _without_empty(part: JsonObject) -> JsonObject:
    return {name: value for name, value in part.items() if value not in (None, "", {}, [])}
