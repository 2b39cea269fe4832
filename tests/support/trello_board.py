"""A Trello board on a real socket: it does what it is asked, remembers it, and holds each request to the contract.

``fail`` lets requests go wrong: with an answer instead of the deed, or behind the deed, when the connection ends before
the answer. What breaks the contract fails the test at its end, and so does an answer of its own that does.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from bridge.model import Clock, SystemClock
from tests.support.trello_contract import Asked, reply_violations, violations

BOARD: Final = "5abbe4b7ddc1b351ef961414"
SHORT_LINK: Final = "AbCdEf12"
Thing = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What goes wrong: a status with its text, or with ``lost`` an answer that never comes; ``done`` is done anyway."""

    status: int = 503
    text: str = ""
    lost: bool = False
    done: bool = False


class RefusedError(Exception):
    """The board does not do as it is asked."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass
class TrelloBoard:
    """The board, its account, and what happened."""

    clock: Clock = field(default_factory=SystemClock)
    fail: Callable[[Asked], Fault | None] = lambda _: None
    things: dict[str, list[Thing]] = field(
        default_factory=lambda: {"lists": [], "labels": [], "members": [], "customFields": []}
    )
    cards: dict[str, Thing] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    name: str = "Vendas"
    closed: bool = False
    url: str = ""
    _made: int = 0

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_route("*", "/1{path:/.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        if kind is None and self.violations:
            raise AssertionError("requests broke Trello's contract:\n" + "\n".join(self.violations))

    # what a person does

    def has(self, kind: str, *names: str, **more: Any) -> list[str]:
        """Let the board have lists, labels, members or custom fields; return their ids."""
        made = [{"id": self.new_id(), "name": name, **more} for name in names]
        self.things[kind] += made
        return [thing["id"] for thing in made]

    def new_id(self) -> str:
        """Return an id as Trello makes them: when it was made, then a number."""
        self._made += 1
        return f"{int(self.clock.now().timestamp()):08x}{self._made:016x}"

    @property
    def card(self) -> Thing:
        """The one card."""
        (card,) = self.cards.values()
        return card

    def called(self, kind: str, ids: list[str] | str) -> list[str]:
        """Return the names of things."""
        wanted = [ids] if isinstance(ids, str) else ids
        return [thing["name"] for id_ in wanted for thing in self.things[kind] if thing["id"] == id_]

    @property
    def lines(self) -> list[str]:
        """Every request, without ids."""
        return [asked.line for asked in self.asked]

    # what Trello does

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw else None
        asked = Asked(request.method, request.match_info["path"], dict(request.query), body)
        self.asked.append(asked)
        self.violations += violations(asked, request.headers.get("Authorization", ""))
        fault = self.fail(asked)
        status, reply = self._answer(asked) if fault is None or fault.done else (0, None)
        if fault and fault.lost:
            assert request.transport
            request.transport.abort()
        if fault:
            return web.Response(status=fault.status, text=fault.text)
        if status == 200:
            self.violations += reply_violations(asked, reply)
            return web.json_response(reply)
        return web.Response(status=status, text=reply)

    def _answer(self, asked: Asked) -> tuple[int, Any]:
        try:
            return 200, self._done(asked)
        except RefusedError as refused:
            return refused.status, str(refused)

    def _done(self, asked: Asked) -> Any:  # noqa: PLR0911 (a table of what there is)
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["boards", board]:
                self._check_board(board)
                return {"id": BOARD, "name": self.name, "closed": self.closed}
            case "GET", ["boards", board, "cards", "all"]:
                self._check_board(board)
                return self._page(asked.query)
            case "GET", ["boards", board, kind]:
                self._check_board(board)
                return [thing for thing in self.things[kind] if not thing.get("closed")]
            case "POST", ["boards", board, "labels"]:
                self._check_board(board)
                self.has("labels", asked.body["name"], color=asked.body["color"])
                return self.things["labels"][-1]
            case "POST", ["cards"]:
                return self._make(asked.body)
            case "POST", ["checklists", id_, "checkItems"]:
                checklist = next(
                    each for card in self.cards.values() for each in card["checklists"] if each["id"] == id_
                )
                checklist["checkItems"].append({"id": self.new_id(), "state": "incomplete", **asked.body})
                return checklist["checkItems"][-1]
            case _, ["cards", id_, *below]:
                if id_ not in self.cards:
                    raise RefusedError(404, "The requested resource was not found.")
                return self._at_card(self.cards[id_], asked, below)
        raise RefusedError(404, "Cannot find it")

    def _at_card(self, card: Thing, asked: Asked, below: list[str]) -> Any:  # noqa: PLR0911 (the same of a card)
        match asked.method, below:
            case "GET", []:
                return card
            case "PUT", []:
                return self._change(card, asked.body)
            case "POST", ["actions", "comments"]:
                card["comments"].insert(0, {"id": self.new_id(), "data": {"text": asked.body["text"]}})
                return card["comments"][0]
            case "GET", ["actions"]:
                first = 50 * int(asked.query["page"])
                return card["comments"][first : first + 50]
            case "POST", ["attachments"]:
                card["attachments"].append({"id": self.new_id(), **asked.body})
                return card["attachments"][-1:]
            case "POST", ["checklists"]:
                card["checklists"].append({"id": self.new_id(), "name": asked.body["name"], "checkItems": []})
                return card["checklists"][-1]
            case "PUT", ["customField", field_id, "item"]:
                items = [each for each in card["customFieldItems"] if each["idCustomField"] != field_id]
                card["customFieldItems"] = [*items, {"id": self.new_id(), "idCustomField": field_id, **asked.body}]
                return {}
        raise RefusedError(404, "Cannot find it")

    def _check_board(self, board: str) -> None:
        if board not in {BOARD, SHORT_LINK}:
            raise RefusedError(404, "board not found")

    def _page(self, query: dict[str, str]) -> list[Thing]:
        """Return the newest cards, as Trello does, in the order of the board."""
        since = f"{_seconds(query['since']):08x}" if "since" in query else ""
        before = query.get("before", "g")
        ids = sorted(id_ for id_ in self.cards if since <= id_ < before)[-int(query["limit"]) :]
        return [{"id": id_, "desc": card["desc"]} for id_, card in self.cards.items() if id_ in set(ids)]

    def _make(self, body: Thing) -> Thing:
        id_ = self.new_id()
        card: Thing = {
            "id": id_,
            "idBoard": BOARD,
            "shortUrl": f"https://trello.com/c/{id_[-8:]}",
            "name": "",
            "desc": "",
            "due": None,
            "start": None,
            "dueComplete": False,
            "closed": False,
            "idLabels": [],
            "idMembers": [],
            "comments": [],
            "attachments": [],
            "checklists": [],
            "customFieldItems": [],
        }
        self._check(body)
        self.cards[id_] = card | body | self._place(body)
        return self.cards[id_]

    def _change(self, card: Thing, body: Thing) -> Thing:
        changes = dict(body)
        for several in ("idLabels", "idMembers"):
            if several in changes:
                changes[several] = [each for each in changes[several].split(",") if each]
        self._check(changes)
        card |= changes | self._place(body)
        return card

    def _place(self, body: Thing) -> Thing:
        """Return where in its list a card is put, as a number."""
        return (
            {"pos": {"top": 1, "bottom": 2**16 * len(self.cards)}.get(body["pos"], body["pos"])}
            if "pos" in body
            else {}
        )

    def _check(self, body: Thing) -> None:
        """Refuse ids of what the board does not have."""
        for name, kind in (("idList", "lists"), ("idLabels", "labels"), ("idMembers", "members")):
            ids = [body[name]] if name == "idList" and name in body else body.get(name, [])
            if not set(ids) <= {thing["id"] for thing in self.things[kind]}:
                raise RefusedError(400, f"invalid value for {name}")


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())
