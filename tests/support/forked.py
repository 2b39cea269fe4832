"""Daemons as forks of a process that has imported everything: an import takes longer than most of what is tested."""

import asyncio
import atexit
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["bridge.app.process", "bridge.cli.main", "tests.support.crashing", "uvloop"])


class Forked:
    """A module that runs as ``python -m`` would run it, in a folder, an environment, and with files of its own."""

    def __init__(self, command: Sequence[str], folder: Path, environ: Mapping[str, str], out: int, err: int) -> None:
        files = [DupFd(out), DupFd(err)]
        self._process = FORKS.Process(target=_run, args=(command, str(folder), dict(environ), files))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def signal(self, which: signal.Signals) -> None:
        os.kill(self.pid, which)

    async def wait(self) -> int:
        """Return the exit code once it has ended; below zero it is the signal that ended it."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode


def _run(command: Sequence[str], folder: str, environ: Mapping[str, str], files: Sequence[Any]) -> None:
    for number, file in enumerate(files, start=1):
        os.dup2(file.detach(), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[:] = command
    try:
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # a fork does not call them, and a daemon does
