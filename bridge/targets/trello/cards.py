"""Finding a card again by the mark in its description, before another one is made for the same key.

Trello knows no key of ours, and its search is late. So all cards of the board are read once, and then, before each new
card, those made since. Archived ones are among them: a card that is back is better than two.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from bridge.component.marks import mark_in
from bridge.component.reading import text_of
from bridge.model import JsonObject
from bridge.targets.trello.api import Api
from bridge.targets.trello.names import Names

PAGE: Final = 1000
"""The most that Trello gives at once: the newest, then those before the oldest of them."""
SKEW: Final = timedelta(minutes=2)
"""How much is read again: ids tell when a card was made, and those of one moment are in no order."""


class Cards:
    """The marked cards of one board, by their marks."""

    def __init__(self, names: Names) -> None:
        """Know none yet."""
        self._names = names
        self._found: dict[str, str] = {}
        self._newest = ""
        self._read_to: str | None = ""
        self._reading = asyncio.Lock()

    async def find(self, api: Api, mark: str) -> str | None:
        """Return the id of the card with a mark; of several, which are copies that people made, the oldest.

        Raises as ``Http.deliver``; what was read by then is not read again.
        """
        async with self._reading:
            begun_before = self._read_to != ""
            await self._read_back(api)
            if begun_before:
                await self._read_new(api)
        return self._found.get(mark)

    def forget(self, mark: str) -> None:
        """Forget a card that is gone."""
        self._found.pop(mark, None)

    async def _read_back(self, api: Api) -> None:
        """Read all cards, the newest first, from where an attempt before this one was broken off."""
        while self._read_to is not None:
            newest, self._read_to = await self._page(api, {"before": self._read_to} if self._read_to else {})
            self._newest = self._newest or newest

    async def _read_new(self, api: Api) -> None:
        """Read the cards made since the newest that is known."""
        since = {"since": f"{made_at(self._newest) - SKEW:%Y-%m-%dT%H:%M:%SZ}"} if self._newest else {}
        newest, read_to = await self._page(api, since)
        while read_to is not None:
            _, read_to = await self._page(api, {**since, "before": read_to})
        self._newest = max(newest, self._newest)

    async def _page(self, api: Api, asked: Mapping[str, str]) -> tuple[str, str | None]:
        """Read a page; return the newest id on it, and the oldest if there are more."""
        page = await self._names.below(api, "cards/all", fields="desc", limit=str(PAGE), **asked)
        for card in page:
            self._take(card)
        ids = [text_of(card, "id") for card in page]
        goes_on = len(ids) >= PAGE and min(ids) != asked.get("before")
        return max(ids, default=""), min(ids) if goes_on else None

    def _take(self, card: JsonObject) -> None:
        mark, id_ = mark_in(text_of(card, "desc")), text_of(card, "id")
        if mark:
            self._found[mark] = min(id_, self._found.get(mark, id_))


def made_at(id_: str) -> datetime:
    """Return when a thing of Trello's was made, to the second: its id begins with that."""
    return datetime.fromtimestamp(int(id_[:8], 16), UTC)
