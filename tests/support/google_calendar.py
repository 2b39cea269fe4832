"""A Google calendar on a real socket: it keeps events, gives access tokens, and holds each request to the contract.

``fail`` lets requests go wrong: with an answer instead of the deed, or behind the deed, when the connection ends before
the answer. What breaks the contract fails the test at its end, and so does an answer of its own that does.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any, ClassVar, Final, Self

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.openapi import GOOGLE_CALENDAR, Asked, Service

CALENDAR: Final = "vendas@group.calendar.google.example"
EMAIL: Final = "bridge@vendas.iam.example"
READ_ONLY: Final = {"kind", "etag", "updated", "created", "htmlLink", "sequence"}
Thing = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What goes wrong: a status with its reason, or with ``lost`` no answer at all; ``done`` says that it was done."""

    status: int = 503
    reason: str = "backendError"
    lost: bool = False
    done: bool = False


class RefusedError(Exception):
    """The calendar does not do as it is asked."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@cache
def account_key() -> tuple[str, Any]:
    """Return the private key of a service account, made anew for each run, and the public one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode(), key.public_key()


def google_key(token_url: str) -> str:
    """Return the JSON key of the service account, as Google gives it to who makes one."""
    key = {"client_email": EMAIL, "private_key_id": "key-1", "private_key": account_key()[0], "token_uri": token_url}
    return json.dumps({"type": "service_account", **key})


@dataclass
class FakeGoogleCalendar:
    """The calendar, its account, and what happened."""

    prefix: ClassVar[str] = "/calendar/v3"
    service: ClassVar[Service] = GOOGLE_CALENDAR

    fail: Callable[[Asked], Fault | None] = lambda _: None
    events: dict[str, Thing] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    claims: list[Thing] = field(default_factory=list)
    lasts: int = 3600
    role: str = "writer"
    revoked: bool = False
    url: str = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**22)
        app.router.add_post("/token", self._token)
        app.router.add_route("*", f"{self.prefix}{{path:/.*}}", self._serve)
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
            raise AssertionError("requests broke Google's contract:\n" + "\n".join(self.violations))

    def options(self, **more: Any) -> Thing:
        """Return the options of a target that is of this calendar's service account."""
        known = {
            "calendar": CALENDAR,
            "service_account": google_key(f"{self.url}/token"),
            "api_url": f"{self.url}/calendar/v3",
        }
        return known | more

    @property
    def event(self) -> Thing:
        """The one event."""
        (event,) = self.events.values()
        return event

    def lines(self) -> list[str]:
        """Return the requests about events, without ids."""
        return [f"{asked.method} {re.sub('/events/.*', '/events/ID', asked.path)}" for asked in self.asked]

    async def _token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        if self.revoked:
            told = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return web.json_response(told, status=400)
        if form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            audience = f"{self.url}/token"
            self.claims.append(jwt.decode(str(form["assertion"]), account_key()[1], ["RS256"], audience=audience))
        else:
            self.claims.append({name: str(value) for name, value in form.items()})
        self.tokens.append(f"ya29.hush-{len(self.tokens)}")
        return web.json_response({"access_token": self.tokens[-1], "expires_in": self.lasts, "token_type": "Bearer"})

    async def _serve(self, request: web.Request) -> web.Response:
        asked = await self._read(request)
        self.asked.append(asked)
        self.violations += self.service.violations(asked)
        fault = self.fail(asked)
        if fault and not fault.done:
            return self._faulty(fault, request)
        status, reply = self._answered(asked)
        self.violations += self.service.reply_violations(asked, status, reply)
        return self._faulty(fault, request) if fault else web.json_response(reply, status=status)

    async def _read(self, request: web.Request) -> Asked:
        path, query = request.match_info["path"], dict(request.query)
        return Asked(request.method, path, query, await request.read(), dict(request.headers))

    def _faulty(self, fault: Fault, request: web.Request) -> web.Response:
        if fault.lost and request.transport:
            request.transport.abort()
        return web.json_response(self._error(fault.status, fault.reason), status=fault.status)

    def _answered(self, asked: Asked) -> tuple[int, Any]:
        try:
            if asked.headers.get("Authorization") not in [f"Bearer {token}" for token in self.tokens[-1:]]:
                raise RefusedError(401, "authError")
            return 200, self._done(asked)
        except RefusedError as refusal:
            return refusal.status, self._error(refusal.status, refusal.reason)

    def _done(self, asked: Asked) -> Thing:
        calendar, _, id_ = asked.path.removeprefix("/calendars/").partition("/events")
        if calendar != CALENDAR:
            raise RefusedError(404, "notFound")
        id_ = id_.removeprefix("/")
        if asked.method == "GET":
            return (
                self._known(id_) if id_ else {"kind": "calendar#events", "summary": "Vendas", "accessRole": self.role}
            )
        if self.role not in {"writer", "owner"}:
            raise RefusedError(403, "requiredAccessLevel")
        if asked.method == "POST":
            if asked.json["id"] in self.events:
                raise RefusedError(409, "duplicate")
            return self._kept(asked.json["id"], asked.json)
        if asked.headers.get("If-Match", self._known(id_)["etag"]) != self._known(id_)["etag"]:
            raise RefusedError(412, "conditionNotMet")
        return self._kept(id_, asked.json)

    def _known(self, id_: str) -> Thing:
        if id_ not in self.events:
            raise RefusedError(404, "notFound")
        return self.events[id_]

    def _kept(self, id_: str, event: Thing) -> Thing:
        if not {"start", "end"} <= event.keys() or not _begins(event) < _begins(event, "end"):
            raise RefusedError(400, "timeRangeEmpty")
        if len(event.get("description", "")) > 8192:
            raise RefusedError(400, "invalid")
        number = self.events.get(id_, {}).get("sequence", 0) + 1
        written = {name: value for name, value in event.items() if name not in READ_ONLY}
        kept = {"kind": "calendar#event", "etag": f'"{number}"', "sequence": number, "htmlLink": f"https://cal/{id_}"}
        self.events[id_] = written | kept
        return self.events[id_]

    def _error(self, status: int, reason: str) -> Thing:
        return {"error": {"code": status, "message": f"{reason}, says Google", "errors": [{"reason": reason}]}}


def _begins(event: Thing, end: str = "start") -> str:
    moment = event[end]
    return str(moment.get("date") or moment["dateTime"])
