r"""Trello's Markdown: data made inert, lengths kept, and the mark by which a card can be found again.

Descriptions, comments and items of checklists are CommonMark, in which a backslash before punctuation takes its meaning
away (https://spec.commonmark.org/0.31.2/#backslash-escapes). Lengths are counted as JavaScript does, in UTF-16.
"""

import hashlib
import re
from typing import Final

ELLIPSIS: Final = "…"
LONGEST: Final = 16_384
"""What Trello takes of a name, a description, a comment or an item."""
JOINER: Final = "\u2060"
"""Has no width, and keeps what follows an at-sign from being the name of a person, or of all."""

SIGNS: Final = re.compile(r"[\\`*\[\]<>~|]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w)")
"""What begins or ends markup within a line. An underscore within a word is a letter."""
BLOCK: Final = re.compile(
    r"^( ?)([-+](?=\s|$)|-(?=[- \t]*$)|=(?=[= \t]*$)|#(?=#{0,5}(?:\s|$))|\d{1,9}(?=[.)](?:\s|$)))", re.MULTILINE
)
"""What begins a heading, a list, a line or an item of a numbered list, at the beginning of a line."""
INDENT: Final = re.compile(r"(?<=\n)[ \t]+|\A[ \t]{2,}|\A\t")
"""What could begin a block of code, or hide the sign behind it; of data that begins with spaces, one is left."""
BREAKS: Final = re.compile(r"\r\n?|[\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
AT: Final = re.compile(r"(?<![0-9A-Za-z])@")
"""An at-sign that is in no e-mail address."""
ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
MARK: Final = re.compile(r"\[bridge:[0-9a-f]{16}\]\s*\Z")
"""The last line of a description, made by ``mark_of``."""


def escape(data: str) -> str:
    """Return data as Trello shows it literally: it can be no link, no mention and no markup."""
    *firsts, last = BREAKS.split(data)
    whole = "\n".join([*(each.rstrip(" \t") for each in firsts), last])  # two blanks before its end would break a line
    lines = INDENT.sub(lambda found: "" if found.start() else " ", whole)
    return AT.sub(f"@{JOINER}", BLOCK.sub(_defused, SIGNS.sub(r"\\\g<0>", lines)))


def unescape(text: str) -> str:
    """Return text as a person reads it, but for the author's own markup."""
    return ESCAPED.sub(r"\1", text).replace(JOINER, "")


def cut(text: str, limit: int = LONGEST) -> str:
    """Return text within a limit, with an ellipsis where it was cut, and never half an escape."""
    if _units(text) <= limit:
        return text
    kept = text.encode("utf-16-le", "replace")[: 2 * (limit - 1)].decode("utf-16-le", "ignore")
    bare = kept.rstrip("\\")
    return bare + "\\" * ((len(kept) - len(bare)) // 2 * 2) + ELLIPSIS


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


def _defused(found: re.Match[str]) -> str:
    blank, sign = found.groups()
    return f"{blank}{sign}\\" if sign.isdecimal() else f"{blank}\\{sign}"


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)
