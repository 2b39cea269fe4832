"""Values from outside the file: ``${NAME}``, ``${NAME:-default}``, ``${file:/path}``; ``$$`` is a dollar sign."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bridge.files import open_file
from bridge.model import Json
from bridge.options.suggestion import nearest

Loc: TypeAlias = "tuple[str | int, ...]"
"""The way to a value inside a document: keys and list positions from the root."""
Report: TypeAlias = "Callable[[Loc, str, str, str], None]"
"""Takes one defect: where it is, its code, its message and its hint."""

MAX_SECRET_FILE = 64 * 1024
_DOLLAR = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<inside>[^}]*)\}|(?P<brace>\{))")
_BARE = re.compile(r"\$([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)")
"""What the shell would replace."""
_VARIABLE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-.*)?", re.DOTALL)


STAND_IN = ".stand-in.example"


class StandIns(dict[str, str]):
    """The environment of a place that has no secrets: what is set nowhere, and what no file holds, has a stand-in.

    It is an address and a token at once, and goes nowhere: `bridge test` reads rules so.
    """

    @staticmethod
    def value(inside: str) -> str:
        """Return what stands in for a reference."""
        name = re.sub("[^a-z0-9]+", "-", inside.lower()).strip("-")
        return f"https://{name[-50:].strip('-') or 'nobody'}{STAND_IN}"


def is_stand_in(value: str) -> bool:
    """Tell whether a value stands in for one that is not there: where more than an address or a token is wanted."""
    return value.startswith("https://") and value.endswith(STAND_IN)


class _UnresolvedError(Exception):
    """A reference that gives no value: code, message, hint."""


@dataclass(frozen=True, slots=True)
class Interpolation:
    """A tree with its references replaced: ``values`` are those that came from outside, and may be secret.

    A text whose reference gave no value stays as it was written; ``unresolved`` says which those are.
    """

    data: Json
    values: frozenset[str] = frozenset()
    unresolved: frozenset[Loc] = frozenset()


def interpolate(data: Json, environ: Mapping[str, str], report: Report) -> Interpolation:
    """Replace the references in every text of a tree; keys stay as they are.

    Reports ``unset-variable``, ``unreadable-secret-file`` and ``bad-reference``, never a value.
    """
    walk = _Walk(environ, report)
    return Interpolation(walk.visit(data, ()), frozenset(walk.values), frozenset(walk.unresolved))


def variables_in(data: Json) -> frozenset[str]:
    """Return the names of the variables that the texts of a tree refer to."""
    if isinstance(data, str):
        found = (_VARIABLE.fullmatch(match["inside"] or "") for match in _DOLLAR.finditer(data))
        return frozenset(match["name"] for match in found if match)
    items = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return frozenset[str]().union(*map(variables_in, items))


class _Walk:
    """One pass over a tree."""

    def __init__(self, environ: Mapping[str, str], report: Report) -> None:
        self.values: set[str] = set()
        self.unresolved: set[Loc] = set()
        self._environ = environ
        self._report = report

    def visit(self, data: Json, loc: Loc) -> Json:
        if isinstance(data, str):
            return self._text(data, loc)
        if isinstance(data, list):
            return [self.visit(item, (*loc, index)) for index, item in enumerate(data)]
        if isinstance(data, dict):
            return {key: self.visit(value, (*loc, key)) for key, value in data.items()}
        return data

    def _text(self, text: str, loc: Loc) -> str:
        if bare := _BARE.fullmatch(text):
            hint = f"write ${{{bare[1]}}}, or $${bare[1]} for these signs"
            self._report(loc, "bad-reference", f'"{text}" is no reference', hint)
        try:
            replaced = _DOLLAR.sub(self._replace, text)
        except _UnresolvedError as unresolved:
            self.unresolved.add(loc)
            self._report(loc, *unresolved.args)
            return text
        if "${" in text:
            self.values.add(replaced)
        return replaced

    def _replace(self, match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if match["brace"]:
            raise _UnresolvedError("bad-reference", '"${" is never closed', 'write "$${" for these two characters')
        inside = match["inside"]
        value = self._value(inside)
        if value:
            self.values.add(value)
        return value

    def _value(self, inside: str) -> str:
        try:
            return _read(inside[len("file:") :]) if inside.startswith("file:") else self._variable(inside)
        except _UnresolvedError as unresolved:
            if isinstance(self._environ, StandIns) and unresolved.args[0] != "bad-reference":
                return self._environ.value(inside)
            raise

    def _variable(self, inside: str) -> str:
        match = _VARIABLE.fullmatch(inside)
        if match is None:
            raise _UnresolvedError(
                "bad-reference",
                f'"${{{inside}}}" is no reference',
                "write ${NAME}, ${NAME:-default} or ${file:/path}; $$ is a dollar sign",
            )
        name, default = match["name"], match["default"]
        value = self._environ.get(name)
        if default is not None:
            return value or default[2:]
        if value is None or not value:
            raise _UnresolvedError("unset-variable", _unset(name, value), self._hint(name))
        return value

    def _hint(self, name: str) -> str:
        near = nearest(name, self._environ)
        if near is not None and near != name:
            return f"did you mean ${{{near}}}?"
        return f"set it before bridge starts, or give a default: ${{{name}:-…}}"


def _unset(name: str, value: str | None) -> str:
    return f"the environment variable {name} is {'not set' if value is None else 'empty'}"


def _read(path: str) -> str:
    try:
        with open_file(Path(path)) as file:
            content = file.read(MAX_SECRET_FILE + 1)
        if len(content) > MAX_SECRET_FILE:
            raise _UnresolvedError("unreadable-secret-file", f"{path} is larger than 64 KiB", "is it the right file?")
        value = content.decode().rstrip("\r\n")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise _UnresolvedError("unreadable-secret-file", f"{path}: {reason}", "check the path and its owner") from None
    except ValueError:
        raise _UnresolvedError("unreadable-secret-file", f"{path} is no UTF-8 text", "is it the right file?") from None
    if not value:
        raise _UnresolvedError("unreadable-secret-file", f"{path} is empty", "write the secret into it")
    return value
