"""A mailbox of Microsoft 365 on a real socket: it keeps events, gives tokens, and holds each request to the contract.

``fail`` lets requests go wrong: with an answer instead of the deed, or behind the deed, when the connection ends before
the answer. What breaks the contract fails the test at its end, and so does an answer of its own that does.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote

from aiohttp import web
from jsonschema import Draft7Validator

from bridge.targets.microsoft_calendar.event import PROPERTY
from tests.support.contract_server import SPECS
from tests.support.openapi import Asked, Service

GRAPH: Final = Service("msgraph/graph-calendar.openapi.json", "https://graph.microsoft.com", "/v1.0")
MAILBOX: Final = "vendas@empresa.example"
SECRET: Final = "hush~secret"
FILTER: Final = re.compile(r"singleValueExtendedProperties/any\(p:p/id eq '([^']+)' and p/value eq '([0-9a-f]{32})'\)")
Thing = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What goes wrong: a status with its code, or with ``lost`` no answer at all; ``done`` says that it was done."""

    status: int = 503
    code: str = "ServiceUnavailable"
    lost: bool = False
    done: bool = False


class RefusedError(Exception):
    """Graph does not do as it is asked."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class FakeGraph:
    """The mailbox, with two calendars, and what happened."""

    fail: Callable[[Asked], Fault | None] = lambda _: None
    events: dict[str, Thing] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    forms: list[Thing] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    writable: bool = True
    hidden: bool = False
    url: str = ""

    async def __aenter__(self) -> Self:
        self._numbers = count(1)
        app = web.Application(client_max_size=2**22)
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        app.router.add_route("*", "/v1.0{path:/.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        if kind is None and self.violations:
            raise AssertionError("requests broke Microsoft's contract:\n" + "\n".join(self.violations))

    def options(self, **more: Any) -> Thing:
        """Return the options of a target that writes to this mailbox."""
        known = {
            "tenant": "empresa.example",
            "client_id": "app-1",
            "client_secret": SECRET,
            "mailbox": MAILBOX,
            "login_url": self.url,
            "api_url": f"{self.url}/v1.0",
        }
        return known | more

    @property
    def event(self) -> Thing:
        """The one event."""
        (event,) = self.events.values()
        return event

    @property
    def lines(self) -> list[str]:
        """Return the requests, without the mailbox and ids."""
        return [
            f"{asked.method} {re.sub('/events/.*', '/events/ID', asked.path.removeprefix(f'/users/{MAILBOX}'))}"
            for asked in self.asked
        ]

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form | {"tenant": request.match_info["tenant"]})
        if form["client_secret"] != SECRET or form["scope"] != "https://graph.microsoft.com/.default":
            told = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
            return web.json_response(told, status=401)
        self.tokens.append(f"ey.hush-{len(self.tokens)}")
        return web.json_response({"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"})

    async def _serve(self, request: web.Request) -> web.Response:
        path = unquote(request.match_info["path"])
        asked = Asked(request.method, path, dict(request.query), await request.read(), dict(request.headers))
        self.asked.append(asked)
        self.violations += graph_violations(asked)
        if asked.headers.get("Prefer") != 'IdType="ImmutableId"':
            self.violations.append(f"{path}: ids are asked for that may change")
        fault = self.fail(asked)
        if fault and not fault.done:
            return self._faulty(fault, request)
        status, reply = self._answered(asked)
        self.violations += [] if reply is None else GRAPH.reply_violations(asked, status, reply)
        if fault:
            return self._faulty(fault, request)
        return web.Response(status=204) if reply is None else web.json_response(reply, status=status)

    def _faulty(self, fault: Fault, request: web.Request) -> web.Response:
        if fault.lost and request.transport:
            request.transport.abort()
        return web.json_response(_error(fault.code), status=fault.status)

    def _answered(self, asked: Asked) -> tuple[int, Any]:
        try:
            if asked.headers.get("Authorization") not in [f"Bearer {token}" for token in self.tokens[-1:]]:
                raise RefusedError(401, "InvalidAuthenticationToken")
            return self._done(asked)
        except RefusedError as refusal:
            return refusal.status, _error(refusal.code)

    def _done(self, asked: Asked) -> tuple[int, Any]:
        user, _, rest = asked.path.removeprefix("/users/").partition("/")
        if user != MAILBOX:
            raise RefusedError(404, "ErrorInvalidUser")
        if rest.startswith("calendar") and not rest.endswith("/events"):
            return 200, self._calendars(rest)
        if not rest.endswith("events"):
            return self._about_one(asked, rest.removeprefix("events/"))
        calendar = rest.removesuffix("events").strip("/").removeprefix("calendars/") or "cal-1"
        if calendar not in {"cal-1", "cal-2"}:
            raise RefusedError(404, "ErrorItemNotFound")
        return (200, self._found(asked)) if asked.method == "GET" else (201, self._made(asked, calendar))

    def _calendars(self, rest: str) -> Thing:
        first = {"id": "cal-1", "name": "Calendário", "canEdit": self.writable}
        both = [first, {"id": "cal-2", "name": "Reuniões de Vendas", "canEdit": self.writable}]
        return {"value": both} if rest == "calendars" else first

    def _found(self, asked: Asked) -> Thing:
        wanted = FILTER.fullmatch(str(asked.query["$filter"]))
        if wanted is None:
            raise RefusedError(400, "BadRequest")
        known = {} if self.hidden else self.events
        property_ = {"id": wanted[1], "value": wanted[2]}
        return {"value": [{"id": id_} for id_, each in known.items() if property_ in each["_marks"]][:1]}

    def _made(self, asked: Asked, calendar: str) -> Thing:
        transaction = asked.json["transactionId"]
        if any(each["transactionId"] == transaction for each in self.events.values()):
            raise RefusedError(409, "ErrorDuplicateTransactionId")
        if not {"start", "end"} <= asked.json.keys():
            raise RefusedError(400, "ErrorPropertyValidationFailure")
        id_ = f"event-{next(self._numbers)}="
        marks = asked.json["singleValueExtendedProperties"]
        assert [each["id"] for each in marks] == [PROPERTY]
        return self._kept(id_, {"_marks": marks, "_calendar": calendar, "showAs": "busy"}, asked.json)

    def _about_one(self, asked: Asked, id_: str) -> tuple[int, Any]:
        if id_ not in self.events:
            raise RefusedError(404, "ErrorItemNotFound")
        if asked.method == "DELETE":
            del self.events[id_]
            return 204, None
        return 200, self._kept(id_, self.events[id_], asked.json)

    def _kept(self, id_: str, known: Thing, told: Thing) -> Thing:
        kept = {**known, **told, "id": id_, "webLink": f"https://outlook/{id_}"}
        if not kept["start"]["dateTime"] < kept["end"]["dateTime"]:
            raise RefusedError(400, "ErrorCalendarEndDateIsEarlierThanStartDate")
        if kept.get("isAllDay") and any(not kept[end]["dateTime"].endswith("T00:00:00") for end in ("start", "end")):
            raise RefusedError(400, "ErrorCalendarInvalidAllDay")
        self.events[id_] = kept
        return {name: value for name, value in kept.items() if not name.startswith("_")}


def graph_violations(asked: Asked) -> list[str]:
    """Return what a request breaks of Microsoft's contract, and of its own types, in which nothing else may stand."""
    body = asked.json if asked.body else {}
    told = (f"{asked.path}: {error.json_path}: {error.message[:300]}" for error in _event_type().iter_errors(body))
    return [*GRAPH.violations(asked), *told]


@cache
def _event_type() -> Draft7Validator:
    return Draft7Validator(json.loads((SPECS / "msgraph" / "graph-event.schema.json").read_text("utf-8")))


def _error(code: str) -> Thing:
    return {"error": {"code": code, "message": f"{code}, says Microsoft"}}
