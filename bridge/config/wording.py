"""Pydantic's errors in words for people who never heard of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from pydantic_core import ErrorDetails

from bridge.options import nearest

Context: TypeAlias = Mapping[str, object]

EXPECTED: Mapping[str, str] = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "dict": "a mapping of keys to values",
    "mapping": "a mapping of keys to values",
    "model": "a mapping of keys to values",
}
"""What pydantic's families of type errors ask for, by the first part of the error's type."""
_TYPE_ERRORS = ("_type", "_parsing", "_from_float")


def is_type_error(kind: str) -> bool:
    """Tell whether an error says that a value is of another type than asked for."""
    return kind == "is_instance_of" or (kind.endswith(_TYPE_ERRORS) and expected_type(kind) is not None)


def expected_type(kind: str) -> str | None:
    """Return what a type error asks for, in words, if there are words for it."""
    return EXPECTED.get(kind.split("_", 1)[0])


def choices(error: ErrorDetails) -> tuple[str, ...]:
    """Return the texts that would have been accepted, if there are only some."""
    expected = str(error.get("ctx", {}).get("expected", "")) if error["type"] in {"literal_error", "enum"} else ""
    return tuple(re.findall(r"'([^']*)'", expected))


def described(value: object) -> str:
    """Return what a value is, never the value itself."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list() | tuple():
            return "a list"
        case _:
            return "a mapping"


_INSTEAD: Mapping[tuple[str, str], str] = {
    ("when", "a mapping"): 'conditions on fields stand under "match"',
    ("match", "a text"): 'an expression stands under "when"',
    ("match", "a list"): 'write one mapping; alternatives stand in it under "any"',
    ("digest", "a text"): 'write its time as {at: "18:00"}',
    ("deliver", "a text"): "write `- to:` and the name of the target",
    ("retry", "a number"): "write how often it is tried as {attempts: 3}",
    ("to", "a list"): "write an entry for each target",
}
"""What was meant, by the key and by what is written there."""
_SPOKEN: Mapping[str, str] = {
    **dict.fromkeys(("yes", "on", "sim", "verdadeiro"), "true"),
    **dict.fromkeys(("no", "off", "não", "nao", "falso"), "false"),
}


def type_hint(key: str, asked: Sequence[str], value: object) -> str:
    """Return the hint for a value of another type than is asked for at a key."""
    if "a text" in asked and isinstance(value, bool | int | float):
        return "write it in quotes"
    if "true or false" in asked and isinstance(value, str) and (meant := _SPOKEN.get(value.lower())):
        return f"write {meant}"
    if {*asked} == {"a list"} and isinstance(value, dict):
        return 'put "- " in front of its item'
    return _INSTEAD.get((key, described(value)), "")


def _count(context: Context, name: str) -> str:
    return f"{context[name]} {'item' if context[name] == 1 else 'items'}"


def _bound(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _choice(context: Context) -> str:
    expected = str(context["expected"]).replace("'", '"')
    return f"must be {expected}"


def _too_short(context: Context) -> str:
    return "must not be empty" if context["min_length"] == 1 else f"needs at least {_count(context, 'min_length')}"


def _string_too_short(context: Context) -> str:
    least = context["min_length"]
    return "must not be empty" if least == 1 else f"must have at least {least} characters"


_BAD_VALUES: Mapping[str, Callable[[Context], str]] = {
    "greater_than": lambda context: f"must be more than {_bound(context['gt'])}",
    "greater_than_equal": lambda context: f"must be at least {_bound(context['ge'])}",
    "less_than": lambda context: f"must be less than {_bound(context['lt'])}",
    "less_than_equal": lambda context: f"must be at most {_bound(context['le'])}",
    "too_short": _too_short,
    "too_long": lambda context: f"takes at most {_count(context, 'max_length')}",
    "string_too_short": _string_too_short,
    "string_too_long": lambda context: f"must have at most {context['max_length']} characters",
    "string_pattern_mismatch": lambda context: f"must match the pattern {context['pattern']}",
    "literal_error": _choice,
    "enum": _choice,
    "url_parsing": lambda _: "is no web address",
    "url_scheme": lambda context: f"must begin with {context['expected_schemes']}",
}


_FRAGMENT = re.compile(r"(must|may|cannot|is|has|needs|takes|holds) ")
"""How a sentence begins that lacks its subject."""


def bad_value(error: ErrorDetails, name: str) -> str:
    """Return the sentence for a value of the right type that is not accepted."""
    said = _BAD_VALUES.get(error["type"])
    if said is not None:
        return f"{name} {said(error.get('ctx', {}))}"
    if error["type"] in {"value_error", "assertion_error"}:
        reason = error.get("ctx", {}).get("error", error["msg"])
        sentence = str(getattr(reason, "message", reason))
        return f"{name} {sentence}" if _FRAGMENT.match(sentence) else f"{name}: {sentence}"
    return f"{name}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def suggestion(error: ErrorDetails) -> str:
    """Return the hint for a value that is not accepted, if its validator or its choices offer one."""
    offered = getattr(error.get("ctx", {}).get("error"), "hint", "")
    value = error["input"]
    near = nearest(value, choices(error)) if isinstance(value, str) else None
    return str(offered) or (f'did you mean "{near}"?' if near else "")
