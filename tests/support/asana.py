"""A project at Asana on a real socket: it keeps tasks, and holds each request to Asana's contract.

``fail`` lets requests go wrong: with an answer instead of the deed, or behind the deed, when the connection ends before
the answer. What breaks the contract fails the test at its end, and so does an answer of its own that does.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote

from aiohttp import web

from tests.support.openapi import Asked, Service

CONTRACT: Final = Service("asana/asana.openapi.json", "https://app.asana.com", "/api/1.0")
PROJECT: Final = "1204000000000001"
TOKEN: Final = "1/1200:hush0token"
PEOPLE: Final = {"ana@empresa.example": "5001", "rui@empresa.example": "5002"}
FIELDS: Final = (
    {"gid": "7001", "name": "Valor", "resource_subtype": "number"},
    {"gid": "7002", "name": "Origem", "resource_subtype": "enum"},
    {"gid": "7003", "name": "Produtos", "resource_subtype": "multi_enum"},
    {"gid": "7004", "name": "Código", "resource_subtype": "text"},
    {"gid": "7005", "name": "Fechamento", "resource_subtype": "date"},
    {"gid": "7006", "name": "Donos", "resource_subtype": "people"},
)
OPTIONS: Final = {"Site": "8001", "Indicação": "8002"}
PAGE: Final = 2
"""Things on a page: few, so that tests turn pages."""
Thing = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What goes wrong: a status with Asana's words, or with ``lost`` no answer; ``done`` says that it was done."""

    status: int = 503
    words: str = "busy"
    lost: bool = False
    done: bool = False


