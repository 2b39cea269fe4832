"""Ingest on a real socket, over a real store, with one source."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import orjson
from aiohttp import web

from bridge.component import AnySource
from bridge.errors import StoreUnavailableError
from bridge.ingest.handlers import Ingest
from bridge.ingest.secretbook import SecretBook
from bridge.model import Event
from bridge.sources.rdstation_crm import RdStationCrm, RdStationCrmOptions
from bridge.store.base import Store
from bridge.store.nouns import EventQuery
from bridge.store.sqlite import open_store
from tests.support.clock import ManualClock

SECRET = "s3cret-of-the-source"
LIMIT = 4096


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the head, and the body as sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Hooks:
    """A running ingest, and what it leaves behind."""

    store: Store
    ingest: Ingest
    sources: dict[str, AnySource]
    book: SecretBook
    port: int
    rung: list[None] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    """The limits that are reached."""

    async def post(self, body: bytes, path: str = f"/hooks/crm/{SECRET}", **headers: str) -> Answer:
        return await self.ask("POST", path, body, **headers)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send one request on a connection of its own, byte for byte, and return the answer."""
        lines = [f"{method} {path} HTTP/1.1", "Host: bridge", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return await self.send("\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body)

    async def send(self, raw: bytes) -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        answer = parsed(await reader.read())
        writer.close()
        return answer

    async def events(self) -> list[Event]:
        return list(await self.store.events(EventQuery(limit=1000)))

    def break_store(self, error: Exception | None = None) -> None:
        """From now on nothing can be stored."""
        failing = AsyncMock(side_effect=error or StoreUnavailableError("the disk is full"))
        self.store.add = failing  # type: ignore[method-assign]  # a full disk is hard to come by


@asynccontextmanager
async def hooks(folder: Path, clock: ManualClock, *secrets: str, **options: Any) -> AsyncIterator[Hooks]:
    """Serve ``/hooks`` for a source ``crm`` with these secrets."""
    store = await open_store(folder / "data", clock)
    read = RdStationCrmOptions.model_validate({"secrets": secrets} | options)
    sources: dict[str, AnySource] = {"crm": RdStationCrm("crm", read)}
    book = SecretBook(folder / "data")
    book.adopt(sources)
    rung: list[None] = []
    limits: list[str] = []
    ingest = Ingest(
        sources=lambda: sources,
        secrets=book,
        store=store,
        clock=clock,
        on_stored=lambda: rung.append(None),
        no_room=lambda: limits[0] if limits else None,
        body_limit=LIMIT,
        body_timeout=0.2,
    )
    app = web.Application(client_max_size=LIMIT)
    app.add_routes(ingest.routes())
    runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=0.1, lingering_time=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Hooks(store, ingest, sources, book, runner.addresses[0][1], rung, limits)
    finally:
        await runner.cleanup()
        await store.close()


def parsed(raw: bytes) -> Answer:
    """Read an HTTP answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), headers, body)
