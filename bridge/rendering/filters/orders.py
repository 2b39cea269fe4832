"""Filters that put items into an order or into groups: as Jinja's, but all that is compared is paid for.

A text is compared in small letters, which is one more text for each item, and a path of an item may be any length.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

from jinja2 import pass_environment
from jinja2.filters import make_attrgetter, make_multi_attrgetter

from bridge.rendering.budget import account
from bridge.rendering.environment import Sandbox
from bridge.rendering.filters.sequences import items_of
from bridge.rendering.made import MadeList
from bridge.rendering.value import described

Attribute: TypeAlias = str | int | None
"""What items are compared by: a path, a place in a list, or nothing for the item itself."""


@pass_environment
def ordered(
    environment: Sandbox,
    value: Any,  # noqa: ANN401 (any value a template may have)
    reverse: bool = False,  # noqa: FBT001, FBT002 (Jinja's signature)
    case_sensitive: bool = False,  # noqa: FBT001, FBT002 (as above)
    attribute: Attribute = None,
) -> list[Any]:
    """Return the items in their order; ``attribute`` may name several paths, with commas."""
    key = make_multi_attrgetter(environment, attribute, postprocess=_comparable(case_sensitive))
    return MadeList(sorted(items_of(value, "sort"), key=key, reverse=reverse))


@pass_environment
def unique(
    environment: Sandbox,
    value: Any,  # noqa: ANN401 (any value a template may have)
    case_sensitive: bool = False,  # noqa: FBT001, FBT002 (Jinja's signature)
    attribute: Attribute = None,
) -> Iterator[Any]:
    """Yield the items, but none whose like came before."""
    key = make_attrgetter(environment, attribute, postprocess=_comparable(case_sensitive))
    seen = set()
    for item in items_of(value, "unique"):
        if (found := key(item)) not in seen:
            seen.add(found)
            yield item


@pass_environment
def grouped(
    environment: Sandbox,
    value: Any,  # noqa: ANN401 (any value a template may have)
    attribute: Attribute,
    default: Any = None,  # noqa: ANN401 (any value in place of what is undefined)
    case_sensitive: bool = False,  # noqa: FBT001, FBT002 (Jinja's signature)
) -> list[tuple[Any, list[Any]]]:
    """Return the items by a value that they have in common, as pairs of that value and their list."""
    key = make_attrgetter(environment, attribute, postprocess=_comparable(case_sensitive), default=default)
    spelt = make_attrgetter(environment, attribute, default=default)
    keyed = sorted(((key(item), item) for item in items_of(value, "groupby")), key=itemgetter(0))
    groups = (MadeList(item for _, item in group) for _, group in groupby(keyed, itemgetter(0)))
    return MadeList((spelt(group[0]), group) for group in groups)


def dictsort(
    value: Any,  # noqa: ANN401 (any value a template may have)
    case_sensitive: bool = False,  # noqa: FBT001, FBT002 (Jinja's signature)
    by: str = "key",
    reverse: bool = False,  # noqa: FBT001, FBT002 (as above)
) -> list[tuple[Any, Any]]:
    """Return the fields of an object in their order, as pairs of name and value."""
    if not isinstance(value, Mapping):
        raise TypeError(f"dictsort wants an object, not {described(value)}")
    if by not in ("key", "value"):
        raise ValueError('dictsort sorts by "key" or "value"')
    comparable, place = _comparable(case_sensitive), by == "value"
    return MadeList(sorted(value.items(), key=lambda field: comparable(field[place]), reverse=reverse))


def _extreme(name: str, choose: Callable[..., Any]) -> Callable[..., Any]:
    @pass_environment
    def of_items(environment: Sandbox, value: Any, attribute: Attribute = None) -> Any:  # noqa: ANN401 (any items)
        key = make_attrgetter(environment, attribute, postprocess=_comparable(case_sensitive=False))
        return choose(items_of(value, name), key=key, default=None)

    return of_items


def _comparable(case_sensitive: bool) -> Callable[[Any], Any]:  # noqa: FBT001 (as the filters have it)
    """Return what makes of a value the one that is compared."""

    def weighed(value: Any) -> Any:  # noqa: ANN401 (any value)
        account.get().step()
        if not isinstance(value, str):
            return value
        account.get().write(len(value))
        return value if case_sensitive else value.lower()

    return weighed


ORDER_FILTERS: dict[str, Callable[..., Any]] = {
    "dictsort": dictsort,
    "groupby": grouped,
    "max": _extreme("max", max),
    "min": _extreme("min", min),
    "sort": ordered,
    "unique": unique,
}
