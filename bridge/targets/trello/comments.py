"""Finding out whether a comment was written, where the answer to it was lost."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from bridge.component.reading import is_gone, text_of
from bridge.errors import PermanentFailure, UnknownOutcome
from bridge.model import JsonObject
from bridge.targets.trello.api import Api
from bridge.targets.trello.cards import SKEW, made_at
from bridge.targets.trello.text import cut

PAGE: Final = 50
"""Actions that Trello gives at once, the newest first."""
PAGES: Final = 20
"""The most that it gives of one card."""


async def find_comment(api: Api, card: str, text: str, after: str, since: datetime) -> str | None:
    """Return the id of a comment with that text, if there is one.

    ``after`` is the id of the last comment that is known to be of an earlier message, empty if none is. A card that is
    gone has none.

    Raises:
        UnknownOutcome: there are more comments than can be looked through.
        DeliveryFailure: as ``Http.deliver``.
    """
    wanted = _normal(cut(text.strip()))
    try:
        async for comment in _comments(api, card):
            id_ = text_of(comment, "id")
            if id_ == after or made_at(id_) < since - SKEW:
                return None
            data = comment.get("data")
            if isinstance(data, dict) and _normal(text_of(data, "text")) == wanted:
                return id_
    except PermanentFailure as failure:
        if not is_gone(failure):
            raise
    return None


async def _comments(api: Api, card: str) -> AsyncIterator[JsonObject]:
    for number in range(PAGES):
        page = await api.listed(f"/cards/{card}/actions", filter="commentCard", page=str(number))
        for comment in page:
            yield comment
        if len(page) < PAGE:
            return
    raise UnknownOutcome("it may have arrived: the card has more comments than can be looked through")


def _normal(text: str) -> str:
    return " ".join(text.split())
