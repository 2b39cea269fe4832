"""Figures over many changes: how many there were of each kind, what they come to, and what they came to before."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import fsum
from typing import Any

from jinja2 import pass_environment

from bridge.document import is_empty
from bridge.rendering.environment import Sandbox
from bridge.rendering.filters.entities import NOTHING, field
from bridge.rendering.filters.sequences import items_of, number_of
from bridge.rendering.value import Document, given, printed

CUSTOM = ".custom."
"""What precedes the label of a custom field, which some documents have and others have not."""


@dataclass(slots=True)
class _Tally:
    """What there is of one label."""

    count: int = 0
    value: int | float = 0


@pass_environment
def ranked(
    environment: Sandbox,
    value: Any,  # noqa: ANN401 (any value a template may have)
    by: str,
    total: str | None = None,
    former: Any = None,  # noqa: ANN401 (as above)
    absent: str = NOTHING,
) -> list[Document]:
    """Return a row for each value of the field ``by``, the greatest first: label, count, value, share and former.

    ``value`` is the sum of the field ``total``, else how many there are; ``share`` is its part of all values, of 1;
    ``former`` is the value among the items of ``former``, nothing where there are none to compare with.
    """
    label, figure = _reader(environment, by), _reader(environment, total) if total else None
    now = _tallied(items_of(value, "ranked"), label, figure, absent)
    compares = given(former) is not None
    before = _tallied(items_of(former, "ranked"), label, figure, absent)
    whole = fsum(tally.value for tally in now.values())
    names = [*sorted(now, key=lambda name: -now[name].value), *(name for name in before if name not in now)]
    return [_row(name, now.get(name, _Tally()), whole, before.get(name, _Tally()), compares) for name in names]


def _row(name: str, now: _Tally, whole: float, before: _Tally, compares: bool) -> Document:  # noqa: FBT001 (of a row)
    fields = {
        "label": name,
        "count": now.count,
        "value": now.value,
        "share": now.value / whole if whole else 0,
        "former": before.value if compares else None,
    }
    return Document(fields, "a row")


def _tallied(
    items: Iterable[Any], label: Callable[[Any], Any], figure: Callable[[Any], Any] | None, absent: str
) -> dict[str, _Tally]:
    figures: dict[str, list[int | float]] = {}
    for item in items:
        name = label(item)
        figures.setdefault(absent if is_empty(name) else printed(name), []).append(
            number_of(figure(item), "ranked") if figure else 1
        )
    return {name: _Tally(len(each), added(each)) for name, each in figures.items()}


def added(figures: list[int | float]) -> int | float:
    """Return a sum; cents do not get lost in it."""
    return sum(figures) if all(isinstance(figure, int) for figure in figures) else fsum(figures)


def _reader(environment: Sandbox, path: str) -> Callable[[Any], Any]:
    """Return what reads a field of an item: ``deal.user.name``, or ``deal.custom.Unidade`` by the label."""
    way, custom, label = path.partition(CUSTOM)
    steps = way.split(".")

    def read(item: Any) -> Any:  # noqa: ANN401 (any item, any value)
        for step in steps:
            item = given(environment.getitem(item, step))
            if item is None:
                return None
        return field(item, label) if custom else item

    return read


RANKING_FILTERS: dict[str, Callable[..., Any]] = {"ranked": ranked}
