"""What of a board has a name: lists, labels, members, custom fields. Asked for when first needed, and then kept."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias

from bridge.component.reading import is_gone, text_of, things_in
from bridge.errors import PermanentFailure
from bridge.model import Json, JsonObject
from bridge.options import did_you_mean
from bridge.targets.trello.api import Api
from bridge.targets.trello.options import ID, TrelloOptions
from bridge.targets.trello.refusals import no_board

Kind: TypeAlias = Literal["lists", "labels", "members", "customFields"]

ASKED: Final[Mapping[Kind, Mapping[str, str]]] = {
    "lists": {"filter": "open", "fields": "name"},
    "labels": {"limit": "1000"},
    "members": {},
    "customFields": {},
}
"""How each kind is asked for; of labels Trello gives 50 unless more are asked for."""
SPELT: Final = ("id", "name", "username", "fullName", "email")
"""By what a thing may be called. Trello tells an account its own e-mail address, and that of hardly anybody else
(https://github.com/trello-archive/api-docs/issues/130)."""
KEPT: Final = 300.0
"""Seconds in which nothing is asked again: what a name stands for, and whom the board does not know."""


class Names:
    """The names of one board. What is not found is asked for at once: people may have made it since."""

    def __init__(self, options: TrelloOptions) -> None:
        """Know nothing yet."""
        self._options = options
        self._people = {name.casefold(): account for name, account in options.people.items()}
        self._known: dict[Kind, tuple[float, list[JsonObject]]] = {}
        self._board = options.board if ID.fullmatch(options.board) else ""
        self._strangers: dict[str, float] = {}
        self._making = asyncio.Lock()
        self._sought: defaultdict[Kind, list[str]] = defaultdict(list)

    def forget(self) -> None:
        """Ask for everything anew when it is needed."""
        self._known.clear()
        self._strangers.clear()

    def sought(self, kind: Kind) -> Sequence[str]:
        """Return what is being looked for just now."""
        return tuple(self._sought[kind])

    async def board(self, api: Api) -> str:
        """Return the id of the board.

        Raises:
            AccessRefused: there is no such board for this token.
            DeliveryFailure: as ``Http.deliver``.
        """
        if not self._board:
            self._board = text_of(await self.about(api, "name"), "id")
        return self._board

    async def about(self, api: Api, fields: str) -> JsonObject:
        """Return some fields of the board; raises as ``board``."""
        with _board_needed():
            return await api.object(f"/boards/{self._options.board}", fields=fields)

    async def below(self, api: Api, path: str, **asked: str) -> list[JsonObject]:
        """Return what the board has at a path; raises as ``board``."""
        with _board_needed():
            return await api.listed(f"/boards/{await self.board(api)}/{path}", **asked)

    async def list_id(self, api: Api, name: str) -> str:
        """Return the id of a list.

        Raises:
            PermanentFailure: the board has no such list.
            DeliveryFailure: as ``board``.
        """
        return name if ID.fullmatch(name) else text_of(await self._needed(api, "lists", name, "list"), "id")

    async def custom_field(self, api: Api, name: str) -> JsonObject:
        """Return a custom field; raises as ``list_id``."""
        return await self._needed(api, "customFields", name, "custom field")

    async def label_ids(self, api: Api, names: Sequence[str]) -> list[str]:
        """Return the ids of labels; those that the board lacks are made, without a colour, by one message at a time."""
        return [await self._label_id(api, name) for name in names]

    async def member_ids(self, api: Api, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the ids of members, and the names that no member of the board has."""
        found = {name: await self._member_id(api, name) for name in names}
        ids = dict.fromkeys(id_ for id_ in found.values() if id_)
        return list(ids), [name for name, id_ in found.items() if not id_]

    async def _label_id(self, api: Api, name: str) -> str:
        async with self._making:
            label = await self._find(api, "labels", name)
            if label is None:
                label = await api.post(f"/boards/{await self.board(api)}/labels", {"name": name, "color": None})
            return text_of(label, "id")

    async def _member_id(self, api: Api, name: str) -> str | None:
        account = self._people.get(name.casefold(), name)
        if _now() - self._strangers.get(account, -KEPT) < KEPT:
            return None
        member = await self._find(api, "members", account)
        if member is None:
            self._strangers = {who: since for who, since in self._strangers.items() if _now() - since < KEPT}
            self._strangers[account] = _now()
        return text_of(member, "id") if member else None

    async def _needed(self, api: Api, kind: Kind, name: str, word: str) -> JsonObject:
        thing = await self._find(api, kind, name)
        if thing is None:
            hint = did_you_mean(name, (text_of(each, "name") for each in self._kept(kind)))
            raise PermanentFailure(f'the board has no {word} "{name}"' + (f"; {hint}" if hint else ""))
        return thing

    async def _find(self, api: Api, kind: Kind, name: str) -> JsonObject | None:
        found = called(name, self._kept(kind))
        if found is None:
            with self._seeking(kind, name):
                self._known[kind] = _now(), await self.below(api, kind, **ASKED[kind])
            found = called(name, self._kept(kind))
        return found

    def _kept(self, kind: Kind) -> Sequence[JsonObject]:
        since, things = self._known.get(kind, (-KEPT, []))
        return things if _now() - since < KEPT else ()

    @contextmanager
    def _seeking(self, kind: Kind, name: str) -> Iterator[None]:
        self._sought[kind].append(name)
        try:
            yield
        finally:
            self._sought[kind].remove(name)


@contextmanager
def _board_needed() -> Iterator[None]:
    try:
        yield
    except PermanentFailure as failure:
        refused = no_board(failure) if is_gone(failure) else failure
    else:
        return
    raise refused


def _now() -> float:
    return asyncio.get_running_loop().time()


def called(name: str, things: Sequence[JsonObject]) -> JsonObject | None:
    """Return the thing of that name: written just so, or else in other capitals."""
    folded = name.strip().casefold()
    exact = (thing for thing in things if name in _spellings(thing))
    alike = (thing for thing in things if folded in {each.casefold() for each in _spellings(thing)})
    return next(exact, None) or next(alike, None)


def option_of(field: JsonObject, name: str) -> str:
    """Return the id of an option of a custom field that is a list.

    Raises:
        PermanentFailure: it has no such option.
    """
    options = {text_of(_value(option), "text").casefold(): option for option in things_in(field, "options")}
    if option := options.get(name.strip().casefold()):
        return text_of(option, "id")
    hint = did_you_mean(name, (text_of(_value(option), "text") for option in options.values()))
    reason = f'the custom field "{text_of(field, "name")}" has no option "{name}"'
    raise PermanentFailure(reason + (f"; {hint}" if hint else ""))


def _value(option: JsonObject) -> JsonObject:
    value: Json = option.get("value")
    return value if isinstance(value, dict) else {}


def _spellings(thing: JsonObject) -> set[str]:
    return {text_of(thing, spelt).strip() for spelt in SPELT} - {""}
