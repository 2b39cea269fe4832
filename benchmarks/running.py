"""A daemon as its users start it, on one processor; and the service that its messages go to, on another."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

ADDRESS = re.compile(r"http://127\.0\.0\.1:(?P<port>\d+)(?P<path>/hooks/\S+)")
OURS, THEIRS = 0, -1
"""The processor of what is measured, and that of everything around it: the first and the last that we may use."""


def pin(which: int) -> None:
    """Stay on one processor from now on."""
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[which]})


@dataclass(frozen=True)
class Running:
    """A daemon that is ready."""

    folder: Path
    port: int
    path: str
    pid: int

    async def ask(self, path: str) -> Any:  # noqa: ANN401 (JSON)
        """Ask its control socket."""
        connector = aiohttp.UnixConnector(str(self.folder / "data/bridge.sock"))
        async with aiohttp.ClientSession(connector=connector) as session, session.get(f"http://bridge{path}") as answer:
            return await answer.json()

    def memory(self) -> float:
        """Return its resident memory in MiB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def descriptors(self) -> int:
        """Return how many files and sockets it has open."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    def size(self, name: str) -> float:
        """Return the size of a file of its data directory, in MiB."""
        return (self.folder / "data" / name).stat().st_size / 2**20


@contextlib.asynccontextmanager
async def daemon(folder: Path, **environ: str) -> AsyncIterator[Running]:
    """Run ``bridge run`` on the rules in a folder, on the processor of what is measured."""
    with (folder / "log.txt").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "run", "--listen", "127.0.0.1:0"),
            cwd=folder,
            env={**os.environ, "BRIDGE_LOG_FORMAT": "json", **environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            preexec_fn=partial(pin, OURS),
        )
    try:
        found = await _address(process)
        yield Running(folder, int(found["port"]), found["path"], process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> re.Match[str]:
    assert process.stdout
    while line := await process.stdout.readline():
        if found := ADDRESS.search(line.decode()):
            return found
    raise SystemExit("the daemon did not start; see log.txt")


async def until(holds: Callable[[], bool], seconds: float, every: float = 0.01) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 (a benchmark may poll)
            await asyncio.sleep(every)
