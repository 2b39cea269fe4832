"""Appending to files on a disk that may lose its power: a line is there whole, or not at all.

Everything here blocks, and is for threads of its own.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, takewhile
from pathlib import Path
from stat import S_ISREG
from threading import Lock
from typing import Final

from bridge.files import sync

NO_LINK: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A link would lead out of the folder, and a pipe would wait for who reads it."""
BLOCK: Final = 1 << 20
"""Bytes that are looked at together."""


class NoFileError(OSError):
    """What has the name of the file is something else."""


@dataclass(slots=True)
class Attempt:
    """One attempt to write, which may be given up as long as nothing of it is written."""

    _begun: bool = False
    _given_up: bool = False
    _lock: Lock = field(default_factory=Lock)

    def begin(self) -> bool:
        """Tell whether to write: from now on it cannot be given up."""
        with self._lock:
            self._begun = not self._given_up
            return self._begun

    def give_up(self) -> bool:
        """Tell whether it will never write."""
        with self._lock:
            self._given_up = not self._begun
            return self._given_up


@dataclass(frozen=True, slots=True)
class Place:
    """Files of one name: in a folder, with an ending, of which each has at most so many bytes."""

    folder: Path
    stem: str
    ending: str
    most: int | None

    def path(self, number: int) -> Path:
        """Return one of its files; they are counted from 1."""
        return self.folder / f"{self.stem}{f'.{number}' if number > 1 else ''}{self.ending}"

    def files(self) -> list[Path]:
        """Return its files that are there."""
        return list(takewhile(Path.exists, map(self.path, count(1))))

    def open_files(self) -> Iterator[Path]:
        """Yield the last one that is there, then those to come: what is before it is not written to any more."""
        return map(self.path, count(max(len(self.files()), 1)))


def append(place: Place, head: bytes, line: bytes, end: bytes, attempt: Attempt) -> Path | None:
    """Append a line to the last file of a place, and return it when it is on the disk; None if it was given up.

    A last line that was torn by a kill is cut off first. What cannot be written whole is taken back.
    """
    for path in place.open_files():
        with _locked(path) as file:
            size = _mended(file, end)
            text = line if size else head + line
            if size and place.most is not None and size + len(text) > place.most:
                continue
            if not attempt.begin():
                return None
            _write(file, text, size)
            if not size:
                sync(place.folder)
            return path
    raise AssertionError("there is always one more")  # pragma: no cover


def holds(path: Path, mark: bytes, end: bytes) -> bool:
    """Tell whether a whole line of a file begins with this; it waits for whoever is writing."""
    with _locked(path) as file:
        size = _mended(file, end)
        position, before = 0, end
        while position < size:
            block = before + os.pread(file, min(BLOCK, size - position), position)
            if end + mark in block:
                return True
            position += len(block) - len(before)
            before = block[-(len(mark) + len(end)) :]
    return False


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open a file, and hold it: other threads, and other programs that ask, wait."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o644)
    try:
        if not S_ISREG(os.fstat(file).st_mode):
            raise NoFileError
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _mended(file: int, end: bytes) -> int:
    """Cut off what follows the last whole line, and return the size."""
    size = os.fstat(file).st_size
    whole = _whole_until(file, size, end)
    if whole < size:
        os.ftruncate(file, whole)
    return whole


def _whole_until(file: int, size: int, end: bytes) -> int:
    """Return where the last whole line ends."""
    stop = size
    while stop > 0:
        start = max(0, stop - BLOCK)
        block = os.pread(file, stop - start, start)
        found = block.rfind(end)
        if found >= 0:
            return start + found + len(end)
        stop = start + len(end) - 1 if start else 0
    return 0


def _write(file: int, text: bytes, at: int) -> None:
    left, position = memoryview(text), at
    try:
        while left:
            written = os.pwrite(file, left, position)
            left, position = left[written:], position + written
        os.fsync(file)
    except OSError:
        os.ftruncate(file, at)
        raise
