"""What every request to an API passes: the common rate limit, the errors that come now and then, refusals as JSON."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Final

import orjson
from aiohttp import web

from bridge.model import Json, JsonObject
from bridge.simulator.chance import Chance
from bridge.simulator.clock import VirtualClock
from bridge.simulator.settings import SimulatorSettings
from bridge.simulator.telling import Note, Tell, Tone

V1: Final = "/api/v1"
V2: Final = "/crm/v2"
MINUTE: Final = timedelta(minutes=1)
FIRST_ERROR: Final = 400
BROKEN: Final = "<!DOCTYPE html>\n<html><head><title>500</title></head><body><h1>Algo deu errado</h1></body></html>\n"


class Refusal(Exception):  # noqa: N818 (an answer, no failure of ours)
    """A request that is answered with an error; ``body`` has the shape that this API gives it."""

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        """Keep what is answered."""
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


class BrokenError(Exception):
    """The CRM breaks on a request: an error 500 in HTML."""


def answer(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an answer in JSON."""
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")


async def sent(request: web.Request, errors: Callable[[str], JsonObject]) -> Json:
    """Return the JSON of a request.

    Raises:
        Refusal: it is none; ``errors`` gives the words the shape of this API.
    """
    try:
        body: Json = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise Refusal(400, errors("The body is no valid JSON")) from None
    return body


def v2_errors(detail: str) -> JsonObject:
    """Return an error as API v2 writes it."""
    return {"errors": [{"detail": detail}]}


def v1_error(code: str, message: str) -> JsonObject:
    """Return an error as API v1 writes some of them."""
    return {"errors": {"error_type": code, "error_message": message}}


class Gate:
    """The limits and moods of the host: 120 requests in any minute of virtual time, for both APIs together."""

    def __init__(self, settings: SimulatorSettings, clock: VirtualClock, tell: Tell) -> None:
        """Take the limits, and the clock that they are counted by."""
        self._settings = settings
        self._clock = clock
        self._tell = tell
        self._chance = Chance(settings.seed, "errors")
        self._spent: deque[datetime] = deque()

    @web.middleware
    async def guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer a request, or refuse it in the words of its API."""
        if not request.path.startswith((V1, V2)):
            return await _answered(request, handler)
        given = self._refused(request) or await _answered(request, handler)
        version, path = (
            ("v1", request.path.removeprefix(V1))
            if request.path.startswith(V1)
            else ("v2", request.path.removeprefix(V2))
        )
        tone: Tone = "bad" if given.status >= FIRST_ERROR else ""
        self._tell(Note(self._clock.now(), f"api {version}", request.method, f"{path} {given.status}", tone))
        return given

    def _refused(self, request: web.Request) -> web.Response | None:
        wait = self._wait()
        if wait is not None and request.path.startswith(V2):
            return answer(v2_errors("Too many requests"), 429, {"Retry-After": str(wait)})
        if wait is not None:
            return answer(v1_error("RATE_LIMIT_EXCEDDED", "Limite de requisições excedido"), 429)
        return _broken() if self._chance.happens(self._settings.errors) else None

    def _wait(self) -> int | None:
        """Count a request; return the whole seconds until it may come again, if there were too many."""
        now, most = self._clock.now(), self._settings.requests_per_minute
        while self._spent and self._spent[0] <= now - MINUTE:
            self._spent.popleft()
        if most and len(self._spent) >= most:
            return max(1, ceil((self._spent[0] + MINUTE - now).total_seconds()))
        self._spent.append(now)
        return None


async def _answered(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return answer(refusal.body, refusal.status, refusal.headers)
    except BrokenError:
        return _broken()


def _broken() -> web.Response:
    return web.Response(text=BROKEN, content_type="text/html", status=500)
