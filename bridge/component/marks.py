"""Marks, by which a thing is found again at a service that knows no key of ours: the last line of its text."""

import hashlib
import re
from typing import Final

MARK: Final = re.compile(r"\[bridge:[0-9a-f]{16}\]\s*\Z")
"""The last line of a text, made by ``mark_of``."""


def mark_of(key: str) -> str:
    """Return the mark of a key: the same for the same key, and of an even length whatever is in it."""
    return f"[bridge:{hashlib.sha256(key.encode()).hexdigest()[:16]}]"


def mark_in(text: str) -> str | None:
    """Return the mark of a text, if it ends with one."""
    found = MARK.search(text)
    return found.group().strip() if found else None
