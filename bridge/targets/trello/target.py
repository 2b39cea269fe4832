"""The trello target: one card for each key."""

from datetime import datetime
from typing import Final

from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.http import json_body
from bridge.component.markdown import escape, unescape
from bridge.component.marks import mark_of
from bridge.component.reading import text_of
from bridge.errors import AccessRefused, PermanentFailure
from bridge.model import Json, JsonObject, Link, Message, Rate, Receipt
from bridge.targets.trello.api import Api
from bridge.targets.trello.cards import Cards
from bridge.targets.trello.comments import find_comment
from bridge.targets.trello.keeping import Keeping, Place
from bridge.targets.trello.names import Names
from bridge.targets.trello.options import TrelloAction, TrelloOptions
from bridge.targets.trello.played import played

SHOWN: Final = ("list", "pos", "labels", "members", "due", "start", "due_complete", "archived", "url")
"""What a preview shows of a card above its description, a line each."""
UNREPEATED: Final = ("name", "comment", "labels", "members")
"""What an older message does and a newer one of its entry may not: it makes the card that others change or comment in
between, it comments, and it notes whose labels and members are ours."""


class Trello(Target[TrelloOptions, TrelloAction]):
    """Makes, changes, moves, archives and comments cards.

    A card is known by its key. Its link is written when it was made; until then the mark in its description is what
    it is found by, so that a crash or a lost answer makes no second one (docs/adr/0020).
    """

    Options = TrelloOptions
    Action = TrelloAction
    escapes = {"desc": escape, "comment": escape, "checklists": escape}  # noqa: RUF012 (a ClassVar of the base)
    main_field = "desc"
    rate = Rate(50, 10.0)
    over_http = True

    def __init__(self, name: str, options: TrelloOptions) -> None:
        """Know nothing of the board yet."""
        super().__init__(name, options)
        names = Names(options)
        self._place = Place(options, names, Cards(names))

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Bring the card of the message's key to what is asked for."""
        keeping = await self._keeping(message, links, http)
        try:
            return await keeping.run(self.name, message.key)
        except PermanentFailure:
            self._place.names.forget()  # so that what people mend on the board is seen at once
            raise

    @property
    def looks_up(self) -> bool:
        """Tell that nothing stays unknown: a card is found by its mark, and a comment by its words."""
        return True

    async def look_up(self, message: Message, since: datetime, links: Links, http: Http) -> Receipt | None:
        """Look for the comment, which comes last; without one, sending again does no harm."""
        keeping = await self._keeping(message, links, http)
        comment = (keeping.action.comment or "").strip()
        card = await keeping.known() if comment else None
        if card is None:
            return None
        last = text_of(keeping.link.data, "comment") if keeping.link else ""
        found = await find_comment(keeping.api, card, comment, last, since)
        if found is None:
            return None
        left = keeping.left(await keeping.wanted(), found)
        return Receipt(None, "found the comment on the card", (Link(self.name, message.key, card, left),))

    async def probe(self, http: Http) -> str:
        """Ask for the board, and for the list that new cards go to."""
        api = Api(self.options, http)
        board = await self._place.names.about(api, "name,closed")
        name = text_of(board, "name")
        if board.get("closed") is True:
            raise AccessRefused(f'the board "{name}" is closed')
        if not self.options.list:
            return f'sees the board "{name}"'
        await self._place.names.list_id(api, self.options.list)
        return f'sees the board "{name}", new cards go to the list "{self.options.list}"'

    def upserts(self, content: JsonObject) -> bool:
        """Tell whether a newer message does all that an older one would, and nothing counts on the older one."""
        return not any(content.get(name) for name in UNREPEATED)

    def link_key(self, message: Message) -> str:
        """Return the message's own key, which has one card."""
        return message.key

    def accepted(self, request: Request, number: int) -> Answer:
        """Return what a board says that has whatever it is asked for, and no card yet."""
        return Answer(200, {}, json_body(played(request, number, self._place.names)))

    def preview(self, content: JsonObject) -> str:
        """Return the card from the top down."""
        lines = [_text(content.get("name"))] if content.get("name") else []
        lines += [f"{name}: {_text(content[name])}" for name in SHOWN if name in content]
        lines += [f"{name}: {_text(value)}" for name, value in _members(content.get("custom_fields"))]
        if content.get("desc"):
            lines += ["", _text(content["desc"])]
        for name, items in _members(content.get("checklists")):
            lines += ["", f"{name}:", *(f"[ ] {_text(item)}" for item in _items(items))]
        if content.get("comment"):
            lines += ["", f"comment: {_text(content['comment'])}"]
        return "\n".join(lines).strip()

    def warnings(self, content: JsonObject) -> tuple[str, ...]:
        """Return a sentence for a card that no list is named for."""
        if "name" not in content or "list" in content or self.options.list or content.get("archived") is True:
            return ()
        return ('a new card needs a list: name one in the entry, or give the target a "list"',)

    async def _keeping(self, message: Message, links: Links, http: Http) -> Keeping:
        """Return what is to be done; a link to a card of another board, before a change of options, is over."""
        action, link = self.action(message), await links.find(message.key)
        if link and link.data.get("board", self.options.board) != self.options.board:
            link = None
        return Keeping(self._place, Api(self.options, http), action, mark_of(message.key), link)


def _members(mapping: Json) -> list[tuple[str, Json]]:
    return list(mapping.items()) if isinstance(mapping, dict) else []


def _items(several: Json) -> list[Json]:
    return several if isinstance(several, list) else [several]


def _text(value: Json) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value if each)
    if isinstance(value, bool):
        return str(value).lower()
    return unescape(str(value)) if value is not None else "—"
