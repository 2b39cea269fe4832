"""The sandbox: what a template may reach, which is what is listed here and nothing else."""

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, UndefinedError, pass_eval_context
from jinja2.environment import TemplateModule
from jinja2.loaders import split_template_path
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import Namespace, missing
from markupsafe import Markup

from bridge.component import Escape
from bridge.options.suggestion import did_you_mean
from bridge.rendering.alike import Key, Mould
from bridge.rendering.budget import SOUGHT, BudgetError, account, concatenated, limited_range, metered
from bridge.rendering.calculating import OPERATORS
from bridge.rendering.compiler import Compiled, Compiler
from bridge.rendering.inert import LONG, inert_type
from bridge.rendering.made import MadeList, made_object
from bridge.rendering.references import Reference
from bridge.rendering.value import AS_SENT, Document, described, given, printed

_TEXT = {
    *("lower", "upper", "title", "capitalize", "casefold", "swapcase", "strip", "lstrip", "rstrip", "split", "rsplit"),
    *("splitlines", "partition", "rpartition", "startswith", "endswith", "removeprefix", "removesuffix", "find"),
    *("rfind", "index", "rindex", "count", "isdigit", "isalpha", "isalnum", "isnumeric", "isdecimal", "isspace"),
    *("islower", "isupper", "istitle"),
}
"""Methods of a text; left out are those that can pad or repeat, for which there are filters."""
_BACKWARDS = frozenset({"rfind", "rindex", "rsplit", "rpartition"})
_MOMENT = {"year", "month", "day", "hour", "minute", "second", "weekday", "isoweekday", "isoformat", "date", "time"}
_LOOP = {
    *("index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0"),
    *("previtem", "nextitem", "cycle", "changed"),
}

MEMBERS: tuple[tuple[type | tuple[type, ...], frozenset[str]], ...] = (
    (str, frozenset(_TEXT)),
    (Mapping, frozenset({"get", "items", "keys", "values"})),
    ((list, tuple), frozenset({"index", "count"})),
    (datetime, frozenset(_MOMENT)),
    (date, frozenset(_MOMENT)),
    (timedelta, frozenset({"days", "seconds", "total_seconds"})),
    (LoopContext, frozenset(_LOOP)),
    (Macro, frozenset({"name"})),
)
"""Attributes and methods that templates see, per type."""
_known_members: dict[type, frozenset[str]] = {}

LARGEST = 256 * 1024
"""Bytes that a template file may have: the longest template, however it is spelled."""
UNSUITABLE_TESTS = frozenset({"filter", "test", "callable", "escaped", "sameas"})


class Missing(StrictUndefined):
    """An undefined name; any use but ``is defined`` and ``default`` is an error that tells what was meant."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name: object = self._undefined_name  # of any type, whatever Jinja declares
        owner = self._undefined_obj
        if self._undefined_hint:
            return self._undefined_hint
        if not isinstance(name, str | int | None):
            return f"{described(owner)} has no field that is {described(name)}"  # a list can take seconds to spell
        if owner is missing:
            return f'there is no name "{name}"'
        if isinstance(owner, Mapping):
            hint = did_you_mean(str(name), map(str, owner))
            kind = getattr(owner, "kind", "") or "the object"
            return f'{kind} has no field "{name}"' + (f"; {hint}" if hint else "")
        if isinstance(owner, list | tuple):
            return f"the list has no item {name}"
        return f'{described(owner)} has no "{name}"'


class AbsentError(UndefinedError):
    """There is not what a template speaks of, and with another change there may be."""


class Files(FileSystemLoader):
    """Reads template files, but none that is larger than any template may be, and no pipe or device."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Return a file's text; raises OSError for one that is too large, and whatever Jinja raises."""
        path = Path(self.searchpath[0], *split_template_path(template))
        if path.is_file() and path.stat().st_size > LARGEST:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is no file")
        return super().get_source(environment, template)


