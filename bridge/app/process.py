"""The process around the daemon: its settings, its signals, its event loop, and its end."""

import asyncio
import errno
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import Full
from typing import Any

from bridge import telemetry
from bridge.app import logs
from bridge.app.banner import Started, banner
from bridge.app.daemon import Daemon
from bridge.app.settings import Settings, strange_variables
from bridge.component.outlet import STANDARD_OUTPUT
from bridge.errors import BridgeError
from bridge.model import SystemClock

SWITCH_INTERVAL = 0.0005
"""Seconds a thread runs on while another waits: the store's writer wants a moment between two waits for the disk."""
GARBAGE = (20_000, 20, 20)
"""Objects made until the young ones are looked through for garbage, and how often that is before older ones are.

Nearly all that a message is made of goes by itself; to look as often as the interpreter does takes a tenth of the time.
"""
SELDOM = 60.0
"""Seconds between two lines about connections that cannot be accepted."""
NO_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
LAST_WORDS = 1.0
"""Seconds that the end waits for the log to be read."""


def open_files() -> None:
    """Allow this process as many open files as the system lets it: each connection takes one, also one that idles."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # the system's own limit may be lower than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run(settings: Settings) -> int:
    """Run the daemon until SIGTERM or SIGINT; return the exit code.

    Raises:
        BridgeError: it could not start.
    """
    logs.configure(settings.log_level, settings.log_format)
    for sentence in strange_variables(os.environ, settings.routes):
        telemetry.strange_setting(sentence)
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(*GARBAGE)
    open_files()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run(settings))
    except* BridgeError as group:
        raise _first(group) from None
    finally:
        logs.finish(LAST_WORDS)
    return 0


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    daemon = Daemon(settings, os.environ, SystemClock())
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(teller())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, daemon.reloader.ask)
    await daemon.run(stop, _introduce)


def teller() -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """Return what tells of an event loop's own errors: of each, but seldom of connections that it cannot accept.

    Where no file is left for one, asyncio tells so a thousand times a second, with a traceback.
    """
    told_at = -SELDOM

    def tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told_at
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in NO_FILES and "socket" in context):
            loop.default_exception_handler(context)
        elif loop.time() - told_at >= SELDOM:
            told_at = loop.time()
            telemetry.no_files_left()

    return tell


def _introduce(started: Started) -> None:
    with suppress(Full):
        STANDARD_OUTPUT.put(f"{banner(started)}\n")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's, where it is installed: about a tenth faster."""
    if sys.platform == "win32":
        return None
    try:
        import uvloop  # noqa: PLC0415 (optional)
    except ImportError:
        return None
    return uvloop.new_event_loop


def _first(group: BaseExceptionGroup[BridgeError]) -> BridgeError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
