"""Where text leaves the process. Whoever reads it may stop reading, and holds up nobody but a thread of the outlet."""

import os
import select
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import Full
from threading import Event, Lock, Thread
from typing import Final, NamedTuple, TextIO

from bridge.component.threads import fulfil

ROOM: Final = 64
"""Texts that may wait for standard output."""
AT_ONCE: Final = select.PIPE_BUF
"""Bytes that texts are joined up to: what goes into a pipe as a whole, whoever else writes to it."""


class _Text(NamedTuple):
    """A text that waits; ``done`` is of who wants to know when it is written."""

    descriptor: int
    encoded: bytes
    done: Future[None] | None


class Outlet:
    """Writes texts to a stream, one after another and each as a whole, in a thread of its own.

    It writes past the stream's own buffer, whose lock a reader that stalls would hold until the process ends. What has
    no file descriptor, such as the buffer of a test, cannot stall and is written at once.
    """

    def __init__(self, stream: Callable[[], TextIO], name: str, room: int, lull: float = 0) -> None:
        """Take where to find the stream at each text, for it may be replaced, and how many texts may wait.

        When all is written the thread looks away for ``lull`` seconds: waking it for every text costs more than
        writing one does, and those that come meanwhile are written together.
        """
        self._stream = stream
        self._name = name
        self._room = room
        self._lull = lull
        self._waiting: deque[_Text] = deque()
        self._bell = Event()
        self._starting = Lock()
        self._thread: Thread | None = None

    @property
    def full(self) -> bool:
        """Tell whether no other text may wait."""
        return len(self._waiting) >= self._room

    def put(self, text: str) -> Future[None]:
        """Hand over a text; the future is done when it is written, and can be cancelled until that begins.

        Raises:
            queue.Full: as much waits as may.
        """
        done: Future[None] = Future()
        self._take(text, done)
        return done

    def mention(self, text: str) -> None:
        """Hand over a text that nobody waits for.

        Raises:
            queue.Full: as much waits as may.
        """
        self._take(text, None)

    def flush(self, seconds: float) -> None:
        """Wait until what was handed over is written, but no longer than this."""
        mark: Future[None] = Future()
        self._line_up(_Text(-1, b"", mark))
        with suppress(TimeoutError):
            mark.result(seconds)
        mark.cancel()

    def _take(self, text: str, done: Future[None] | None) -> None:
        if self.full:
            raise Full
        stream = self._stream()
        encoded = text.encode(stream.encoding or "utf-8", "backslashreplace")
        descriptor = _descriptor(stream)
        if descriptor is None:
            fulfil(done or Future(), partial(_at_once, stream, encoded))
        else:
            self._line_up(_Text(descriptor, encoded, done))

    def _line_up(self, text: _Text) -> None:
        self._waiting.append(text)
        if not self._bell.is_set():  # in this order: the thread silences the bell before it looks
            self._bell.set()
        if not self._thread:
            self._start()

    def _start(self) -> None:
        with self._starting:
            if not self._thread:
                self._thread = Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._bell.wait():
            self._bell.clear()
            while self._waiting:
                self._write_next()
            time.sleep(self._lull)

    def _write_next(self) -> None:
        text = self._waiting.popleft()
        if text.done:  # alone: joined with others it could not be taken back while the first of them is stuck
            fulfil(text.done, partial(_write, text.descriptor, text.encoded))
        else:
            fulfil(Future(), partial(_write, text.descriptor, self._joined(text)))

    def _joined(self, text: _Text) -> bytes:
        """Return a text with those behind it that can be written together with it."""
        parts, size = [text.encoded], len(text.encoded)
        while self._waiting:
            after = self._waiting[0]
            size += len(after.encoded)
            if after.done or after.descriptor != text.descriptor or size > AT_ONCE:
                break
            parts.append(self._waiting.popleft().encoded)
        return b"".join(parts)


STANDARD_OUTPUT: Final = Outlet(lambda: sys.stdout, "standard output", ROOM)


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _at_once(stream: TextIO, encoded: bytes) -> None:
    stream.write(encoded.decode(stream.encoding or "utf-8"))
    stream.flush()


def _write(descriptor: int, encoded: bytes) -> None:
    left = memoryview(encoded)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # somebody made it so for all who share it
            select.select((), (descriptor,), ())