class RefusedError(Exception):
    """Asana does not do as it is asked."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


@dataclass
class FakeAsana:
    """The project, and what happened."""

    fail: Callable[[Asked], Fault | None] = lambda _: None
    sections: dict[str, str] = field(default_factory=lambda: {"6001": "Novas", "6002": "Ganhas", "6003": "Perdidas"})
    tasks: dict[str, Thing] = field(default_factory=dict)
    stories: dict[str, list[Thing]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    archived: bool = False
    url: str = ""

    async def __aenter__(self) -> Self:
        self._numbers = count(1)
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/api/1.0{path:/.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/api/1.0"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        if kind is None and self.violations:
            raise AssertionError("requests broke Asana's contract:\n" + "\n".join(self.violations))

    def options(self, **more: Any) -> Thing:
        """Return the options of a target that writes to this project."""
        return {"token": TOKEN, "project": PROJECT, "api_url": self.url} | more

    @property
    def task(self) -> Thing:
        """The one task."""
        (task,) = self.tasks.values()
        return task

    @property
    def lines(self) -> list[str]:
        """Return the requests, without ids and queries."""
        return [f"{asked.method} {re.sub('[0-9]{4,}', 'ID', asked.path)}" for asked in self.asked]

    async def _serve(self, request: web.Request) -> web.Response:
        path = unquote(request.match_info["path"])
        asked = Asked(request.method, path, dict(request.query), await request.read(), dict(request.headers))
        self.asked.append(asked)
        self.violations += CONTRACT.violations(asked)
        fault = self.fail(asked)
        if fault and not fault.done:
            return self._faulty(fault, request)
        status, reply = self._answered(asked)
        self.violations += CONTRACT.reply_violations(asked, status, reply)
        return self._faulty(fault, request) if fault else web.json_response(reply, status=status)

    def _faulty(self, fault: Fault, request: web.Request) -> web.Response:
        if fault.lost and request.transport:
            request.transport.abort()
        return web.json_response(_error(fault.words), status=fault.status)

    def _answered(self, asked: Asked) -> tuple[int, Any]:
        try:
            if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
                raise RefusedError(401, "Not Authorized")
            return self._done(asked)
        except RefusedError as refusal:
            return refusal.status, _error(refusal.words)

    def _done(self, asked: Asked) -> tuple[int, Any]:
        kind, _, rest = asked.path.lstrip("/").partition("/")
        id_, _, below = rest.partition("/")
        if kind == "projects":
            return 200, self._of_project(id_, below, asked)
        if kind == "users":
            if id_ not in PEOPLE:
                raise RefusedError(404, f"user: Unknown object: {id_}")
            return 200, {"data": {"gid": PEOPLE[id_], "name": id_}}
        if kind == "sections":
            self._known(asked.json["data"]["task"])["section"] = self._section(id_)
            return 200, {"data": {}}
        if not id_:
            return (200, self._listed(asked)) if asked.method == "GET" else (201, self._made(asked.json["data"]))
        return self._about_one(asked, id_, below)

    def _of_project(self, id_: str, below: str, asked: Asked) -> Thing:
        if id_ != PROJECT:
            raise RefusedError(404, f"project: Unknown object: {id_}")
        if not below:
            return {"data": {"gid": PROJECT, "name": "Vendas", "archived": self.archived}}
        if below == "sections":
            return _page([{"gid": gid, "name": name} for gid, name in self.sections.items()], asked)
        options = [{"gid": gid, "name": name} for name, gid in OPTIONS.items()]
        return _page(
            [{"gid": f"9{each['gid']}", "custom_field": {**each, "enum_options": options}} for each in FIELDS], asked
        )

    def _listed(self, asked: Asked) -> Thing:
        if asked.query["project"] != PROJECT:
            raise RefusedError(404, "project: Unknown object")
        since = datetime.fromisoformat(str(asked.query.get("modified_since", "2000-01-01T00:00:00Z")))
        changed = {
            gid: each for gid, each in self.tasks.items() if datetime.fromisoformat(each["modified_at"]) >= since
        }
        told = [{name: each.get(name, "") for name in ("gid", "notes", "modified_at")} for each in changed.values()]
        return _page(told, asked)

    def _made(self, data: Thing) -> Thing:
        if data.pop("projects") != [PROJECT]:
            raise RefusedError(400, "projects: Unknown object")
        gid = f"{10**15 + next(self._numbers)}"
        self.tasks[gid] = {"gid": gid, "section": "Novas"}
        self.stories[gid] = []
        return self._written(gid, data)

    def _about_one(self, asked: Asked, id_: str, below: str) -> tuple[int, Any]:
        self._known(id_)
        if below == "stories" and asked.method == "GET":
            return 200, _page(self.stories[id_], asked)
        if below == "stories":
            told = {"gid": f"{next(self._numbers) + 4000}", "type": "comment", "text": asked.json["data"]["text"]}
            self.stories[id_].append(told | {"created_at": datetime.now(UTC).isoformat()})
            return 201, {"data": told}
        if asked.method == "DELETE":
            del self.tasks[id_]
            return 200, {"data": {}}
        return 200, self._written(id_, asked.json["data"] if asked.method == "PUT" else {})

    def _written(self, gid: str, data: Thing) -> Thing:
        if data.get("assignee") is not None and data["assignee"] not in PEOPLE.values():
            raise RefusedError(400, "assignee: Not a valid user")
        if {"due_on", "due_at"} <= data.keys() or len(data.get("notes", "").encode()) > 65_535:
            raise RefusedError(400, "Bad request")
        known = self.tasks[gid]
        for each in {"due_on", "due_at"} if {"due_on", "due_at"} & data.keys() else ():
            known.pop(each, None)
        fields = {**known.get("custom_fields", {}), **data.get("custom_fields", {})}
        known |= {**data, "custom_fields": fields, "modified_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"}
        return {"data": {"gid": gid, "permalink_url": f"https://app.asana.com/0/{PROJECT}/{gid}"}}

    def _known(self, id_: str) -> Thing:
        if id_ not in self.tasks:
            raise RefusedError(404, f"task: Unknown object: {id_}")
        return self.tasks[id_]

    def _section(self, id_: str) -> str:
        if id_ not in self.sections:
            raise RefusedError(400, "section: Unknown object")
        return self.sections[id_]


def _page(things: list[Thing], asked: Asked) -> Thing:
    begin = int(str(asked.query.get("offset", "0")))
    end = begin + PAGE
    onward = {"offset": str(end), "path": f"{asked.path}?offset={end}", "uri": f"https://app.asana.com{asked.path}"}
    return {"data": things[begin:end], "next_page": onward if end < len(things) else None}


def _error(words: str) -> Thing:
    return {"errors": [{"message": words, "help": "For more information on API status codes, see the docs"}]}
