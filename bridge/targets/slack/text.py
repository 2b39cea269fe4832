"""Slack's text: data made inert, lengths kept, and blocks read back as text.

Lengths are Slack's documented limits in characters; beyond them it refuses the whole message.
"""

import re
from collections.abc import Iterator
from typing import Final

from bridge.component import markdown
from bridge.component.lengths import ELLIPSIS
from bridge.model import Json, JsonObject

EMPTY: Final = "—"
"""Stands in for the text of an element that came out empty: Slack refuses elements without text."""
MOST_TEXT: Final = 40_000
MOST_BLOCKS: Final = 50
MOST_NOTIFICATION: Final = 3000
"""What is worth repeating of blocks as the text of a notification; ours, not Slack's."""
TEXT_TYPES: Final = frozenset({"mrkdwn", "plain_text"})
ELEMENT_TEXT: Final = 3000
"""The limit of a text element wherever no narrower one holds."""
NARROWER: Final[dict[tuple[str, str], int]] = {
    ("header", "text"): 150,
    ("section", "fields"): 2000,
    ("button", "text"): 75,
    ("image", "title"): 2000,
    ("video", "title"): 200,
    ("video", "description"): 200,
}
"""Limits of the text elements under one field of one type of block or element."""
STRINGS: Final[dict[tuple[str, str], int]] = {
    ("markdown", "text"): 12_000,
    ("image", "alt_text"): 2000,
    ("video", "alt_text"): 2000,
    ("button", "value"): 2000,
}
"""Limits of plain strings."""

BRACKET: Final = re.compile(r"\\([<>&])")
BROKEN_TAIL: Final = re.compile(r"(?:&[a-z]{0,3}|<[^<>]*)\Z")
"""The beginning of an entity or of a link that a cut went through."""


def escape(data: str) -> str:
    """Return data as Slack shows it literally: it can be no link, no mention and no entity."""
    return data.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_markdown(data: str) -> str:
    """Return data as Slack shows it literally in Markdown, where a reference to a person has brackets too."""
    return BRACKET.sub(lambda found: escape(found[1]), markdown.escape(data))


def unescape(text: str) -> str:
    """Return text as a person reads it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def cut(text: str, limit: int) -> str:
    """Return text within a limit, with an ellipsis where it was cut, and never half an entity or half a link."""
    if len(text) <= limit:
        return text
    return BROKEN_TAIL.sub("", text[: limit - 1]) + ELLIPSIS


def fitted(blocks: list[JsonObject]) -> list[Json]:
    """Return blocks whose every text is within its limit and none empty."""
    return [_fit(block, ELEMENT_TEXT) for block in blocks]


def written(blocks: Json) -> Iterator[str]:
    """Yield what is written in blocks, from the top down."""
    if isinstance(blocks, list):
        for item in blocks:
            yield from written(item)
    elif isinstance(blocks, dict):
        text = blocks.get("text")
        if isinstance(text, str):
            yield text
        yield from written([value for value in blocks.values() if isinstance(value, list | dict)])


def notification(blocks: list[JsonObject]) -> str:
    """Return the text that notifications show for blocks that came without one."""
    return cut("\n".join(written(list(blocks))).strip() or EMPTY, MOST_NOTIFICATION)


def _fit(node: Json, limit: int) -> Json:
    if isinstance(node, list):
        return [_fit(item, limit) for item in node]
    if not isinstance(node, dict):
        return node
    kind = str(node.get("type"))
    fields = {name: _fit_field(kind, name, value) for name, value in node.items()}
    return {**fields, "text": _written(fields.get("text"), limit)} if kind in TEXT_TYPES else fields


def _fit_field(kind: str, name: str, value: Json) -> Json:
    if (kind, name) in STRINGS:
        return _written(value, STRINGS[kind, name])
    return _fit(value, NARROWER.get((kind, name), ELEMENT_TEXT))


def _written(value: Json, limit: int) -> str:
    """Return an element's text; a template may have given a number, or nothing."""
    text = "" if value is None else str(value)
    return cut(text if text.strip() else EMPTY, limit)
