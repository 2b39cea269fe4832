"""The reloader: notices a changed configuration, builds everything that can fail, then swaps one reference."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from watchfiles import Change, awatch

from bridge import config, telemetry
from bridge.config.including import RulesFiles
from bridge.config.loading import DEFECT, Loaded, defect
from bridge.delivery.announcer import Announcer
from bridge.delivery.wake import Bell
from bridge.errors import BridgeError
from bridge.files import open_file
from bridge.model import Clock
from bridge.options import InvalidConfigurationError, Problem
from bridge.options.yaml import MAX_BYTES
from bridge.ruleset import Ruleset

POLL = 5.0
"""Seconds between comparisons of content: inotify misses bind mounts of single files and swapped symlinks."""
LARGEST = MAX_BYTES
"""Bytes of a file that are looked at: what is larger is no rules and no template."""
SETTLE = 0.2
"""Seconds of quiet before a change is read: many editors write in two steps."""


class Reloader:
    """Owns the ruleset of the moment. A broken configuration is refused, and the running one stays."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        clock: Clock,
        adopt: Callable[[Ruleset], None],
        announce: Announcer | None = None,
    ) -> None:
        """Take what to read, and what puts a ruleset into force; it must do so whole, or raise and change nothing.

        ``announce`` is told of what was refused, and of what came into force.
        """
        self.problems: tuple[Problem | BridgeError, ...] = ()
        self._path = path
        self._files = RulesFiles(path)
        self._templates = path.parent / "templates"
        self._environ = environ
        self._clock = clock
        self._adopt = adopt
        self._announce = announce or Announcer()
        self._names = frozenset({path.name})
        self._bell = Bell()
        self._print = ""
        self._ruleset: Ruleset | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def ruleset(self) -> Ruleset:
        """Return the ruleset of the moment; there is none before ``start``."""
        if self._ruleset is None:
            raise RuntimeError("no ruleset is loaded yet")
        return self._ruleset

    async def load(self) -> None:
        """Load the first ruleset; ``start`` puts it into force.

        Raises:
            InvalidConfigurationError: it is broken, and there is nothing to fall back to.
        """
        self._first = await self._load()

    def ask(self) -> None:
        """Reload soon, whether or not anything changed: what a signal asks for."""
        self._print = ""
        self._bell.ring()

    def start(self) -> None:
        """Put the first ruleset into force.

        Raises:
            SettingsError: it needs something that cannot be had.
        """
        self._swap(self._first)

    async def run(self) -> None:
        """Reload whenever the content of the files has changed, until cancelled."""
        heard: set[Path] = set()
        async with asyncio.TaskGroup() as tasks:
            while True:
                for folder in await asyncio.to_thread(self._folders) - heard:
                    heard.add(folder)
                    tasks.create_task(self._listen(folder), name=f"watch {folder}")
                await self._bell.wait(POLL)
                await asyncio.sleep(SETTLE)
                if await self._has_changed():
                    with suppress(BridgeError):
                        await self.reload()

    async def reload(self) -> Ruleset:
        """Load again, whether or not anything changed, and return the new ruleset.

        Raises:
            InvalidConfigurationError: it was refused; the running ruleset stays.
            SettingsError: it needs something that cannot be had; the running ruleset stays.
        """
        async with self._one_at_a_time:
            try:
                loaded = await self._load()
                self._swap(loaded)
            except BridgeError as error:
                self._refuse(error)
                raise
            except Exception as error:
                refused = InvalidConfigurationError([defect(self._path, error)])
                refused.__cause__ = error
                self._refuse(refused)
                raise refused from error
            return loaded.ruleset

    def _refuse(self, error: BridgeError) -> None:
        """Tell of rules that cannot be used, and with its traceback of a defect that they met."""
        problems: Sequence[Problem | BridgeError] = [error]
        if isinstance(error, InvalidConfigurationError):
            problems = error.problems
            if any(problem.code == DEFECT for problem in error.problems):
                telemetry.loading_failed(error)
        else:
            self._print = ""  # nothing is wrong with the files: what they need may be had the next time
        self.problems = tuple(problems)
        telemetry.ruleset_refused(problems)
        self._announce.rules_refused(self._path.name, self.ruleset.revision, [str(problem) for problem in problems])

    async def _has_changed(self) -> bool:
        try:
            found = await self._taken()
        except Exception:  # noqa: BLE001 (a reload meets it again, and tells of it)
            return True
        return self._print != found

    async def _load(self) -> Loaded:
        self._print = ""  # so that what keeps it from being taken now is looked at again
        self._print = await self._taken()
        return await asyncio.to_thread(config.load, self._path, self._environ, self._clock)

    async def _taken(self) -> str:
        """Take the fingerprint beside the loop: there may be many files, or slow ones."""
        return await asyncio.to_thread(lambda: fingerprint(self._watched()))

    def _swap(self, loaded: Loaded) -> None:
        ruleset, former = loaded.ruleset, self._ruleset
        self._adopt(ruleset)
        self._ruleset, self.problems = ruleset, ()
        changes = ruleset.since(former) if former else ()
        telemetry.ruleset_loaded(ruleset.revision, [r.name for r in ruleset.routes], loaded.warnings, changes)
        self._announce.rules_loaded(self._path.name, ruleset.revision)

    def _watched(self) -> list[Path]:
        """Return the files whose content counts; what may not be looked at holds none, and ends nothing."""
        below = (Path(folder, name) for folder, _, names in os.walk(self._templates) for name in names)
        templates = sorted(path for path in below if os.path.isfile(path))  # noqa: PTH113 (it never raises)
        return [*self._files.found(), *templates]

    def _folders(self) -> set[Path]:
        """Return the folders in which files that count may change, come and go; they may be others after a change."""
        folders = {self._path.parent, self._templates}
        with suppress(Exception):  # a reload meets it again, and tells of it
            folders |= self._files.folders()
            self._names = frozenset(path.name for path in self._files.found())
        return {folder for folder in folders if os.path.isdir(folder)}  # noqa: PTH112 (it never raises)

    def _is_rules(self, _: Change, path: str) -> bool:
        """Tell whether a change in a folder of rules may be one of theirs: a link may be what they are reached by.

        Logs and databases may lie there too, and change all the time.
        """
        name = os.path.basename(path)  # noqa: PTH119 (quick)
        return name in self._names or name.endswith((".yaml", ".yml")) or os.path.islink(path)  # noqa: PTH114 (quick)

    async def _listen(self, folder: Path) -> None:
        """Ring at each change in a folder that concerns us; of templates all do, also in folders below.

        Where the system cannot watch, comparing content has to do.
        """
        below = folder == self._templates
        try:
            async for _ in awatch(folder, recursive=below, watch_filter=None if below else self._is_rules):
                self._bell.ring()
        except Exception as error:  # noqa: BLE001 (inotify's limits, a folder that was moved away: none ends the daemon)
            telemetry.watch_failed(str(folder), error)


def fingerprint(paths: Iterable[Path]) -> str:
    """Return a digest of the names and contents of files; one that cannot be read counts as empty.

    Of a file that is larger than any that is used, the beginning counts, its size, and when it was last written.
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(os.fsencode(path) + b"\0")
        with suppress(OSError):
            digest.update(_content(path) + b"\0")
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    with open_file(path) as file:
        content = file.read(LARGEST + 1)
        if len(content) <= LARGEST:
            return content
        status = os.fstat(file.fileno())
    return content + f"\0{status.st_size} {status.st_mtime_ns}".encode()
