"""What Python says of values that do not go together, in words for people who never heard of its types."""

import re
from collections.abc import Callable, Mapping
from typing import Final

_COMPARED: Final = re.compile(r"'([<>]=?)' not supported between instances of '(\w+)' and '(\w+)'")
_COMBINED: Final = re.compile(r"unsupported operand type\(s\) for (\S+?):? '(\w+)' and '(\w+)'")
_JOINED: Final = re.compile(r'can only concatenate (\w+) \(not "(\w+)"\) to \w+')
_CALLED: Final = re.compile(r"'(\w+)' object is not callable")
_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("int", "float", "Decimal"), "a number"),
    **dict.fromkeys(("str", "Markup"), "a text"),
    **dict.fromkeys(("list", "tuple"), "a list"),
    **dict.fromkeys(("dict", "Document"), "an object"),
    "NoneType": "nothing",
    "bool": "true or false",
    "datetime": "a moment",
    "date": "a date",
    "timedelta": "a duration",
}


def misfit(said: str) -> str:
    """Return the sentence for what a TypeError says, or what it says where there are no other words for it."""
    for pattern, sentence in _SENTENCES.items():
        if found := pattern.fullmatch(said):
            return sentence(*(_KINDS.get(word, word) for word in found.groups()))
    return said


def _joined(one: str, other: str) -> str:
    hint = "; texts and numbers are joined by `~`" if {one, other} == {"a text", "a number"} else ""
    return f"`+` cannot join {one} and {other}{hint}"


_SENTENCES: Final[Mapping[re.Pattern[str], Callable[..., str]]] = {
    _COMPARED: lambda sign, one, other: f"`{sign}` cannot compare {one} with {other}",
    _COMBINED: lambda sign, one, other: (
        _joined(one, other) if sign == "+" else f"`{sign}` does not work with {one} and {other}"
    ),
    _JOINED: _joined,
    _CALLED: lambda kind: f"{kind} cannot be called: leave out the brackets behind it",
}
