"""What SQLite's errors mean to those above."""

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


def store_error(error: Exception) -> StoreError:
    """Return the error of our tree for whatever kept a job from being done; ``__cause__`` is what it was."""
    if isinstance(error, StoreError):
        return error
    raised = _kind(error)
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


def _kind(error: Exception) -> StoreError:
    if isinstance(error, PASSING):
        return StoreUnavailableError(f"the store cannot be used now: {error}")
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return StoreDamagedError(f"the store's file is damaged: {error}")
    return StoreError(f"the store refused: {legible(str(error) or type(error).__name__)}")
