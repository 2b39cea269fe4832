"""The data directory: who may read it, and which process owns it."""

import fcntl
import os
from pathlib import Path
from typing import Self

from bridge.errors import StoreInUseError, StoreUnavailableError

DATABASE = "bridge.db"
LOCK = "bridge.lock"


class DataDirectory:
    """A data directory held by this process until it is let go."""

    def __init__(self, path: Path, lock: int) -> None:
        """Keep the descriptor whose lock is the claim; ``acquire`` makes it."""
        self.path = path
        self._lock = lock

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Make the directory if it is missing, and take it.

        Raises:
            StoreInUseError: another process has it.
            StoreUnavailableError: it cannot be made or written.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailableError(f"the data directory {path} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode().strip() or "unknown"
            os.close(lock)
            raise StoreInUseError(f"the data directory {path} is in use by process {holder}") from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        return cls(path, lock)

    @property
    def database(self) -> Path:
        """Return the database's path; the file is made first, since SQLite would make it readable to all."""
        path = self.path / DATABASE
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return path

    def let_go(self) -> None:
        """Let another process have it. The lock file stays: removing it would race with the next owner."""
        os.close(self._lock)
