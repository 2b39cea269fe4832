"""What templates handle: documents, lists of changes, and how any value prints or becomes JSON."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from jinja2.runtime import Undefined

from bridge.component import Source
from bridge.document import is_empty
from bridge.model import Entity, Json
from bridge.rendering.budget import account, metered

Labels = Mapping[str, str]
AS_SENT = "document"
"""The kind of a document that is as its source sent it."""


class Document(dict[str, Any]):
    """An object of the CRM as templates see it: false when all of it is empty.

    ``kind`` names it in error messages; ``source`` and ``entity`` are known of the event's own entity alone, and let
    the filters find its page.
    """

    __slots__ = ("entity", "kind", "source")

    def __init__(
        self, fields: Mapping[str, Any], kind: str = "", source: Source[Any] | None = None, entity: Entity | None = None
    ) -> None:
        """Copy the fields, one level deep."""
        super().__init__(fields)
        self.kind = kind
        self.source = source
        self.entity = entity

    def __bool__(self) -> bool:
        """Tell whether any field holds something."""
        return not is_empty(self)


class Changes(list[Document]):
    """What differs from the last state: ``path``, ``before`` and ``after`` each; ``source`` knows the labels."""

    __slots__ = ("source",)

    def __init__(self, differences: Mapping[str, tuple[Json, Json]], source: Source[Any]) -> None:
        """List the differences in their order."""
        super().__init__(
            Document({"path": path, "before": before, "after": after}, "a change")
            for path, (before, after) in differences.items()
        )
        self.source = source


def given(value: Any) -> Any:  # noqa: ANN401 (any value a template may have)
    """Return a value; None for an inline ``if`` that was false and has no ``else``.

    Raises:
        UndefinedError: it is an undefined name, which tells of itself.
    """
    if isinstance(value, Undefined):
        str(value)
        return None
    return value


def printed(value: object) -> str:
    """Return a value as it appears in a text: nothing for None, items of a list after commas, JSON for an object."""
    if isinstance(value, str):
        return value
    value = given(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal | timedelta):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return _printed_whole(plain(value))


def _printed_whole(value: Json) -> str:
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return ", ".join(printed(item) for item in value)
    return json.dumps(value, ensure_ascii=False)


def plain(value: object, keep: type[str] | None = None) -> Json:
    """Return a value as JSON knows it; texts of the type ``keep`` stay of that type.

    Raises:
        TypeError: it is no data: a function, an undefined name, a number that is none.
    """
    value = given(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        account.get().write(len(value))
        return value if keep is not None and isinstance(value, keep) else str(value)
    if isinstance(value, float) and isfinite(value):
        return value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item, keep) for key, item in metered(value.items())}
    if isinstance(value, list | tuple | range | Iterator):
        return [plain(item, keep) for item in metered(value)]
    raise TypeError(f"{described(value)} is no value that can be written")


_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    ((int, float, Decimal), "a number"),
    (str, "a text"),
    (datetime, "a moment"),
    (date, "a date"),
    (timedelta, "a duration"),
    (Mapping, "an object"),
    ((list, tuple, range), "a list"),
    (type(None), "nothing"),
)


def described(value: object) -> str:
    """Return what a value is, in the words of an error message."""
    return next((name for kind, name in _NAMES if isinstance(value, kind)), "a function")
