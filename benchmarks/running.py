"""A daemon as its users start it, on one processor; and the service that its messages go to, on another."""

import asyncio
import contextlib
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp

ADDRESS = re.compile(r"http://127\.0\.0\.1:(?P<port>\d+)(?P<path>/hooks/\S+)")
OURS, THEIRS = 0, -1
"""The processor of what is measured, and that of everything around it: the first and the last that we may use."""
PATIENCE = 30.0
"""Seconds without any progress after which what has not come is not waited for any more."""


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


def log_of(folder: Path) -> Path:
    """Return where a daemon's log goes: not beside its rules, where it watches for changes."""
    (folder / "log").mkdir(exist_ok=True)
    return folder / "log/bridge.jsonl"


@contextlib.asynccontextmanager
async def daemon(folder: Path, **environ: str) -> AsyncIterator[Running]:
    """Run ``bridge run`` on the rules in a folder, on the processor of what is measured."""
    with log_of(folder).open("ab") as log:
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
    raise SystemExit("the daemon did not start")


async def settled(folder: Path, patience: float = PATIENCE) -> bool:
    """Wait until a daemon has nothing left to do; return whether that came, or else nothing moved for so long."""
    connector = aiohttp.UnixConnector(str(folder / "data/bridge.sock"))
    seen, since = None, time.monotonic()
    async with aiohttp.ClientSession(connector=connector) as session:
        with contextlib.suppress(aiohttp.ClientError):  # it is gone, so nothing moves any more
            while left := await _left(session):
                if left != seen:
                    seen, since = left, time.monotonic()
                elif time.monotonic() - since > patience:
                    return False
                await asyncio.sleep(0.05)
            return True
    return False


async def _left(session: aiohttp.ClientSession) -> dict[str, int]:
    """Return what a daemon has yet to do, or has given up."""
    async with session.get("http://bridge/api/status") as answer:
        backlog = (await answer.json())["backlog"]
    counts = {"events": backlog["events_received"], **backlog["deliveries"]}
    return {what: count for what, count in counts.items() if count}
