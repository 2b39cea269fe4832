"""A daemon's control socket and webhook address in a thread of its own, for tests of commands that own the loop."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from bridge import config
from bridge.control.host import Host
from bridge.model import DeliveryState, Outcome
from bridge.ruleset import Ruleset
from bridge.store.sqlite import open_store
from tests.support.clock import ManualClock
from tests.support.control import serving
from tests.support.shop import RULES, Shop, load_rules

T = TypeVar("T")


class BackgroundShop:
    """A shop in a thread. With ``online`` it answers as a daemon does, else it only lends its store and lets go."""

    def __init__(self, folder: Path, rules: str = RULES) -> None:
        self.folder = folder
        self.no_room: str | None = None
        self.posted: list[Any] = []
        self._rules = rules
        self._reloaded: Ruleset | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def do(self, work: Callable[[Shop], Awaitable[T]]) -> T:
        """Do something in the shop while it is closed; the store is let go of afterwards."""
        done: T = self._run(self._opened(work))
        return done

    def serve(self) -> None:
        """Answer on the socket and take webhooks from now on, until ``close``."""
        self._end = self._run(self._event())
        self._ready = threading.Event()
        self._serving = asyncio.run_coroutine_threadsafe(self._serve(), self._loop)
        if not self._ready.wait(10):
            self._serving.result(0)

    def pause(self) -> None:
        """Stop serving, until ``serve``."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._serving.result(10)

    def close(self) -> None:
        """Stop serving, and end the thread."""
        if hasattr(self, "_serving"):
            self.pause()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _event(self) -> asyncio.Event:
        return asyncio.Event()

    async def _opened(self, work: Callable[[Shop], Awaitable[T]]) -> T:
        shop = await self._open()
        try:
            return await work(shop)
        finally:
            await shop.store.close()

    async def _open(self) -> Shop:
        clock, rung = ManualClock(), list[str]()
        rules = load_rules(self.folder, clock, self._rules)
        store = await open_store(self.folder / "data", clock)
        return Shop(self.folder, store, rules, clock, Host(current=lambda: rules, ring=rung.extend), rung)

    async def _serve(self) -> None:
        shop = await self._open()
        runner = web.AppRunner(self._hooks(shop), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        shop.host = replace(
            shop.host,
            current=lambda: self._reloaded or shop.rules,
            paths=lambda source: (f"/hooks/{source}/s3cret-of-the-source",),
            public_url="https://bridge.example.com",
            local_url=f"http://127.0.0.1:{port}",
            started_at=shop.clock.now(),
            reload=self._reload,
            no_room=lambda: self.no_room,
        )
        async with serving(shop.operations, self.folder / "data"):
            self._ready.set()
            await self._end.wait()
        await runner.cleanup()
        await shop.store.close()

    async def _reload(self) -> Ruleset:
        self._reloaded = config.load(self.folder / "routes.yaml", {}).ruleset
        return self._reloaded

    def _hooks(self, shop: Shop) -> web.Application:
        """Store and route what is posted, and deliver what that plans, at once."""

        async def take(request: web.Request) -> web.Response:
            self.posted.append(body := await request.json())
            (event,) = await shop.receive(body)
            for delivery in await shop.deliveries(event):
                if delivery.state is DeliveryState.DEFERRED:
                    continue
                await shop.attempt(delivery.target, Outcome.DELIVERED, DeliveryState.DELIVERED)
            return web.json_response({"status": "stored", "event_id": event.id})

        app = web.Application()
        app.router.add_post("/hooks/crm/s3cret-of-the-source", take)
        return app
