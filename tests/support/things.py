"""A service of our own on a real socket: it keeps things under ids of its choice, and heeds `Idempotency-Key`.

``fail`` lets requests go wrong: with a status instead of the deed, or behind the deed, when the connection ends before
the answer.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.support.openapi import Asked

Thing = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What goes wrong: a status, or with ``lost`` no answer at all; ``done`` says that it was done."""

    status: int = 503
    lost: bool = False
    done: bool = False


@dataclass
class Things:
    """The things, and what happened."""

    fail: Callable[[Asked], Fault | None] = lambda _: None
    things: dict[str, Thing] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    url: str = ""

    async def __aenter__(self) -> Self:
        self._numbers = count(1)
        app = web.Application()
        app.router.add_route("*", "/things{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def lines(self) -> list[str]:
        """Return the requests, without ids."""
        return [f"{asked.method} {re.sub('/things/.*', '/things/ID', asked.path)}" for asked in self.asked]

    async def _serve(self, request: web.Request) -> web.Response:
        asked = Asked(request.method, request.path, {}, await request.read(), dict(request.headers))
        self.asked.append(asked)
        fault = self.fail(asked)
        if fault and not fault.done:
            return self._faulty(fault, request)
        response = self._done(asked)
        return self._faulty(fault, request) if fault else response

    def _faulty(self, fault: Fault, request: web.Request) -> web.Response:
        if fault.lost and request.transport:
            request.transport.abort()
        return web.json_response({"error": "busy"}, status=fault.status)

    def _done(self, asked: Asked) -> web.Response:
        id_ = asked.path.removeprefix("/things").removeprefix("/")
        if asked.method == "POST":
            return self._made(asked)
        if id_ not in self.things:
            return web.json_response({"error": "gone"}, status=404)
        if asked.method == "DELETE":
            del self.things[id_]
            return web.Response(status=204)
        self.things[id_] = asked.json
        return web.json_response({"ok": True})

    def _made(self, asked: Asked) -> web.Response:
        key = asked.headers["Idempotency-Key"]
        if key not in self.known:
            self.known[key] = f"thing-{next(self._numbers)}"
            self.things[self.known[key]] = asked.json
        return web.json_response({"data": {"id": self.known[key]}}, status=201)
