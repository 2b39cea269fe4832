"""The two servers under comparison on one event loop: a bare aiohttp handler, and the whole daemon."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import orjson
import uvloop
from aiohttp import web

from benchmarks.running import log_of
from bridge.app import logs
from bridge.app.banner import Started
from bridge.app.daemon import Daemon
from bridge.app.process import SWITCH_INTERVAL
from bridge.app.settings import Settings
from bridge.model import SystemClock


async def bare(request: web.Request) -> web.Response:
    """Read and parse the body, and nothing else."""
    orjson.loads(await request.read())
    return web.Response(body=b"ok")


async def serve_bare() -> int:
    """Serve the bare handler and return its port."""
    app = web.Application()
    app.router.add_post("/hooks/crm/bare", bare)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    return port


async def main(folder: Path) -> None:
    """Serve both until SIGTERM, and tell the ports on standard output."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    port = await serve_bare()
    logs.configure("info", "json", log_of(folder).open("w"))

    def ready(started: Started) -> None:
        print(json.dumps({"bare": port, "address": started.addresses["crm"]}), flush=True)

    settings = Settings(routes=folder / "routes.yaml", data=folder / "data", listen="127.0.0.1:0")
    await Daemon(settings, {}, SystemClock()).run(stop, ready)


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_INTERVAL)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(Path(sys.argv[1])))
