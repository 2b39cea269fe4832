"""Trello's texts: lengths kept, and the mark below a description."""

from typing import Final

from bridge.component import markdown

LONGEST: Final = 16_384
"""What Trello takes of a name, a description, a comment or an item."""


def cut(text: str, limit: int = LONGEST) -> str:
    """Return Markdown within a limit; see ``markdown.cut``."""
    return markdown.cut(text, limit)


def line(text: str, limit: int = LONGEST) -> str:
    """Return text as one line within a limit: what a name is."""
    return cut(" ".join(text.split()), limit)


def marked(text: str, mark: str) -> str:
    """Return a description with a mark below it, within Trello's limit."""
    ending = f"\n\n{mark}"
    return cut(text.rstrip(), LONGEST - len(ending)) + ending if text.strip() else mark
