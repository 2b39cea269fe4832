"""What SQLite's errors mean to those above."""

import apsw

from bridge.errors import StoreDamagedError, StoreError, StoreUnavailableError

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


def store_error(error: BaseException) -> BaseException:
    """Return the error of our tree for one of SQLite's; anything else is a defect of ours and comes back as it is."""
    if not isinstance(error, apsw.Error):
        return error
    raised = _kind(error)
    raised.__cause__ = error
    return raised


def group_error(error: Exception) -> StoreError:
    """Return what those hear whose transaction failed as a whole: nothing was stored, whatever it was."""
    raised = store_error(error)
    if not isinstance(raised, StoreDamagedError | StoreUnavailableError):
        raised = StoreUnavailableError(f"the store could not commit: {error}")
        raised.__cause__ = error
    return raised


def _kind(error: apsw.Error) -> StoreError:
    if isinstance(error, PASSING):
        return StoreUnavailableError(f"the store cannot be used now: {error}")
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return StoreDamagedError(f"the store's file is damaged: {error}")
    return StoreError(f"the store refused: {error}")
