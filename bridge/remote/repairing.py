"""Closes gaps: asks the API of a source for what was edited since, and tells of what no webhook told.

What is found is stored as the events that were missed, so that it goes the way of all others. Each has the dedup key of
its edit: found twice, it is one event. Since when there is a gap is kept in a file until it is closed.
At last comes what was deleted meanwhile.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from bridge.component.remote import Remote
from bridge.component.source import AnySource
from bridge.errors import RemoteError, RemoteUnavailableError, StoreError, StoreUnavailableError
from bridge.files import put_private, sync
from bridge.model import Clock, Event, JsonObject, Origin, found_key, new_id
from bridge.remote.deletions import Absence
from bridge.remote.searching import BEGINNING, Progress, Purpose, Search
from bridge.remote.subscribing import events_wanted
from bridge.ruleset import Ruleset
from bridge.store.base import Store
from bridge.store.nouns import EventQuery

OVERLAP: Final = timedelta(minutes=10)
"""Before the last event that is asked for too: what was under way then, and clocks that differ."""


class Repairs:
    """Repairs and imports; one at a time of each source."""

    def __init__(  # noqa: PLR0913 (what is joined here has nothing else in common)
        self,
        store: Store,
        rules: Callable[[], Ruleset],
        remote: Callable[[str], Remote | None],
        clock: Clock,
        folder: Path,
        *,
        ring: Callable[[], None] = lambda: None,
        no_room: Callable[[], str | None] = lambda: None,
        ended: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """Take where events go, the rules and APIs, and where gaps are kept.

        ``ring`` is called when there are events, ``no_room`` says why no more can be stored, and ``ended`` is told what
        became of each.
        """
        self._store = store
        self._rules = rules
        self._remote = remote
        self._clock = clock
        self._folder = folder
        self._ring = ring
        self._no_room = no_room
        self._ended = ended
        self._progress: dict[str, Progress] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def progress(self, source: str) -> Progress | None:
        """Return how far the last one of a source is, or how it ended."""
        return self._progress.get(source)

    def is_running(self, source: str) -> bool:
        """Tell whether one of this source is under way."""
        return source in self._tasks

    async def note_gap(self, source: str) -> None:
        """Keep since when there is a gap: since the last event, unless an older one is open still.

        To be called before webhooks are taken, for the first of them would hide it.

        Raises:
            StoreError: it cannot be known, or not be kept.
        """
        newest = await self._store.events(EventQuery(source=source, limit=1))
        if newest and self._open_gap(source) is None:
            self._keep(source, newest[0].received_at)

    def note_since(self, source: str, since: datetime) -> None:
        """Keep that there is a gap since then, unless an older one is open still.

        Raises:
            StoreUnavailableError: it cannot be kept.
        """
        opened = self._open_gap(source)
        if opened is None or since < opened:
            self._keep(source, since)

    def start(
        self, source: str, purpose: Purpose, since: datetime | None = None, *, thorough: bool = False
    ) -> Progress:
        """Begin in the background, unless one is under way; without ``since``, a repair begins where the gap does.

        A ``thorough`` one finds out of everything that is known whether it was deleted.
        """
        if self.is_running(source):
            return self._progress[source]
        progress = Progress(source, purpose, since, self._clock.now(), thorough)
        self._progress[source] = progress
        task = asyncio.get_running_loop().create_task(self._run(progress), name=f"{purpose} {source}")
        self._tasks[source] = task
        return progress

    async def wait(self, source: str) -> None:
        """Return once the one of a source that is under way has ended."""
        if task := self._tasks.get(source):
            await asyncio.wait([task])

    async def close(self) -> None:
        """End what is under way; a gap stays open, and is repaired after the next start."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, progress: Progress) -> None:
        try:
            await self._work(progress)
        except (RemoteError, StoreError) as error:
            progress.error = str(error)
        except Exception as error:  # noqa: BLE001 (a defect here must not end the daemon)
            progress.error = f"a defect of bridge: {type(error).__name__}: {error}"
        finally:
            progress.ended_at = self._clock.now()
            del self._tasks[progress.source]
            self._ended(progress)

    async def _work(self, progress: Progress) -> None:
        source, remote = self._rules().sources[progress.source], self._remote(progress.source)
        if remote is None:
            raise RemoteUnavailableError(f"no source {progress.source!r} has an `api` any more")
        if progress.purpose is Purpose.IMPORT:
            progress.since = BEGINNING
            return await self._import(Search(self._store, source, remote, progress))
        if progress.since is not None:
            return await self._repair(Search(self._store, source, remote, progress, progress.since))
        await self.note_gap(source.name)
        opened = self._open_gap(source.name)
        if opened is not None:
            progress.since = opened - OVERLAP
            await self._repair(Search(self._store, source, remote, progress, progress.since))
            if self._open_gap(source.name) == opened:  # else an older one was noted meanwhile
                self._gap(source.name).unlink()
        return None

    async def _repair(self, search: Search) -> None:
        """Tell of each kind in the order of its edits; what others point at comes first, and is deleted last."""
        wanted = events_wanted(self._rules(), search.source)
        kinds = self._kinds(search.source, wanted)
        for kind in kinds:
            found = [each async for each in search.news(kind)]
            for each in sorted(found, key=lambda each: search.source.edited(each) or 0):
                await self._tell(search, kind, each)
            self._ring()
        for kind in reversed(kinds):
            if search.source.deletions.get(kind) in wanted:
                await self._tell_deleted(search, kind)
        self._ring()

    async def _tell(self, search: Search, kind: str, document: JsonObject) -> None:
        found = await search.found(kind, document)
        for body in search.source.missed(found, await search.last(kind, str(document.get("id")))):
            search.progress.added += await self._add(search.source, Origin.REPAIRED, body)

    async def _tell_deleted(self, search: Search, kind: str) -> None:
        """Tell of what is there no more. Nothing dates it, so it was now; but after all edits, if clocks differ."""
        progress, noticed = search.progress, max(self._clock.now(), search.newest)
        absence = Absence(self._store, search.source.name, search.remote, thorough=progress.thorough)
        gone, unsure = await absence.among(kind, search.present[kind])
        if unsure:
            progress.unsure[kind] = unsure
        for id_ in gone:
            last = await search.last(kind, id_)
            if last and await self._add(search.source, Origin.REPAIRED, search.source.gone(last, noticed)):
                progress.added += 1
                progress.deleted += 1

    async def _import(self, search: Search) -> None:
        """Store how each entity is of which nothing is known; what is known stays as it is."""
        for kind in self._kinds(search.source, events_wanted(self._rules(), search.source)):
            async for each in search.news(kind):
                body = search.source.baseline(await search.found(kind, each))
                search.progress.added += await self._add(search.source, Origin.IMPORTED, body)
            self._ring()

    def _kinds(self, source: AnySource, wanted: Collection[str]) -> Sequence[str]:
        needed = {source.events[name] for name in wanted}
        return [kind for kind in source.repairable if kind in needed]

    async def _add(self, source: AnySource, origin: Origin, body: JsonObject) -> bool:
        """Store the event of a body; tell whether it was new."""
        if reason := self._no_room():
            raise RemoteUnavailableError(f"there is no room for more events: {reason}")
        raw = orjson.dumps({**body, "origin": origin})
        read = source.read(raw)
        key, now = found_key(origin, read.dedup_key), self._clock.now()
        event = Event(new_id("evt"), source.name, read.name, read.entity, key, raw, now, read.occurred_at)
        return await self._store.add(event) is None

    def _gap(self, source: str) -> Path:
        return self._folder / f"{source}.gap"

    def _open_gap(self, source: str) -> datetime | None:
        try:
            return datetime.fromisoformat(self._gap(source).read_text("ascii").strip())
        except (FileNotFoundError, ValueError):
            return None

    def _keep(self, source: str, since: datetime) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            put_private(self._gap(source), since.isoformat().encode())
            sync(self._folder)
        except OSError as error:
            raise StoreUnavailableError(f"{self._gap(source)} cannot be written: {error.strerror}") from error
