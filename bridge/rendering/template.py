"""Compiled templates: a text, a condition, and a structure with templates at its leaves."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, TypeAlias, TypeVar

import orjson
from jinja2 import Template as Compiled
from jinja2 import TemplateRuntimeError, UndefinedError
from jinja2.runtime import Context as Names
from markupsafe import Markup

from bridge.errors import RenderError
from bridge.model import Json, JsonObject
from bridge.rendering.budget import Budget, BudgetError, Seen, account, concatenated
from bridge.rendering.environment import AbsentError
from bridge.rendering.errors import Lack, TemplateFailedError
from bridge.rendering.misfits import misfit
from bridge.rendering.references import Reference
from bridge.rendering.value import described, given, plain, printed

Context: TypeAlias = Mapping[str, Any]
"""The names a template sees."""

ResultT = TypeVar("ResultT")

TOO_LARGE = "it gives a number of more than 64 bits, which JSON cannot hold; `string` makes a text of it"
RESULT = "result"
"""The variable that a compiled expression leaves its value in."""


class Part(Protocol):
    """What stands at a leaf of a structure."""

    def value(self, context: Context) -> Json:
        """Return the leaf's value; raises RenderError."""

    def references(self) -> tuple[Reference, ...]:
        """Return the names and fields it uses."""

    def mentions(self) -> frozenset[str]:
        """Return each field it reads of anything, also of names that it sets itself."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template that gives text. ``name`` is its file, or its place in the rules."""

    compiled: Compiled
    name: str
    used: tuple[Reference, ...]
    trims: bool = False

    def render(self, context: Context) -> str:
        """Return the text; raises RenderError."""
        text = _run(self.name, context, lambda: _whole(concatenated(self._pieces(context))))
        return text.strip("\n") if self.trims else text

    def value(self, context: Context) -> Json:
        """Return the text; raises RenderError."""
        return self.render(context)

    def references(self) -> tuple[Reference, ...]:
        """Return the names and fields it uses."""
        return _free(self.used)

    def mentions(self) -> frozenset[str]:
        """Return each field it reads of anything, also of names that it sets itself."""
        return _fields(self.used)

    def _pieces(self, context: Context) -> Iterator[str]:
        return self.compiled.root_render_func(_names(self.compiled, context))


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression; ``source`` is how it is written."""

    compiled: Compiled
    source: str
    name: str
    used: tuple[Reference, ...]
    inert: type[Markup] | None = None
    """Where texts must be inert, their type: they are escaped unless the template's author wrote them."""

    def value(self, context: Context) -> Json:
        """Return the value in its own type; raises RenderError, also for what JSON cannot hold."""
        return _run(self.name, context, lambda: _writable(self._plain(self.evaluate(context))))

    def test(self, context: Context) -> bool:
        """Return the verdict; raises RenderError if it is neither true nor false."""
        verdict = _run(self.name, context, lambda: given(self.evaluate(context)))
        if isinstance(verdict, bool):
            return verdict
        raise TemplateFailedError(f"the condition gives {described(verdict)}, not true or false", name=self.name)

    def text(self, context: Context) -> str:
        """Return the value as text: data that came alone as it is, what stands beside the author's text escaped."""
        return _run(self.name, context, lambda: _whole(concatenated([printed(self.evaluate(context))])))

    def evaluate(self, context: Context) -> object:
        """Return the value, or raise whatever comes; only for use within a rendering."""
        frame = _names(self.compiled, context)
        deque(self.compiled.root_render_func(frame), maxlen=0)
        return frame.vars[RESULT]

    def references(self) -> tuple[Reference, ...]:
        """Return the names and fields it uses."""
        return _free(self.used)

    def mentions(self) -> frozenset[str]:
        """Return each field it reads of anything."""
        return _fields(self.used)

    def _plain(self, value: object) -> Json:
        return plain(value) if self.inert is None else _inert(plain(value, keep=Markup), self.inert)


@dataclass(frozen=True, slots=True)
class Alone:
    """A text that one expression is all of, where data may fill the field whole."""

    expression: Expression

    def value(self, context: Context) -> Json:
        """Return the text; raises RenderError."""
        return self.expression.text(context)

    def references(self) -> tuple[Reference, ...]:
        """Return the names and fields it uses."""
        return self.expression.references()

    def mentions(self) -> frozenset[str]:
        """Return each field it reads of anything."""
        return self.expression.mentions()


