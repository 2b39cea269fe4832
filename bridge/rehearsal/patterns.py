"""A text in which a regular expression is found, made by walking through what the expression is made of."""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from re import _constants as signs  # type: ignore[attr-defined]  # the parser of the standard library, which has no
from re import _parser as parser  # type: ignore[attr-defined]  # types; what it cannot read gets no text
from typing import Any, Final, TypeAlias

from bridge.errors import MatchError
from bridge.routing.regex import BadPatternError, search_for

MOST: Final = 2000
"""Characters of a text at most."""
LETTERS: Final = "aA1 -_.@é/,:x0Zz"
"""What is tried where anything but some letters is asked for, or any letter of a kind."""
_AROUND: Final = (("", ""), ("a", "a"), (" ", " "))
_SPELLINGS: Final = (
    (re.compile(r"\\z"), lambda _: r"\Z"),
    (re.compile(r"\\x\{([0-9A-Fa-f]{1,5})\}"), lambda found: re.escape(chr(int(found[1], 16)))),
    (re.compile(r"\[:digit:\]"), lambda _: "0-9"),
    (re.compile(r"\[:(?:alpha|lower|alnum|word):\]"), lambda _: "a-zA-Z"),
    (re.compile(r"\[:upper:\]"), lambda _: "A-Z"),
    (re.compile(r"\[:space:\]"), lambda _: r"\s"),
)
"""How RE2 writes what Python's parser reads otherwise."""
_CATEGORIES: Final[dict[Any, Callable[[str], bool]]] = {
    signs.CATEGORY_DIGIT: lambda letter: letter in "0123456789",
    signs.CATEGORY_NOT_DIGIT: lambda letter: letter not in "0123456789",
    signs.CATEGORY_SPACE: str.isspace,
    signs.CATEGORY_NOT_SPACE: lambda letter: not letter.isspace(),
    signs.CATEGORY_WORD: lambda letter: letter.isascii() and (letter.isalnum() or letter == "_"),
    signs.CATEGORY_NOT_WORD: lambda letter: not (letter.isascii() and (letter.isalnum() or letter == "_")),
}
Node: TypeAlias = tuple[Any, Any]


class _NoTextError(Exception):
    """Something that no text is made for here."""


def text_for(pattern: str) -> str | None:
    """Return a text in which a pattern is found, if one can be made; none too long to look at."""
    try:
        found = search_for(pattern)
        return next((text for text in _candidates(pattern) if text and found([text])), None)
    except (BadPatternError, MatchError):
        return None


def _candidates(pattern: str) -> Iterator[str]:
    """Yield texts that may do: with what may be left out and without, and with something around."""
    for spelling, written in _SPELLINGS:
        pattern = spelling.sub(written, pattern)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parser.parse(pattern)
        made = [_joined(tree, least=least) for least in (False, True)]
    except (re.error, _NoTextError, RecursionError, OverflowError):
        return
    yield from (before + text + after for text in made for before, after in _AROUND)


def _joined(nodes: Iterable[Node], *, least: bool) -> str:
    text = ""
    for operator, operand in nodes:
        text += _made(operator, operand, least=least)
        if len(text) > MOST:
            raise _NoTextError
    return text


def _made(operator: Any, operand: Any, *, least: bool) -> str:  # noqa: ANN401 (the parser has no types)
    if operator is signs.LITERAL:
        return chr(operand)
    if operator is signs.AT:
        return ""
    if operator in {signs.MAX_REPEAT, signs.MIN_REPEAT}:
        fewest, most, part = operand
        times: int = fewest if least else max(fewest, min(most, 1))
        return times * _joined(part, least=least)
    if operator is signs.SUBPATTERN:
        return _joined(operand[-1], least=least)
    if operator is signs.BRANCH:
        return _joined(operand[1][0], least=least)
    return _letter(operator, operand)


def _letter(operator: Any, operand: Any) -> str:  # noqa: ANN401
    if operator is signs.ANY:
        return LETTERS[0]
    if operator is signs.NOT_LITERAL:
        return _first(lambda letter: ord(letter) != operand, LETTERS)
    if operator is signs.IN:
        return _of_kind(operand)
    raise _NoTextError


def _of_kind(items: Sequence[Node]) -> str:
    """Return a letter of a class such as ``[a-z0-9]`` or ``[^,]``."""
    negated = items[0][0] is signs.NEGATE
    kinds = items[1:] if negated else items
    named = [chr(each[0] if isinstance(each, tuple) else each) for kind, each in kinds if kind is not signs.CATEGORY]
    return _first(lambda letter: any(_is(letter, *each) for each in kinds) is not negated, [*named, *LETTERS])


def _is(letter: str, kind: Any, operand: Any) -> bool:  # noqa: ANN401
    if kind is signs.CATEGORY:
        return _CATEGORIES[operand](letter)
    lowest, highest = operand if kind is signs.RANGE else (operand, operand)
    return bool(lowest <= ord(letter) <= highest)


def _first(fits: Callable[[str], bool], letters: Iterable[str]) -> str:
    found = next(filter(fits, letters), None)
    if found is None:
        raise _NoTextError
    return found
