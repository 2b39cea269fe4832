"""Pages of lists: of either API only the first 10 000 records of a list can be reached."""

from collections.abc import Mapping, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

USUAL: Final = 20
MOST: Final = 200


class Page(NamedTuple, Generic[T]):
    """Some rows of a list, and whether others follow."""

    rows: Sequence[T]
    more: bool


def cut(rows: Sequence[T], number: int, size: int, ceiling: int) -> Page[T]:
    """Return a page, counted from 1; what lies beyond the ceiling is not there."""
    reached = rows[:ceiling]
    begin = (number - 1) * size
    return Page(reached[begin : begin + size], begin + size < len(reached))


def whole(query: Mapping[str, str], name: str, usual: int) -> int:
    """Return a positive number of a query.

    Raises:
        ValueError: it is none.
    """
    number = int(query.get(name, usual))
    if number < 1:
        raise ValueError(name)
    return number
