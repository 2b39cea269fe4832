"""Listeners on free ports, over a store in a folder of their own."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bridge.app.server import Servers
from bridge.app.settings import load_settings
from tests.support.listening import Ready, Serve


@pytest.fixture
def data() -> Iterator[Path]:
    """A data directory whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def ready() -> Ready:
    return Ready()


@pytest.fixture
def serve(data: Path, ready: Ready) -> Serve:
    """Start servers with these hooks and settings."""

    @asynccontextmanager
    async def start(*hooks: web.RouteDef, **settings: Any) -> AsyncIterator[Servers]:
        chosen = load_settings(**{"data": data, "listen": "127.0.0.1:0", "body_timeout": 1} | settings)
        async with Servers(chosen, hooks, ready) as servers:
            await servers.start(lambda url: [web.get("/api/url", _telling(url))])
            yield servers

    return start


def _telling(url: str) -> Any:
    async def tell(_: web.Request) -> web.Response:
        return web.Response(text=url)

    return tell
