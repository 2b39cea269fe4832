"""Whether the files that are open are still those that the next start would find."""

import os
from typing import Final

from bridge.errors import StoreUnavailableError

LOG: Final = "-wal"
"""What SQLite appends to the name of a database for that of its log."""


class Place:
    """A database and its log, as they lay when they were opened.

    A file that is removed or replaced can be written all the same by who has it open: it all succeeds, and is gone
    with the process.
    """

    def __init__(self, database: str) -> None:
        """Remember the files, which must be there."""
        self._files = {name: _identity(name) for name in (database, database + LOG)}

    def check(self) -> None:
        """Return if the files are where they were.

        Raises:
            StoreUnavailableError: one is not; putting it back may help, and a restart does.
        """
        for name, identity in self._files.items():
            if _identity(name) != identity:
                raise StoreUnavailableError(
                    f"{name} was removed or replaced while bridge ran, and what is written now would be lost: "
                    "put it back, or end bridge and start it again"
                )


def _identity(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116 (asked after each commit, and six times as fast)
    except OSError:
        return None
    return found.st_dev, found.st_ino
