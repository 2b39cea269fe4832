"""The daemon as its users start it: a process, a socket, a signal."""

import asyncio
import json
import os
import re
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.forked import Forked

ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/hooks/(\w+)/(\S+)")

ROOT = str(Path(__file__).parents[2])


class Daemon:
    """Runs ``bridge run`` in a folder of its own. Everything it prints is kept in ``out`` and ``log``."""

    def __init__(self, folder: Path, sink: str = "") -> None:
        self.folder = folder
        self.data = folder / "data"
        self.sink = sink
        self.base = ""
        self.hook = ""
        self._process: Forked | None = None

    @property
    def out(self) -> str:
        return (self.folder / "out.txt").read_text()

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    def write_rules(self, text: str) -> None:
        (self.folder / "routes.yaml").write_text(text.replace("{sink}", self.sink))

    async def start(self, rules: str | None = None, **environ: str) -> None:
        """Start, and return once it is ready for webhooks."""
        if rules is not None:
            self.write_rules(rules)
        await self.spawn("bridge", "run", "--listen", "127.0.0.1:0", **environ)
        assert await self.ready(), self.out + self.log

    async def spawn(self, module: str, *arguments: str, **environ: str) -> None:
        """Start a module that is a daemon, and do not wait for it."""
        with (self.folder / "out.txt").open("wb") as out, (self.folder / "log.txt").open("ab") as log:
            told = {**_clean(os.environ), "BRIDGE_LOG_FORMAT": "json", **environ}
            self._process = Forked((module, *arguments), self.folder, told, out.fileno(), log.fileno())

    async def ready(self) -> bool:
        """Wait until it is ready for webhooks; return False if it ends before."""
        async with asyncio.timeout(30):
            while not (found := ADDRESS.findall(self.out)):
                if not self.alive:
                    return False
                await asyncio.sleep(0.02)
        port, source, secret = found[-1]
        self.base = f"http://127.0.0.1:{port}"
        self.hook = f"{self.base}/hooks/{source}/{secret}"
        return True

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def alive(self) -> bool:
        assert self._process
        return self._process.alive

    async def post(self, body: Mapping[str, Any] | bytes, **headers: str) -> tuple[int, Any]:
        """Post a webhook as the CRM does; return status and answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.hook, data=data, headers={"Content-Type": "application/json", **headers}) as answer,
        ):
            return answer.status, await answer.json()

    async def ask(self, path: str) -> Any:
        """Ask the control socket."""
        connector = aiohttp.UnixConnector(str(self.data / "bridge.sock"))
        async with aiohttp.ClientSession(connector=connector) as session, session.get(f"http://bridge{path}") as answer:
            answer.raise_for_status()
            return await answer.json()

    async def tell(self, path: str, **asked: Any) -> Any:
        """Ask the control socket for something to be done."""
        connector = aiohttp.UnixConnector(str(self.data / "bridge.sock"))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"http://bridge{path}", json=asked) as answer,
        ):
            answer.raise_for_status()
            return await answer.json()

    async def settle(self, seconds: float = 20) -> None:
        """Return once nothing waits: every event is decided, every delivery finished or dead."""
        async with asyncio.timeout(seconds):
            while not _idle(await self.ask("/api/status")):
                await asyncio.sleep(0.02)

    async def target(self, name: str = "team") -> Any:
        """Return a target as people see it."""
        return next(target for target in (await self.ask("/api/targets"))["targets"] if target["name"] == name)

    async def until(self, holds: Callable[[Any], bool], target: str = "team", seconds: float = 15) -> None:
        """Return once something is true of a target."""
        async with asyncio.timeout(seconds):
            while not holds(await self.target(target)):
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self._process and self._process.alive:
            self._process.signal(signal.SIGKILL)
            await self._process.wait()

    def signal(self, which: signal.Signals) -> None:
        assert self._process
        self._process.signal(which)

    def limit(self, which: int, limits: tuple[int, int]) -> tuple[int, int]:
        """Set a resource limit of the running process; return the one before."""
        assert self._process
        return resource.prlimit(self._process.pid, which, limits)

    async def stop(self, seconds: float = 30) -> int:
        """SIGTERM, and return the exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended(seconds)

    async def ended(self, seconds: float = 30) -> int:
        assert self._process
        return await asyncio.wait_for(self._process.wait(), seconds)

    async def bridge(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command of the command line beside the daemon."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", *arguments),
            cwd=self.folder,
            env=_clean(os.environ),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("BRIDGE_")}


def _idle(status: Any) -> bool:
    backlog = status["backlog"]
    return not backlog["events_received"] and not any(
        count for item, count in backlog["deliveries"].items() if item.rpartition("/")[2] in {"pending", "delivering"}
    )
