"""The control API on a real Unix socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from bridge.control import remote_api
from bridge.control.api import routes
from bridge.control.operations import Operations


@asynccontextmanager
async def serving(operations: Operations, data: Path) -> AsyncIterator[None]:
    """Serve operations on the socket of a data directory, as a daemon does."""
    app = web.Application()
    app.add_routes([*routes(operations), *remote_api.routes(operations.remote)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(data / "bridge.sock")).start()
    try:
        yield
    finally:
        await runner.cleanup()
