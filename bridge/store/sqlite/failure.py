"""What SQLite's errors mean to those above."""

from pathlib import Path

import apsw

from bridge.errors import StoreDamagedError, StoreError, StoreUnavailableError, legible

PASSING = (
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.FullError,
    apsw.InterruptError,
    apsw.IOError,
    apsw.LockedError,
    apsw.NoMemError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
)
"""They may be gone when the disk has room or the volume is back."""
NOTHING = "not an error"
"""What SQLite says of an error that it has told to another connection, such as the one that is copied from."""


def store_error(error: Exception, file: Path | None = None) -> StoreError:
    """Return the error of our tree for whatever kept a job from being done; ``__cause__`` is what it was.

    It tells of a ``file`` by its name, where the reader may not know which is meant.
    """
    if isinstance(error, StoreError):
        return error
    raised = _kind(error, str(file) if file else "the store")
    raised.__cause__ = error
    return raised


def is_its_own(error: Exception) -> bool:
    """Tell whether a job failed for what it holds: another one may succeed, and the same one never will."""
    return not isinstance(store_error(error), StoreUnavailableError | StoreDamagedError)


def group_error(error: Exception) -> StoreError:
    """Return what those hear whose transaction failed as a whole: nothing was stored, whatever it was."""
    raised = store_error(error)
    if is_its_own(raised):
        raised = StoreUnavailableError(f"the store could not commit: {legible(str(error))}")
        raised.__cause__ = error
    return raised


def _kind(error: Exception, name: str) -> StoreError:
    if isinstance(error, PASSING):
        return StoreUnavailableError(f"{name} cannot be used now: {_spoken(error)}")
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return StoreDamagedError(f"{name} is damaged: {_spoken(error)}")
    return StoreError(f"{name} refused: {legible(_spoken(error))}")


def _spoken(error: Exception) -> str:
    """Return what an error says; if nothing, its name."""
    told = str(error)
    if told and told != NOTHING:
        return told
    return "database or disk is full" if isinstance(error, apsw.FullError) else type(error).__name__