class Sandbox(ImmutableSandboxedEnvironment):
    """One environment per escape: compiled templates differ by it."""

    code_generator_class = Compiler
    template_class = Compiled
    concat = staticmethod(concatenated)
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, templates: Path, escape: Escape | None, filters: Mapping[str, Callable[..., Any]]) -> None:
        """Prepare to compile; ``filters`` are all that there are."""
        self.compiled: dict[str, tuple[tuple[Reference, ...], tuple[str | None, ...]]] = {}
        """Per file that was compiled, what it uses, and which files it includes itself."""
        self.free: dict[str | None, frozenset[str]] = {}
        self.moulds: dict[Key, Mould] = {}
        """What was compiled of texts that are alike."""
        self._escape = escape
        self.inert: type[Markup] | None = None if escape is None else inert_type(escape)
        super().__init__(
            loader=Files(templates),
            undefined=Missing,
            autoescape=escape is not None,
            finalize=_print if self.inert is None else _printer(self.inert),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        self.filters = dict(filters)
        self.tests = {name: test for name, test in TESTS.items() if name not in UNSUITABLE_TESTS}
        self.globals = {"range": limited_range, "namespace": Namespace, **_DURATIONS}
        self.binop_table = dict(OPERATORS)

    listed = MadeList
    made = staticmethod(made_object)

    @staticmethod
    def compared(value: Any) -> Any:  # noqa: ANN401 (whatever is compared)
        """Return a value that is paid for, as the comparison that follows can be with something long."""
        account.get().step()
        return value

    @staticmethod
    def sliced(value: Any, bounds: list[Any]) -> Any:  # noqa: ANN401 (whatever a template cuts)
        """Return a part of a text or a list, which is paid for: it is one more."""
        part = slice(*bounds)
        if isinstance(value, str):
            account.get().write(len(range(*part.indices(len(value)))))
        elif isinstance(value, list | tuple):
            account.get().step(len(range(*part.indices(len(value)))))
            return MadeList(value[part])
        return value[part]

    @staticmethod
    def metered(items: Any) -> Any:  # noqa: ANN401 (whatever a loop goes through)
        """Return the items of a loop, each paid for."""
        if given(items) is None:
            return iter(())
        if not isinstance(items, Iterable):
            raise TypeError(f"a loop goes through a list, not {described(items)}")
        return metered(items)

    def touches(self, text: str) -> bool:
        """Tell whether escaping would change a text."""
        return self._escape is not None and self._escape(text) != text

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 (Jinja's signature)
        """Return a field, or an attribute that is listed; fields win, for data may be named ``items``."""
        if isinstance(obj, dict) and attribute in obj:
            value = obj[attribute]
            return _document(value) if type(value) is dict else value
        return self._member(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 (Jinja's signature)
        """Return a field, an item, or an attribute that is listed."""
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        if not isinstance(obj, dict | list | tuple | str):
            return self._member(obj, argument)
        try:
            value = obj[argument]
        except (LookupError, TypeError):
            return self._member(obj, argument)
        return _document(value) if type(value) is dict else value

    def get_template(self, *args: Any, **kwargs: Any) -> Template:  # noqa: ANN401 (Jinja's signature)
        """Return a file's template; an include at run time is paid for."""
        budget = account.get(None)
        if budget is not None:
            budget.step()
        return super().get_template(*args, **kwargs)

    def _member(self, obj: Any, name: Any) -> Any:  # noqa: ANN401 (any value, any member)
        given(obj)
        if isinstance(name, str) and (name in members_of(type(obj)) or _is_open(obj, name)):
            try:
                return getattr(obj, name)
            except AttributeError:
                pass
        return self.undefined(obj=obj, name=name, exc=UndefinedError if _is_closed(obj) else AbsentError)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (Jinja's signature)
        """Call what a template may call: macros, the most frequent, without a detour; texts pay for their methods."""
        if isinstance(obj, Macro):
            # Jinja hands the names of the enclosing loop to whatever is called there.
            kwargs.pop("_loop_vars", None)
            return obj(context.eval_ctx, *args, **kwargs)
        text = getattr(obj, "__self__", None)
        if isinstance(text, str):
            account.get().write(len(text))
            _look_backwards(obj.__name__, args)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 (Jinja's signature)
        """Calculate within bounds."""
        return OPERATORS[operator](left, right)


def _document(fields: dict[str, Any]) -> Document:
    """Return an object as templates see it; a copy of a large one is paid for."""
    if len(fields) > LONG:
        account.get().write(len(fields))
    return Document(fields)


def _look_backwards(method: str, sought: tuple[Any, ...]) -> None:
    """Refuse to look from the end for what is long: Python takes the product of both lengths for it."""
    if method in _BACKWARDS and any(isinstance(each, str) and len(each) > SOUGHT for each in sought):
        raise BudgetError(f"{method}() looks for at most {SOUGHT} characters")


def members_of(kind: type) -> frozenset[str]:
    """Return the attributes and methods of a type that templates see."""
    if kind not in _known_members:
        _known_members[kind] = frozenset().union(*(names for listed, names in MEMBERS if issubclass(kind, listed)))
    return _known_members[kind]


def _is_open(obj: object, name: str) -> bool:
    # A namespace holds what the template put there, and an imported module its macros.
    return isinstance(obj, Namespace | TemplateModule) and not name.startswith("_")


def _is_closed(obj: object) -> bool:
    """Tell whether an object has the same fields in every change: all of its kind, but for a document as sent."""
    return isinstance(obj, Document) and obj.kind not in {"", AS_SENT}


def _print(value: object) -> str:
    return printed(value)


def _printer(inert: type[Markup]) -> Callable[[EvalContext, object], Markup]:
    # Taking the context keeps the compiler from printing literals itself, which it would escape as HTML.
    @pass_eval_context
    def escaped(_: EvalContext, value: object) -> Markup:
        return inert.escape(value)

    return escaped


def _days(count: float) -> timedelta:
    return timedelta(days=count)


def _hours(count: float) -> timedelta:
    return timedelta(hours=count)


def _minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


_DURATIONS = {"days": _days, "hours": _hours, "minutes": _minutes}
