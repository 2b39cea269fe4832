"""Running listeners, and the daemon's word on its readiness."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from aiohttp import web

from bridge.app.server import Servers
from bridge.model import JsonObject


class Serve(Protocol):
    """Makes running servers."""

    def __call__(self, *hooks: web.RouteDef, **settings: Any) -> AbstractAsyncContextManager[Servers]: ...


class Ready:
    """What the daemon tells of its readiness."""

    def __init__(self) -> None:
        self.ready = True
        self.asked = 0

    async def __call__(self) -> tuple[bool, JsonObject]:
        self.asked += 1
        return self.ready, {"revision": "r1"}
