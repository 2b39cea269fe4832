"""Filters over texts. Nothing stays nothing; what is no text is an error, not its Python spelling."""

import json
import re
from collections.abc import Callable
from textwrap import indent
from typing import Any
from urllib.parse import quote

from jinja2.runtime import Undefined
from markupsafe import Markup

from bridge.document import is_empty
from bridge.rendering.budget import account
from bridge.rendering.value import described, given, plain, printed

_BREAK = re.compile(r"(?i)<(?:br|/p|/div|/li)[^<>]*>")
INDENT = 40
"""Columns that `indent` may add."""


def text_of(value: object, filter_name: str) -> str:
    """Return the text that a filter works on; safe texts stay marked as such.

    Raises:
        TypeError: the value is no text, number or list of them.
    """
    if isinstance(value, str):
        account.get().write(len(value))
        return value
    value = given(value)
    if isinstance(value, bool) or not (value is None or isinstance(value, int | float)):
        raise TypeError(f"{filter_name} wants a text, not {described(value)}")
    return printed(value)


def _plainly(name: str, method: Callable[[str], str]) -> Callable[[object], str]:
    def apply(value: object) -> str:
        return method(text_of(value, name))

    return apply


def replace(value: object, old: str, new: str) -> str:
    """Return the text with one piece replaced by another everywhere."""
    text = text_of(value, "replace")
    account.get().write(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def truncate(value: object, length: int = 80, end: str = "…") -> str:
    """Return the text, cut between words so that it has at most ``length`` characters, with ``end`` where it was."""
    text = text_of(value, "truncate")
    if len(text) <= length:
        return text
    room = max(length - len(end), 0)
    words = text[: room + 1].rsplit(None, 1)
    return (words[0].rstrip() if len(words) > 1 else text[:room]) + end


def indented(value: object, width: int = 4) -> str:
    """Return the text with every line but the first moved to the right."""
    text = text_of(value, "indent")
    if not 0 <= width <= INDENT:
        raise ValueError(f"indent takes 0 to {INDENT} columns")
    account.get().write(len(text) + text.count("\n") * width)
    first, newline, rest = str(text).partition("\n")
    return type(text)(first + newline + indent(rest, " " * width))


def striptags(value: object) -> str:
    """Return the text of an HTML fragment."""
    lines = _BREAK.sub("\n", text_of(value, "striptags")).split("\n")
    return "\n".join(Markup(line).striptags() for line in lines).strip()  # noqa: S704 (to be stripped, not trusted)


def urlencode(value: object) -> str:
    """Return a text as it may stand in an address."""
    return quote(text_of(value, "urlencode"), safe="")


def tojson(value: object) -> str:
    """Return a value as JSON."""
    return json.dumps(plain(value), ensure_ascii=False)


def default(value: Any, instead: Any = "") -> Any:  # noqa: ANN401 (any value, and any in its place)
    """Return ``instead`` of what is undefined or empty."""
    return instead if isinstance(value, Undefined) or is_empty(value) else value


TEXT_FILTERS: dict[str, Callable[..., Any]] = {
    "capitalize": _plainly("capitalize", lambda text: text.capitalize()),
    "default": default,
    "indent": indented,
    "lower": _plainly("lower", lambda text: text.lower()),
    "replace": replace,
    "string": printed,
    "striptags": striptags,
    "title": _plainly("title", lambda text: text.title()),
    "tojson": tojson,
    "trim": _plainly("trim", lambda text: text.strip()),
    "truncate": truncate,
    "upper": _plainly("upper", lambda text: text.upper()),
    "urlencode": urlencode,
}
