"""Files on a disk that may lose its power at any moment."""

import errno
import os
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO


def sync(path: Path) -> None:
    """Return when a file, or what a folder holds, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read, at once or not at all; ``sync`` its folder to be sure of its name."""
    draft = path.with_name(f".{path.name}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading. A pipe, a device or a folder is none: opening or reading it might never end.

    Raises:
        OSError: it cannot be opened, or is no file.
    """
    return open(path, "rb", opener=_opened)


def _opened(path: str, flags: int) -> int:
    """Open without waiting for whoever writes into a pipe."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no file", path)
