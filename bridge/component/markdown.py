r"""Markdown: data made inert, and lengths kept.

Descriptions, comments and messages of many services are CommonMark, in which a backslash before punctuation takes its
meaning away (https://spec.commonmark.org/0.31.2/#backslash-escapes).
"""

import re
from typing import Final

from bridge.component.lengths import ELLIPSIS, shortened, units
from bridge.model import Json

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


def said(value: Json, otherwise: str = "") -> str:
    """Return what a value says as text; ``otherwise`` where that is nothing, or blank."""
    text = "" if value is None else str(value)
    return text if text.strip() else otherwise


def escape(data: str) -> str:
    """Return data that is shown literally: it can be no link, no mention and no markup."""
    *firsts, last = BREAKS.split(data)
    whole = "\n".join([*(each.rstrip(" \t") for each in firsts), last])  # two blanks before its end would break a line
    lines = INDENT.sub(lambda found: "" if found.start() else " ", whole)
    return AT.sub(f"@{JOINER}", BLOCK.sub(_defused, SIGNS.sub(r"\\\g<0>", lines)))


def unescape(text: str) -> str:
    """Return text as a person reads it, but for the author's own markup."""
    return ESCAPED.sub(r"\1", text).replace(JOINER, "")


def cut(text: str, limit: int) -> str:
    """Return text within a limit, with an ellipsis where it was cut, and never half an escape."""
    if units(text) <= limit:
        return text
    kept = shortened(text, limit - 1)
    bare = kept.rstrip("\\")
    return bare + "\\" * ((len(kept) - len(bare)) // 2 * 2) + ELLIPSIS


def _defused(found: re.Match[str]) -> str:
    blank, sign = found.groups()
    return f"{blank}{sign}\\" if sign.isdecimal() else f"{blank}\\{sign}"
