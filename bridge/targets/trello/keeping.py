"""Bringing one card to the state that a message asks for. Safe to do again from any point at which it broke off.

First comes the card itself: the one of the link, else the one with the mark of the key, else a new one that bears the
mark from its first moment. Then its parts are added, each only if it is missing. The comment, which nothing tells from
an earlier one with the same words, comes last: who finds it has nothing left to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from bridge.component.reading import is_gone, text_of
from bridge.errors import PermanentFailure, TransientFailure
from bridge.model import JsonObject, Link, Receipt
from bridge.targets.trello.api import Api, ids_of
from bridge.targets.trello.cards import Cards
from bridge.targets.trello.names import Names
from bridge.targets.trello.options import TrelloAction, TrelloOptions
from bridge.targets.trello.parts import READ, add_parts, has_parts
from bridge.targets.trello.refusals import perhaps_done
from bridge.targets.trello.text import cut
from bridge.targets.trello.wanted import Wanted, wanted_of

NO_CARD = "there is no card of this key, and the entry makes none"
DELETED = "the card is gone: it was deleted at Trello, or moved to where the token may not see it"


@dataclass(frozen=True, slots=True)
class Place:
    """A board, and what is known of it."""

    options: TrelloOptions
    names: Names
    cards: Cards


@dataclass(slots=True)
class Keeping:
    """One message about one card. ``link`` is what an earlier one has left."""

    place: Place
    api: Api
    action: TrelloAction
    mark: str
    link: Link | None
    said: list[str] = field(default_factory=list)
    """What a person may want to know of what was done."""

    async def run(self, target: str, key: str) -> Receipt:
        """Do all that is asked for."""
        wanted = await self.wanted()
        self.said += [f'no member of the board is called "{name}"' for name in wanted.strangers]
        card = await self._card(wanted)
        if card is None:
            return Receipt(self.api.status, NO_CARD)
        await add_parts(self.api, card, self.action, wanted.custom_fields)
        comment = await self._comment(text_of(card, "id"))
        link = Link(target, key, text_of(card, "id"), self.left(wanted, comment))
        return Receipt(self.api.status, "; ".join(self.said) or "the card has all of it already", (link,))

    async def wanted(self) -> Wanted:
        """Return what is asked for, in ids."""
        return await wanted_of(self.action, self.mark, self.place.names, self.api)

    async def known(self) -> str | None:
        """Return the id of the card as far as it is known; it may be gone."""
        return self.link.external_id if self.link else await self.place.cards.find(self.api, self.mark)

    def left(self, wanted: Wanted, comment: str | None) -> JsonObject:
        """Return what later messages have to know: what we have put there, which they may take away again."""
        left: JsonObject = {**(self.link.data if self.link else {}), "board": self.place.options.board}
        if wanted.labels is not None:
            left["labels"] = [*wanted.labels]
        if wanted.members is not None:
            left["members"] = [*wanted.members]
        return {**left, "comment": comment} if comment else left

    async def _card(self, wanted: Wanted) -> JsonObject | None:
        """Return the card as it is now; None if there is none and none is made."""
        if self.link and (card := await self._changed(self.link.external_id, wanted)):
            return card
        if self.link and not (self.action.makes or self.action.archived):
            raise PermanentFailure(DELETED, status=HTTPStatus.NOT_FOUND)
        found = await self.place.cards.find(self.api, self.mark)
        if found and (card := await self._changed(found, wanted)):
            return card
        return await self._made(wanted) if self.action.makes else None

    async def _changed(self, id_: str, wanted: Wanted) -> JsonObject | None:
        """Bring a card's fields to what is asked for, and return what it has; None if it is gone."""
        try:
            return await self._written(id_, wanted)
        except PermanentFailure as failure:
            if not is_gone(failure):
                raise
        self.place.cards.forget(self.mark)
        return None

    async def _written(self, id_: str, wanted: Wanted) -> JsonObject:
        card: JsonObject = {"id": id_}
        if has_parts(self.action) or wanted.labels is not None or wanted.members is not None:
            card = await self.api.object(f"/cards/{id_}", **READ)
        changes = {
            **wanted.fields,
            **self._joined(card, "idLabels", "labels", wanted.labels),
            **self._joined(card, "idMembers", "members", wanted.members),
        }
        if changes:
            written = await self.api.put(f"/cards/{id_}", changes)
            self.said.append(f"updated {text_of(written, 'shortUrl') or id_}")
        return card

    def _joined(self, card: JsonObject, name: str, ours: str, wanted: Sequence[str] | None) -> JsonObject:
        """Return what a card is to have, if anything is said of it: what people gave it stays, what we gave it goes."""
        if wanted is None:
            return {}
        before = ids_of(self.link.data, ours) if self.link else []
        theirs = [id_ for id_ in ids_of(card, name) if id_ not in before]
        return {name: ",".join(dict.fromkeys((*theirs, *wanted)))}

    async def _made(self, wanted: Wanted) -> JsonObject:
        """Make the card."""
        given = {name: value for name, value in wanted.fields.items() if value is not None and name != "closed"}
        several: JsonObject = {"idLabels": [*(wanted.labels or ())], "idMembers": [*(wanted.members or ())]}
        body: JsonObject = {"desc": self.mark, **given, **{name: ids for name, ids in several.items() if ids}}
        if "idList" not in body:
            body["idList"] = await self._first_list()
        card = await self.api.post("/cards", body)
        self.said.append(f"made {text_of(card, 'shortUrl') or text_of(card, 'id')}")
        return card

    async def _first_list(self) -> str:
        if not self.place.options.list:
            raise PermanentFailure('a new card needs a list: the entry names none, and its target has no "list"')
        return await self.place.names.list_id(self.api, self.place.options.list)

    async def _comment(self, id_: str) -> str | None:
        """Write the comment, and return its id.

        Raises:
            UnknownOutcome: Trello failed by itself, perhaps behind the deed.
        """
        text = (self.action.comment or "").strip()
        if not text:
            return None
        try:
            made = await self.api.post(f"/cards/{id_}/actions/comments", {"text": cut(text)})
        except TransientFailure as failure:
            if (failure.status or 0) < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            unknown = perhaps_done(failure)
        except PermanentFailure as failure:
            raise PermanentFailure(DELETED, status=failure.status) if is_gone(failure) else failure from None
        else:
            self.said.append("commented")
            return text_of(made, "id")
        raise unknown
