"""Texts that differ in nothing but what stands between their expressions: compiled once for all of them.

Rules are written by copying, so many texts say the same of another pipeline or person, and compiling is most of what it
takes to read them. Each text still has code of its own, with its own words in it, and none of them is slower for it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from jinja2 import Template as Compiled
from jinja2 import TemplateSyntaxError, nodes
from jinja2.meta import find_referenced_templates

from bridge.rendering.references import Reference, chains_of, references

if TYPE_CHECKING:
    from bridge.rendering.environment import Sandbox

Key: TypeAlias = tuple[tuple[int, str, str], ...]
"""The tokens of a text with their lines, but for the words between them."""

_MARK: Final = re.compile("\ue000([0-9]+)\ue001")
"""Where words go, in characters that mean nothing to anybody."""


@dataclass(frozen=True, slots=True)
class Mould:
    """What was compiled of texts that are alike: the code with marks for words, what it uses, and what it includes."""

    code: CodeType
    used: tuple[Reference, ...]
    included: tuple[str | None, ...]

    def filled(self, sandbox: "Sandbox", words: Sequence[str]) -> Compiled:
        """Return the template that has these words at its marks."""
        code = _filled(self.code, words) if words else self.code
        return sandbox.template_class.from_code(sandbox, code, sandbox.make_globals(None), None)


def mould_of(sandbox: "Sandbox", source: str) -> tuple[Mould, Sequence[str]]:
    """Return the mould of a text, and the words to fill it with; raises what Jinja raises."""
    try:
        tokens = list(sandbox.lex(source))
    except TemplateSyntaxError:  # what is wrong before it is told first
        return _made(sandbox, sandbox.parse(source)), ()
    words = [text for _, kind, text in tokens if kind == "data"]
    key = tuple((line, kind, "" if kind == "data" else text) for line, kind, text in tokens)
    if key not in sandbox.moulds:
        tree = sandbox.parse(source)
        places = list(tree.find_all(nodes.TemplateData))
        if _MARK.search(source) or [place.data for place in places] != words:
            return _made(sandbox, tree), ()
        for number, place in enumerate(places):
            place.data = f"\ue000{number}\ue001"
        sandbox.moulds[key] = _made(sandbox, tree)
    return sandbox.moulds[key], words


def _made(sandbox: "Sandbox", tree: nodes.Template) -> Mould:
    chains, included = chains_of(tree), tuple(find_referenced_templates(tree))  # first, for compiling changes the tree
    return Mould(sandbox.compile(tree), references(chains, sandbox.free[None]), included)


def _filled(constant: Any, words: Sequence[str]) -> Any:  # noqa: ANN401 (whatever code may hold)
    if isinstance(constant, str):
        return _MARK.sub(lambda mark: words[int(mark[1])], constant)
    if isinstance(constant, tuple):
        return tuple(_filled(each, words) for each in constant)
    if isinstance(constant, CodeType):
        return constant.replace(co_consts=_filled(constant.co_consts, words))
    return constant
