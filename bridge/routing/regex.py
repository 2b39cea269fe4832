"""Regular expressions that need time in proportion to the text, whatever the rule says and whatever the text holds.

The text of an event is anybody's, and one name can keep an engine that goes back and tries again busy for years. RE2
never goes back; what cannot be had without that is left out of its syntax.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from bridge.errors import MatchError

LONGEST = 50_000
"""Characters that are searched for one verdict."""
INSTRUCTIONS = 10_000
"""Size that a pattern may compile to: each character of a text may cost as many steps."""

Search: TypeAlias = Callable[[Sequence[str]], bool]
"""Tells whether a pattern is found anywhere in one of these texts; raises MatchError if they are too long."""

_LEFT_OUT = (
    (re.compile(r"\(\?<?[=!]"), "it cannot look ahead or behind: ask that with a matcher of its own, such as `not`"),
    (re.compile(r"escape sequence: \\[1-9]"), "it cannot ask for what one of its groups has found"),
    (re.compile(r"escape sequence: \\Z"), r"the end of the text is `$` or `\z`"),
    (re.compile(r"escape sequence: \\u"), r"write the letter itself, or `\x{e9}`"),
    (re.compile(r"repetition size"), "a part can be repeated at most 1000 times"),
)


class BadPatternError(Exception):
    """A pattern that cannot be used: message, and a hint if there is one."""


def search_for(pattern: str) -> Search:
    """Compile a pattern.

    Raises:
        BadPatternError: it is none that RE2 knows, or it is too large.
    """
    compiled = _compiled(pattern)
    if compiled.programsize > INSTRUCTIONS:
        raise BadPatternError("this regular expression is too large", "repeat less, or name fewer kinds of letters")

    def search(texts: Sequence[str]) -> bool:
        if sum(map(len, texts)) + len(texts) > LONGEST:
            raise MatchError(f"`matches` does not search more than {LONGEST} characters")
        return any(compiled.search(text.encode("utf-8", "replace")) for text in texts)

    return search


def _compiled(pattern: str) -> Any:  # noqa: ANN401 (RE2 comes without types)
    import re2  # noqa: PLC0415 (few rules have regular expressions, and those are compiled as they are loaded)

    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        said = _said(error)
        hint = next((hint for sign, hint in _LEFT_OUT if sign.search(said)), "")
        raise BadPatternError(f"this is no regular expression: {said}", hint) from None


def _said(error: Exception) -> str:
    said = error.args[0]
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error)
