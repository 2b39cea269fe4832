"""The daemon, killed at a point of its choice: ``python -m tests.support.crashing POINT N``.

It wraps a real function by its name, kills its own process with SIGKILL at the N-th passage, and is ``bridge run`` in
all else. So nothing of this is in ``bridge``: whoever does not run this module pays nothing for it.
"""

import asyncio
import functools
import inspect
import os
import pkgutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from bridge.cli.main import bridge

WRITER: Final = "bridge.store.sqlite.writer:Writer._commit"
"""What puts jobs into a transaction: when it returns, they are on disk, and nobody has been told."""
UNDER_WAY: Final = 0.01
"""Seconds in which what was written to a socket has left, and no answer has been read."""


@dataclass(frozen=True)
class Point:
    """Before or after a function, as ``module:name``; of the writer, only a transaction that does this ``work``."""

    function: str
    when: Literal["before", "after"]
    work: str = ""
    delay: float = 0


EVENTS = "bridge.store.sqlite.events"
DELIVERIES = "bridge.store.sqlite.deliveries"
RECORDING = "bridge.store.sqlite.recording"
CLAIMS = "bridge.store.sqlite.claims"
TARGETS = "bridge.store.sqlite.targets"

POINTS: Final = {
    "event read": Point("bridge.ingest.handlers:Ingest._keep", "before"),
    "event before commit": Point(f"{EVENTS}:add_events", "before"),
    "event after commit": Point(WRITER, "after", f"{EVENTS}:add_event"),
    "event before answer": Point("bridge.ingest.handlers:_told", "before"),
    "routing decided": Point("bridge.delivery.dispatcher:Dispatcher._plan", "after"),
    "routing before commit": Point(f"{EVENTS}:commit_decisions", "after"),
    "routing after commit": Point(WRITER, "after", f"{EVENTS}:commit_decisions"),
    "claim before commit": Point(f"{CLAIMS}:claim_due", "after"),
    "claim after commit": Point(WRITER, "after", f"{CLAIMS}:claim_due"),
    "rescue before commit": Point(f"{RECORDING}:rescue_leased", "after"),
    "request before it leaves": Point("bridge.component.client:Client._exchange", "before"),
    "request after it left": Point("aiohttp.client_reqrep:ClientResponse.start", "before", delay=UNDER_WAY),
    "rescue after commit": Point(WRITER, "after", f"{RECORDING}:rescue_leased"),
    "answer before it is read": Point("bridge.component.client:_body", "before"),
    "answer before record": Point("bridge.delivery.worker:Worker._record", "before"),
    "record before commit": Point(f"{RECORDING}:_conclude", "after"),
    "adopt before commit": Point(f"{TARGETS}:adopt", "after"),
    "record after commit": Point(WRITER, "after", f"{RECORDING}:record_attempt"),
    "adopt after commit": Point(WRITER, "after", f"{TARGETS}:adopt"),
    "pause before commit": Point(f"{TARGETS}:pause", "after"),
    "pause after commit": Point(WRITER, "after", f"{TARGETS}:pause"),
    "resume before commit": Point(f"{TARGETS}:resume", "after"),
    "retry before commit": Point(f"{DELIVERIES}:retry_deliveries", "after"),
    "retry after commit": Point(WRITER, "after", f"{DELIVERIES}:retry_deliveries"),
    "discard before commit": Point(f"{DELIVERIES}:discard_deliveries", "after"),
    "discard after commit": Point(WRITER, "after", f"{DELIVERIES}:discard_deliveries"),
}
"""Where the daemon may be killed, between receiving and recording; what happens at a start follows a lost lease."""
AT_START: Final = frozenset(name for name in POINTS if name.startswith(("rescue", "adopt")))
"""The points that are passed before a daemon listens, and then seldom again."""
LAST_WORDS: Final = "killed at"


class Crash:
    """Counts the passages of a point, and kills at the last one."""

    def __init__(self, name: str, passages: int) -> None:
        self._name = name
        self._left = passages

    def pass_by(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.write(sys.stderr.fileno(), f"{LAST_WORDS} {self._name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def resolved(point: Point) -> tuple[Any, str, Callable[..., Any]]:
    """Return whose attribute a point's function is, under which name, and the function.

    Raises:
        AttributeError: there is no such function any more, or none that does this work.
    """
    module, _, path = point.function.partition(":")
    owner, _, name = path.rpartition(".")
    if point.work:
        pkgutil.resolve_name(point.work)
    return pkgutil.resolve_name(f"{module}:{owner}"), name, pkgutil.resolve_name(point.function)


def arm(point: Point, crash: Crash) -> None:
    """Put the crash around the point's function."""
    owner, name, function = resolved(point)
    wrap = _around_async if inspect.iscoroutinefunction(function) else _around
    setattr(owner, name, wrap(function, point, crash))


def _around(function: Callable[..., Any], point: Point, crash: Crash) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if point.when == "before":
            crash.pass_by()
        result = function(*args, **kwargs)
        if point.when == "after" and (_did(point, args[1], result) if point.work else _counts(function, result)):
            crash.pass_by()
        return result

    return wrapper


def _around_async(function: Callable[..., Any], point: Point, crash: Crash) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        if point.when == "before":
            await asyncio.sleep(point.delay)
            crash.pass_by()
        result = await function(*args, **kwargs)
        if point.when == "after":
            crash.pass_by()
        return result

    return wrapper


def _did(point: Point, jobs: Any, outcomes: Any) -> bool:
    """Tell whether a transaction did a point's work."""
    name = point.work.partition(":")[2]
    done = zip(jobs, outcomes, strict=True)
    return any(job.work.__name__ == name and _counts(job.work, outcome) for job, outcome in done)


def _counts(function: Callable[..., Any], result: Any) -> bool:
    """Tell whether something was done: a claim of nothing leaves nothing that a kill could harm."""
    return bool(result[0]) if function.__name__ == "claim_due" else True


def main() -> None:
    """Arm a point, and run the daemon."""
    name, passages = sys.argv[1], int(sys.argv[2])
    arm(POINTS[name], Crash(name, passages))
    bridge(["run", "--listen", "127.0.0.1:0"], prog_name="bridge")


if __name__ == "__main__":
    main()
