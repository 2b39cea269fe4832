"""Trello's texts: lengths kept, and the mark by which a card can be found again."""

import hashlib
import re
from typing import Final

from bridge.component import markdown

LONGEST: Final = 16_384
"""What Trello takes of a name, a description, a comment or an item."""
MARK: Final = re.compile(r"\[bridge:[0-9a-f]{16}\]\s*\Z")
"""The last line of a description, made by ``mark_of``."""


def cut(text: str, limit: int = LONGEST) -> str:
    """Return Markdown within a limit; see ``markdown.cut``."""
    return markdown.cut(text, limit)


def line(text: str, limit: int = LONGEST) -> str:
    """Return text as one line within a limit: what a name is."""
    return cut(" ".join(text.split()), limit)


def mark_of(key: str) -> str:
    """Return the mark of a key: the same for the same key, and of an even length whatever is in it."""
    return f"[bridge:{hashlib.sha256(key.encode()).hexdigest()[:16]}]"


def marked(text: str, mark: str) -> str:
    """Return a description with a mark below it, within Trello's limit."""
    ending = f"\n\n{mark}"
    return cut(text.rstrip(), LONGEST - len(ending)) + ending if text.strip() else mark


def mark_in(text: str) -> str | None:
    """Return the mark of a description, if it ends with one."""
    found = MARK.search(text)
    return found.group().strip() if found else None
