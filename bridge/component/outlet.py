"""Where text leaves the process. Whoever reads it may stop reading, and holds up nobody but a thread of the outlet."""

import os
import select
import sys
from collections.abc import Callable
from concurrent.futures import Future
from queue import Full
from typing import Final, TextIO

from bridge.component.threads import Threads

ROOM: Final = 64
"""Texts that may wait for standard output."""


class Outlet:
    """Writes texts to a stream, one after another and each as a whole, in a thread of its own.

    It writes past the stream's own buffer, whose lock a reader that stalls would hold until the process ends. What has
    no file descriptor, such as the buffer of a test, cannot stall and is written at once.
    """

    def __init__(self, stream: Callable[[], TextIO], name: str, room: int) -> None:
        """Take where to find the stream at each text, for it may be replaced, and how many texts may wait."""
        self._stream = stream
        self._threads = Threads(1, name, room)

    @property
    def full(self) -> bool:
        """Tell whether no other text may wait."""
        return self._threads.full

    def put(self, text: str) -> Future[None]:
        """Hand over a text; the future is done when it is written, and can be cancelled until that begins.

        Raises:
            queue.Full: as much waits as may.
        """
        stream = self._stream()
        encoded = text.encode(stream.encoding or "utf-8", "backslashreplace")
        descriptor = _descriptor(stream)
        if descriptor is None:
            return _at_once(stream, encoded)
        return self._threads.submit(lambda: _write(descriptor, encoded))

    def flush(self, seconds: float) -> None:
        """Wait until what was handed over is written, but no longer than this."""
        try:
            self._threads.submit(lambda: None, seconds).result(seconds)
        except (Full, TimeoutError):
            return


STANDARD_OUTPUT: Final = Outlet(lambda: sys.stdout, "standard output", ROOM)


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _at_once(stream: TextIO, encoded: bytes) -> Future[None]:
    done: Future[None] = Future()
    try:
        stream.write(encoded.decode(stream.encoding or "utf-8"))
        stream.flush()
    except (OSError, ValueError) as error:
        done.set_exception(error)
    else:
        done.set_result(None)
    return done


def _write(descriptor: int, encoded: bytes) -> None:
    left = memoryview(encoded)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # somebody made it so for all who share it
            select.select((), (descriptor,), ())
