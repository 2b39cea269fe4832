"""The file target: one line a message, on the disk before it counts as delivered."""

import asyncio
import errno
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from bridge.component import Http, Links, Target
from bridge.component.threads import Threads
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Message, Receipt
from bridge.targets.file.appending import Attempt, NoFileError, Place, append, holds
from bridge.targets.file.lines import CSV_END, NDJSON_END, csv_head, csv_line, mark, ndjson, safe_name
from bridge.targets.file.options import FileAction, FileOptions

ResultT = TypeVar("ResultT")

THREADS: Final = Threads(4, "files")
"""Those of all file targets: a disk that hangs holds nobody else up, and no end of the process."""
DAYS: Final = {"day": "-%Y-%m-%d", "month": "-%Y-%m", "never": ""}
LATER: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EINTR, errno.EAGAIN, errno.ESTALE})
"""What may pass: a disk that is full or fails, a network in between."""
SLOW: Final = "the disk did not answer in time"


class File(Target[FileOptions, FileAction]):
    """Appends a line for each message. A line whose outcome is unknown is looked for before it is written again."""

    Options = FileOptions
    Action = FileAction
    escapes = {"file": safe_name}  # noqa: RUF012 (a ClassVar of the base)
    main_field = "row"

    @property
    def looks_up(self) -> bool:
        """Tell that a line can be looked for: it has the id of its delivery."""
        return True

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Append one line."""
        action = self.action(message)
        line, attempt = self._line(message.delivery_id, message.key, action.row), Attempt()
        work = partial(append, self._place(action.file, self.now()), self._head, line, self._end, attempt)
        path = await self._done(work, attempt)
        if path is None:
            raise TransientFailure(SLOW)
        return Receipt(None, f"written to {path.name}")

    async def look_up(self, message: Message, since: datetime, links: Links, http: Http) -> Receipt | None:
        """Look for the line of a message in all files that it may have been written to since."""
        name = self.action(message).file
        sought = mark(message.delivery_id, is_csv=self._is_csv)
        path = await self._done(partial(self._found, name, sought, since), None)
        return None if path is None else Receipt(None, f"is in {path.name}")

    async def probe(self, http: Http) -> str:
        """See whether the folder is there, and may be written to."""
        folder = Path(self.options.directory)
        if not await self._done(folder.is_dir, None):
            raise AccessRefused(f"there is no folder {folder}")
        if not await self._done(partial(os.access, folder, os.W_OK | os.X_OK), None):
            raise AccessRefused(f"bridge may not write to {folder}")
        return f"writes to {folder}"

    def preview(self, content: JsonObject) -> str:
        """Return the name of the file and, on a line of its own, what is written."""
        row = content.get("row")
        line = self._line("…", "…", row) if isinstance(row, dict) else b""
        stem = f"{content.get('file')}{self.now().strftime(DAYS[self.options.rotate])}"
        return f"{stem}{self._ending}\n{line.decode().rstrip()}"

    def warnings(self, content: JsonObject) -> tuple[str, ...]:
        """Return a sentence for each name that is no column."""
        row = content.get("row")
        return tuple(f'there is no column "{name}"' for name in self._strange(row)) if isinstance(row, dict) else ()

    def now(self) -> datetime:
        """Return the moment, in the time zone that files are begun by."""
        return datetime.now(ZoneInfo(self.options.timezone))

    @property
    def _is_csv(self) -> bool:
        return self.options.format == "csv"

    @property
    def _ending(self) -> str:
        return f".{self.options.format}"

    @property
    def _end(self) -> bytes:
        return CSV_END if self._is_csv else NDJSON_END

    @property
    def _head(self) -> bytes:
        return csv_head(self.options.columns or ()) if self._is_csv else b""

    def _place(self, name: str, at: datetime) -> Place:
        stem = f"{name}{at.strftime(DAYS[self.options.rotate])}"
        return Place(Path(self.options.directory), stem, self._ending, self.options.max_size)

    def _strange(self, row: JsonObject) -> list[str]:
        columns = self.options.columns
        return [] if columns is None else [name for name in row if name not in columns]

    def _line(self, delivery_id: str, key: str, row: JsonObject) -> bytes:
        if strange := self._strange(row):
            raise PermanentFailure(f'there is no column "{strange[0]}"')
        columns = self.options.columns
        if self._is_csv:
            return csv_line(delivery_id, key, row, columns or (), inert=self.options.formulas == "inert")
        return ndjson(delivery_id, key, row, columns)

    def _found(self, name: str, sought: bytes, since: datetime) -> Path | None:
        """Return the file that has a line which begins so, of those begun at the moment, or since."""
        day, until = since.astimezone(ZoneInfo(self.options.timezone)), self.now()
        places = {self._place(name, min(day + timedelta(days=n), until)) for n in range((until - day).days + 2)}
        files = [path for place in places for path in place.files()]
        return next((path for path in files if holds(path, sought, self._end)), None)

    async def _done(self, work: Callable[[], ResultT], attempt: Attempt | None) -> ResultT:
        """Do work in a thread, and wait as long as an attempt may take."""
        doing = THREADS.submit(work)
        try:
            async with asyncio.timeout(self.options.timeout):
                return await asyncio.wrap_future(doing)
        except TimeoutError:
            failure: DeliveryFailure = TransientFailure(SLOW)
            if attempt is not None and not attempt.give_up():
                failure = UnknownOutcome(SLOW)
        except OSError as error:
            failure = _refused(error, self.options.directory)
        raise failure


def _refused(error: OSError, folder: str) -> DeliveryFailure:
    if error.errno in LATER:
        return TransientFailure(f"the file could not be written: {os.strerror(error.errno or 0)}")
    what = "no file, but something else, has its name" if isinstance(error, NoFileError) else error.strerror
    return AccessRefused(f"the file cannot be written to {folder}: {what}")
