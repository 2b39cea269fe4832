"""Adaptive Cards as Teams shows them: version 1.5, within the 28 KB that a workflow takes.

https://adaptivecards.microsoft.com: texts of TextBlock and of facts are Markdown, all others are shown as they are.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from bridge.component.http import json_body
from bridge.component.lengths import ELLIPSIS
from bridge.component.markdown import cut, said, unescape
from bridge.model import Json, JsonObject
from bridge.targets.teams.options import TeamsAction

CARD: Final = "application/vnd.microsoft.card.adaptive"
MOST_BYTES: Final = 28 * 1024
SHORTEST: Final = 60
"""Characters below which a text is not cut any more: parts of the card are left out instead."""
EMPTY: Final = "—"
"""Stands in for a text that came out empty."""
MORE: Final[JsonObject] = {"type": "TextBlock", "text": ELLIPSIS}
MARKDOWN: Final = {"TextBlock": ("text",), "Fact": ("title", "value")}
"""The texts in which Markdown is read, by the type of their element."""
SINGLE_BREAK: Final = re.compile(r"(?<!\n)\n(?!\n|[ \t]*(?:[-*+]|\d+[.)])[ \t])")
"""A line break that no list item follows: Markdown would join the lines."""


def payload(action: TeamsAction) -> JsonObject:
    """Return what the workflow is sent."""
    card = _composed(action) if action.own is None else _readied(action.own)
    return _enveloped(_fitted(card))


def written(card: Json) -> Iterator[str]:
    """Yield what is written in a card, from the top down, as a person reads it."""
    if isinstance(card, list):
        for each in card:
            yield from written(each)
    elif isinstance(card, dict):
        if "value" in card and "title" in card:
            yield unescape(f"{card['title']}: {card['value']}")
            return
        said = card.get("text") or card.get("title")
        if isinstance(said, str):
            yield unescape(said)
        yield from written([each for each in card.values() if isinstance(each, list | dict)])


def _composed(action: TeamsAction) -> JsonObject:
    """Return a card with a title, a text, facts and buttons."""
    body: list[Json] = []
    if action.title and action.title.strip():
        title = " ".join(action.title.split())
        body.append({"type": "TextBlock", "text": title, "weight": "Bolder", "size": "Medium", "wrap": True})
    if action.text:
        body.append({"type": "TextBlock", "text": SINGLE_BREAK.sub("\n\n", action.text), "wrap": True})
    if facts := _facts(action):
        body.append({"type": "FactSet", "facts": facts})
    card: JsonObject = {**_card(), "body": body or [{"type": "TextBlock", "text": EMPTY}]}
    buttons = _buttons(action)
    return {**card, "actions": buttons} if buttons else card


def _facts(action: TeamsAction) -> list[Json]:
    facts = (action.facts or {}).items()
    return [{"title": title, "value": str(value)} for title, value in facts if value is not None and str(value).strip()]


def _buttons(action: TeamsAction) -> list[Json]:
    buttons = (action.buttons or {}).items()
    return [{"type": "Action.OpenUrl", "title": title, "url": url} for title, url in buttons if url]


def _readied(card: JsonObject) -> JsonObject:
    """Return a card of one's own as Teams takes it."""
    ready = _part(card, "AdaptiveCard")
    return {**_card(), **ready} if isinstance(ready, dict) else _card()


def _part(node: Json, kind: str) -> Json:
    """Return a part of a card: Markdown as it is, other texts without escapes, and nothing that is null."""
    if isinstance(node, list):
        return [_part(each, kind) for each in node]
    if not isinstance(node, dict):
        return unescape(node) if isinstance(node, str) else node
    inner = str(node.get("type", kind))
    texts = MARKDOWN.get(inner, ())
    told = {
        name: said(node.get(name), EMPTY) if name in texts else _part(value, "Fact" if name == "facts" else "")
        for name, value in {**dict.fromkeys(texts), **node}.items()
    }
    return {name: value for name, value in told.items() if value is not None}


def _card() -> JsonObject:
    return {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.5"}


def _enveloped(card: JsonObject) -> JsonObject:
    content: JsonObject = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [content]}


def _fits(card: JsonObject) -> bool:
    return len(json_body(_enveloped(card))) <= MOST_BYTES


def _fitted(card: JsonObject) -> JsonObject:
    """Return a card within the limit: its longest texts are cut, and then its last parts are left out."""
    while not _fits(card):
        place, text = max(_places(card), key=lambda each: len(each[1]), default=((), ""))
        if len(text) <= SHORTEST:
            return _begun(card)
        card = _with(card, place, cut(text, max(len(text) // 2, SHORTEST)))
    return card


def _begun(card: JsonObject) -> JsonObject:
    """Return as many of the first parts of a card as fit, with a sign below them that there were more."""
    body = card.get("body")
    parts = body if isinstance(body, list) else []

    def begun(count: int) -> JsonObject:
        return {**card, "body": [*parts[:count], MORE]}

    too_many = bisect_left(range(len(parts)), True, key=lambda count: not _fits(begun(count)))
    return begun(too_many - 1) if too_many else {**_card(), "body": [MORE]}


def _places(node: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield where texts in Markdown stand, and the texts."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from _places(each, (*path, index))
    elif isinstance(node, dict):
        texts = (
            MARKDOWN["TextBlock"] if node.get("type") == "TextBlock" else MARKDOWN["Fact"] if "value" in node else ()
        )
        for name, value in node.items():
            if name in texts and isinstance(value, str):
                yield (*path, name), value
            else:
                yield from _places(value, (*path, name))


def _with(node: Json, path: tuple[str | int, ...], text: str) -> JsonObject:
    """Return a card with another text at a place."""

    def put(inside: Json, way: tuple[str | int, ...]) -> Json:
        if not way:
            return text
        first, rest = way[0], way[1:]
        if isinstance(inside, dict):
            return {name: put(each, rest) if name == first else each for name, each in inside.items()}
        if isinstance(inside, list):
            return [put(each, rest) if index == first else each for index, each in enumerate(inside)]
        return inside

    changed = put(node, path)
    return changed if isinstance(changed, dict) else {}
