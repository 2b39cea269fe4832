"""Filters over lists and numbers: Jinja's own where they are harmless, ours where they could grow or stumble."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jinja2 import filters as jinja
from jinja2 import pass_environment

from bridge.document import is_empty
from bridge.rendering.budget import DIGITS, account, metered, take
from bridge.rendering.environment import Sandbox
from bridge.rendering.made import MadeList
from bridge.rendering.value import described, given, printed

MARK = "jinja_pass_arg"
"""Where Jinja notes what a filter wants to be passed first."""
PLACES = 12
"""Decimal places that `round` knows."""


def items_of(value: Any, filter_name: str) -> Iterator[Any]:  # noqa: ANN401 (any value a template may have)
    """Return the items of a list, each paid for; nothing has none.

    Raises:
        TypeError: the value is no list.
    """
    value = given(value)
    if value is None:
        return iter(())
    if not isinstance(value, Iterable):
        raise TypeError(f"{filter_name} wants a list, not {described(value)}")
    return metered(value)


def listed(value: Any) -> list[Any]:  # noqa: ANN401 (any value a template may have)
    """Return the items as a list."""
    return MadeList(take(items_of(value, "list")))


@pass_environment
def join(environment: Sandbox, value: Any, glue: str = ", ", attribute: str | None = None) -> str:  # noqa: ANN401
    """Return the items as one text; empty ones are left out, so that no glue dangles."""
    items = items_of(value, "join")
    if attribute is not None:
        items = map(jinja.make_attrgetter(environment, attribute), items)
    kept = [text for text in (printed(item) for item in items if not is_empty(item)) if text]
    account.get().write(sum(map(len, kept)) + len(glue) * len(kept))
    if environment.inert is not None and any(hasattr(piece, "__html__") for piece in (glue, *kept)):
        return environment.inert.escape(glue).join(kept)
    return glue.join(kept)


def length(value: Any) -> int:  # noqa: ANN401 (any value a template may have)
    """Return how many items there are, or characters."""
    if isinstance(value, str | Mapping):
        return len(value)
    return len(take(items_of(value, "length")))


def first(value: Any) -> Any:  # noqa: ANN401 (any value a template may have)
    """Return the first item, or nothing."""
    return next(items_of(value, "first"), None)


def last(value: Any) -> Any:  # noqa: ANN401 (any value a template may have)
    """Return the last item, or nothing."""
    items = take(items_of(value, "last"))
    return items[-1] if items else None


@pass_environment
def total(environment: Sandbox, value: Any, attribute: str | None = None) -> int | float:  # noqa: ANN401
    """Return the sum of numbers; nothing counts as zero."""
    items = items_of(value, "sum")
    if attribute is not None:
        items = map(jinja.make_attrgetter(environment, attribute), items)
    return sum(number_of(item, "sum") for item in items)


def rounded(value: Any, places: int = 0) -> int | float | None:  # noqa: ANN401 (any value a template may have)
    """Return the number rounded half to even, as Python does; whole without ``places``."""
    if not 0 <= places <= PLACES:
        raise ValueError(f"round takes 0 to {PLACES} places")
    return None if given(value) is None else round(number_of(value, "round"), places or None)


def whole(value: Any, default: Any = 0, base: int = 10) -> Any:  # noqa: ANN401 (any value a template may have)
    """Return a whole number; ``default`` for what is none, and for one so long that calculating with it takes long."""
    if isinstance(value, str) and len(value) > DIGITS:
        return default
    return jinja.do_int(value, default, base)


def absolute(value: Any) -> int | float | None:  # noqa: ANN401 (any value a template may have)
    """Return the number without its sign."""
    return None if given(value) is None else abs(number_of(value, "abs"))


def number_of(value: Any, filter_name: str) -> int | float:  # noqa: ANN401 (any value a template may have)
    """Return a number; nothing counts as zero.

    Raises:
        TypeError: it is something else.
    """
    value = given(value)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{filter_name} wants a number, not {described(value)}")
    return value


def _paying(name: str) -> Callable[..., Any]:
    """Return a filter of Jinja's whose list is paid for; it keeps how Jinja passes its environment or context."""
    original = jinja.FILTERS[name]

    def over_items(value: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (as the original)
        return original(take(items_of(value, name)), *args, **kwargs)

    def with_context(passed: Any, value: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (as the original)
        return original(passed, take(items_of(value, name)), *args, **kwargs)

    passes = getattr(original, MARK, None)
    if passes is None:
        return over_items
    setattr(with_context, MARK, passes)
    return with_context


SEQUENCE_FILTERS: dict[str, Callable[..., Any]] = {
    **{name: _paying(name) for name in ("map", "reject", "rejectattr", "reverse", "select", "selectattr")},
    "abs": absolute,
    "first": first,
    "float": jinja.do_float,
    "int": whole,
    "items": jinja.do_items,
    "join": join,
    "last": last,
    "length": length,
    "list": listed,
    "round": rounded,
    "sum": total,
}
