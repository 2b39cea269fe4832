"""Lengths as services count them: in UTF-16, of which some characters take two units."""

from typing import Final

ELLIPSIS: Final = "…"
"""Ends a text that was cut."""


def units(text: str) -> int:
    """Return how long a text is, as JavaScript counts."""
    return len(text) + sum(character > "\uffff" for character in text)


def shortened(text: str, limit: int) -> str:
    """Return the beginning of a text that is no longer than a limit, with no half of a character."""
    return text.encode("utf-16-le", "replace")[: 2 * limit].decode("utf-16-le", "ignore")


def cut(text: str, limit: int) -> str:
    """Return plain text within a limit, with an ellipsis where it was cut."""
    return text if units(text) <= limit else shortened(text, limit - 1) + ELLIPSIS
