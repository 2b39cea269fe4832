"""Telegram's HTML: data made inert, lengths kept without breaking a tag, and read back as text.

https://core.telegram.org/bots/api#html-style: of named entities it knows four.
"""

import html
import re
from typing import Final

from bridge.component.lengths import ELLIPSIS, units
from bridge.component.lengths import cut as cut_plain
from bridge.component.markdown import AT, JOINER

MOST: Final = 4096
PIECE: Final = re.compile(r"<(?P<closes>/?)(?P<tag>[a-zA-Z][\w-]*)[^<>]*>|&#?\w{1,10};|.", re.DOTALL)
TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*>")


def escape(data: str) -> str:
    """Return data that is shown literally: it can be no tag, no attribute and no mention."""
    return AT.sub(f"@{JOINER}", html.escape(data).replace("&#x27;", "'"))


def plain(text: str) -> str:
    """Return what a person reads."""
    return html.unescape(TAG.sub("", text)).replace(JOINER, "")


def plain_cut(text: str) -> str:
    """Return what a person reads, within Telegram's limit."""
    return cut_plain(plain(text), MOST) or ELLIPSIS


def cut(text: str, limit: int = MOST) -> str:
    """Return HTML within a limit, with an ellipsis where it was cut, never half a tag, and each tag closed."""
    if units(text) <= limit:
        return text
    kept: list[str] = []
    open_tags: list[str] = []
    left = limit - len(ELLIPSIS)
    for piece in PIECE.finditer(text):
        written, tag = piece.group(), piece["tag"]
        if tag and piece["closes"]:
            if not open_tags or open_tags[-1] != tag:
                continue  # Telegram would refuse it
            open_tags.pop()
        else:
            left -= units(written) + (len(f"</{tag}>") if tag else 0)
            if left < 0:
                break
            open_tags += [tag] if tag else []
        kept.append(written)
    return "".join((*kept, ELLIPSIS, *(f"</{tag}>" for tag in reversed(open_tags))))