@dataclass(frozen=True, slots=True)
class Constant:
    """A leaf without a template."""

    content: Json

    def value(self, context: Context) -> Json:
        """Return it as it was written."""
        return self.content

    def references(self) -> tuple[Reference, ...]:
        """Return none."""
        return ()

    def mentions(self) -> frozenset[str]:
        """Return none."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class Branch:
    """A list of leaves and branches."""

    parts: tuple[Part, ...]

    def value(self, context: Context) -> Json:
        """Return the values in their order."""
        return [part.value(context) for part in self.parts]

    def references(self) -> tuple[Reference, ...]:
        """Return the names and fields that its parts use."""
        return tuple(reference for part in self.parts for reference in part.references())

    def mentions(self) -> frozenset[str]:
        """Return each field that its parts read of anything."""
        return frozenset[str]().union(*(part.mentions() for part in self.parts))


@dataclass(frozen=True, slots=True)
class Structure:
    """Fixed keys with templates at the leaves; ``check`` holds what comes out against the target's action model."""

    parts: Mapping[str, Part]
    check: Callable[[JsonObject], object] | None = None

    def render(self, context: Context) -> JsonObject:
        """Return the content; raises RenderError."""
        content = {name: part.value(context) for name, part in self.parts.items()}
        if self.check is not None:
            try:
                self.check(content)
            except ValueError as error:
                raise RenderError(str(error)) from error
        return content

    def value(self, context: Context) -> Json:
        """Return the content, where it is part of another."""
        return self.render(context)

    def references(self) -> tuple[Reference, ...]:
        """Return the names and fields that its leaves use."""
        return Branch(tuple(self.parts.values())).references()

    def mentions(self) -> frozenset[str]:
        """Return each field that its leaves read of anything."""
        return Branch(tuple(self.parts.values())).mentions()


def _free(used: tuple[Reference, ...]) -> tuple[Reference, ...]:
    return tuple(reference for reference in used if not reference.bound)


def _fields(used: tuple[Reference, ...]) -> frozenset[str]:
    return frozenset(field for reference in used for field in reference.path[1:])


def _names(compiled: Compiled, context: Context) -> Names:
    # As `new_context` would, whose way through a chain of mappings costs as much as a whole small template.
    environment = compiled.environment
    return Names(environment, {**environment.globals, **context}, compiled.name, compiled.blocks)


def _run(name: str, context: Context, work: Callable[[], ResultT]) -> ResultT:
    """Do the work of one rendering on an account of its own; whatever it raises becomes a TemplateFailedError."""
    now = context.get("now")
    purse = context.purse if isinstance(context, Seen) else None
    budget = Budget(now if isinstance(now, datetime) else None, purse)
    token = account.set(budget)
    try:
        return work()
    except Exception as error:  # a template can raise anything, and must not take the daemon along
        where, line = _place(error.__traceback__, name)
        raise TemplateFailedError(_sentence(error), line=line, name=where, lack=_lack(error)) from error
    finally:
        budget.close()
        account.reset(token)


def _lack(error: Exception) -> Lack | None:
    if isinstance(error, AbsentError):
        return "value"
    return "name" if isinstance(error, UndefinedError) else None


def _whole(text: str) -> str:
    """Return a text of whole characters.

    Raises:
        ValueError: it holds half a surrogate pair, which no file and no service takes.
    """
    try:
        return text if text.isascii() else text.encode().decode()
    except UnicodeEncodeError:
        raise ValueError("it gives half a character, such as \\ud83d: write the character itself") from None


def _writable(value: Json) -> Json:
    """Return a value that can be stored and sent.

    Raises:
        ValueError: it holds what JSON cannot.
    """
    try:
        orjson.dumps(value)
    except TypeError as error:
        large = "64-bit" in str(error)
        raise ValueError(TOO_LARGE if large else f"it cannot be written as JSON: {error}") from None
    return value


def _place(trace: TracebackType | None, name: str) -> tuple[str, int]:
    """Return where in a template an error arose: the innermost one that was running."""
    place = (name, 1)
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            place = (template.name or name, template.get_corresponding_lineno(trace.tb_lineno))
        trace = trace.tb_next
    return place


def _sentence(error: Exception) -> str:
    if isinstance(error, BudgetError):
        return f"the template does too much: {error}"
    if isinstance(error, RecursionError):
        return "the template calls itself without end"
    if isinstance(error, TypeError):
        return misfit(str(error))
    if isinstance(error, TemplateRuntimeError | ValueError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _inert(value: Json, inert: type[Markup]) -> Json:
    """Return a value in which every text that came from data is escaped."""
    if isinstance(value, str):
        return str(inert.escape(value))
    if isinstance(value, list):
        return [_inert(item, inert) for item in value]
    if isinstance(value, dict):
        return {key: _inert(item, inert) for key, item in value.items()}
    return "" if value is None else value
