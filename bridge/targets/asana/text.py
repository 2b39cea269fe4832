"""Texts as Asana keeps them: plain, with a mark below the description, and within its limits."""

from typing import Final

from bridge.component.lengths import cut

LONGEST_NAME: Final = 1024
LONGEST: Final = 65_000
"""Of a description or a comment: Asana refuses what is longer than 65 535 bytes or so."""


def line(text: str) -> str:
    """Return text as one line: what a name is."""
    return cut(" ".join(text.split()), LONGEST_NAME)


def within(text: str, limit: int = LONGEST) -> str:
    """Return text that is no longer than so many bytes, with an ellipsis where it was cut."""
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= limit else encoded[: limit - 3].decode("utf-8", "ignore") + "…"


def marked(text: str, mark: str) -> str:
    """Return a description with a mark below it."""
    ending = f"\n\n{mark}"
    return within(text.rstrip(), LONGEST - len(ending)) + ending if text.strip() else mark
