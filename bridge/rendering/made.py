"""Lists and objects that a template makes.

A few lines can put a list twice into the next one, sixty times over: small where it is kept, and without end for
whatever goes through all of it. Python compares such lists without coming back, so these pay for being compared.
Their like must not be made by another way: what templates write as a tuple, which could be hashed, is a list too.
"""

from collections.abc import Callable, ValuesView
from typing import Any

from bridge.rendering.budget import account
from bridge.rendering.value import Document


def _paid(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Return a comparison that is paid for."""

    def compared(one: Any, other: Any) -> bool:  # noqa: ANN401 (Python's signature)
        account.get().step(1 + len(one))
        return compare(one, other)

    return compared


class MadeList(list[Any]):
    """A list that pays for each comparison."""

    __slots__ = ()
    __hash__ = None  # as that of any list
    __eq__ = _paid(list.__eq__)
    __ne__ = _paid(list.__ne__)
    __lt__ = _paid(list.__lt__)
    __le__ = _paid(list.__le__)
    __gt__ = _paid(list.__gt__)
    __ge__ = _paid(list.__ge__)

    def __repr__(self) -> str:
        """Return what stands for it in an error: it can be without end."""
        return "[…]"


class MadeObject(Document):
    """An object that pays for each comparison, and for being looked through."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # as that of any dict
    __eq__ = _paid(dict.__eq__)
    __ne__ = _paid(dict.__ne__)

    def __repr__(self) -> str:
        """Return what stands for it in an error: it can be without end."""
        return "{…}"

    def values(self) -> ValuesView[Any]:  # type: ignore[override]  # the type of dict's own has no name
        """Return the values; whatever asks whether all of them are empty goes on into each."""
        account.get().step()
        return super().values()


def made_object(fields: dict[Any, Any]) -> MadeObject:
    """Return an object as a template writes it.

    Raises:
        TypeError: a key is a list.
    """
    if any(isinstance(key, tuple) for key in fields):
        raise TypeError("the key of an object is a text or a number, not a list")
    return MadeObject({key: MadeList(value) if isinstance(value, tuple) else value for key, value in fields.items()})
