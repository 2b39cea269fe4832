"""The cursor of ``GET /api/v1/deals``, as its page shows it: ``i-1726778672521,s-66ec8d30f2f11000139ab5ff``."""

import re
from collections.abc import Sequence
from typing import Final

from bridge.simulator.entities import Deal

_CURSOR: Final = re.compile(r"i-\d+,s-(?P<id>[0-9a-f]+)")


class UnreadableCursorError(Exception):
    """A text that is no cursor."""


def cursor(deal: Deal) -> str:
    """Return the cursor behind which the deals after this one are found."""
    return f"i-{int(deal.created_at.timestamp() * 1000)},s-{deal.id}"


def after(deals: Sequence[Deal], text: str) -> Sequence[Deal]:
    """Return the deals that follow; none if the last one seen is not in the list any more.

    Raises:
        UnreadableCursorError: the text is no cursor.
    """
    found = _CURSOR.fullmatch(text)
    if not found:
        raise UnreadableCursorError
    places = [place for place, deal in enumerate(deals) if deal.id == found["id"]]
    return deals[places[0] + 1 :] if places else ()
