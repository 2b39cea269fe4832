"""A service that takes whatever is posted to it, and remembers it: webhooks, Slack's Web API, anything."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True)
class Got:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    at: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        """The id of the delivery that it is an attempt of, where the target says it."""
        return self.headers.get("Idempotency-Key", "")


@dataclass(frozen=True)
class Reply:
    """How a request is answered."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Sink:
    """Answers 200 to all; on Slack's method path as Slack would. ``hold`` makes answers wait for ``release``.

    ``judge``, where it is set, decides each answer; what it answered 2xx is ``accepted``.
    """

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.accepted: list[Got] = []
        self.judge: Callable[[Got], Reply] | None = None
        self.url = ""
        self.status = 200
        self._open = asyncio.Event()
        self._open.set()
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.set()
        await self._runner.cleanup()

    @property
    def texts(self) -> list[str]:
        """The ``text`` of every message, in order of arrival."""
        return [got.body["text"] for got in self.got if isinstance(got.body, dict) and "text" in got.body]

    def ids(self, path: str) -> Counter[str]:
        """How often each delivery arrived at a path, whatever it was answered."""
        return Counter(got.id for got in self.got if got.path == path)

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def reached(self, count: int, seconds: float = 15) -> None:
        """Return once so many requests have arrived."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(lambda: len(self.got) >= count)

    async def _take(self, request: web.Request) -> web.Response:
        raw = await request.text()
        body = await request.json() if request.content_type == "application/json" and raw else raw
        got = Got(request.method, request.path, dict(request.headers), body)
        reply = self.judge(got) if self.judge else Reply(self.status)
        async with self._news:
            self.got.append(got)
            if reply.status < 300:
                self.accepted.append(got)
            self._news.notify_all()
        await self._open.wait()
        if request.path.endswith("chat.postMessage"):
            return web.json_response({"ok": True, "channel": "C1", "ts": f"1700000000.{len(self.got):06}"})
        return web.Response(text="ok", status=reply.status, headers=reply.headers)
