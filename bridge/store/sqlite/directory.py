"""The data directory: who may read it, and which process owns it."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path
from stat import S_ISDIR
from typing import Final, Self

from bridge.errors import StoreError, StoreInUseError, StoreUnavailableError

DATABASE: Final = "bridge.db"
LOCK: Final = "bridge.lock"
RESTORING: Final = f"{DATABASE}.restoring"
"""What a restore copies into, until it takes the database's place."""
FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


class DataDirectory:
    """A data directory held by this process until it is let go."""

    def __init__(self, path: Path, held: ExitStack) -> None:
        """Keep what is open and locked, which is the claim; ``acquire`` makes it."""
        self.path = path
        self._held = held

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Make the directory if it is missing, and take it.

        Raises:
            StoreInUseError: another process has it.
            StoreUnavailableError: it cannot be made or written.
        """
        with ExitStack() as held:
            try:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = held.enter_context(os.fdopen(os.open(path / LOCK, FLAGS, 0o600), "r+"))
                folder = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                held.callback(os.close, folder)
                if not (_locked(lock.fileno()) and _locked(folder)):
                    holder = lock.read().strip() or "unknown"
                    hint = "end that bridge first, or set BRIDGE_DATA to another folder"
                    raise StoreInUseError(f"the data directory {path} is in use by process {holder}; {hint}")
                lock.truncate(0)
                os.write(lock.fileno(), f"{os.getpid()}\n".encode())
            except OSError as error:
                raise StoreUnavailableError(f"the data directory {path} cannot be used: {error.strerror}") from error
            return cls(path, held.pop_all())

    def prepare(self) -> Path:
        """Return the database's path; the file is made first, since SQLite would make it readable to all.

        Raises:
            StoreError: a restore was broken off, and whoever began it has to say what is to be here.
            StoreUnavailableError: it cannot be made.
        """
        path, draft = self.path / DATABASE, self.path / RESTORING
        if draft.exists():
            raise StoreError(
                f"a restore into {self.path} was broken off: restore again, "
                f"or remove {draft} to go on with what was there before"
            )
        try:
            os.close(os.open(path, FLAGS, 0o600))
        except OSError as error:
            raise StoreUnavailableError(f"{path} cannot be used: {error.strerror}") from error
        return path

    def let_go(self) -> None:
        """Let another process have it. The lock file stays: removing it would race with the next owner."""
        self._held.close()


def _locked(descriptor: int) -> bool:
    """Lock a file or a folder; tell whether nobody else has it.

    The folder is locked beside the file in it, which people remove who take it for stale. Where folders cannot be
    locked, as over a network, the file has to do.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        if not S_ISDIR(os.fstat(descriptor).st_mode):
            raise
    return True
