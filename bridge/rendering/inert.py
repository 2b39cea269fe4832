"""Data that can only ever be text.

A field that names an escape renders by one rule: what the template's author wrote stays as it is, inside and outside
of ``{{ }}``, and what came from data is escaped once, wherever it is joined to what the author wrote. MarkupSafe
keeps that book already, for HTML; here its methods escape as the field's own format demands.
"""

from typing import Any, Self

from markupsafe import Markup

from bridge.component import Escape
from bridge.rendering.budget import account
from bridge.rendering.value import printed

LONG = 1000
"""Characters below which a text is not worth an entry in the books: the number of steps bounds those already."""


def inert_type(escape: Escape) -> type[Markup]:
    """Return the type of texts that are safe in the format that ``escape`` guards."""

    class Inert(Markup):
        __slots__ = ()

        @classmethod
        def escape(cls, s: Any, /) -> Self:  # noqa: ANN401 (MarkupSafe's signature)
            if isinstance(s, Markup):
                return s if isinstance(s, cls) else str.__new__(cls, s)
            text = escape(printed(s))
            if len(text) > LONG:
                account.get().write(len(text))
            return str.__new__(cls, text)

    return Inert
