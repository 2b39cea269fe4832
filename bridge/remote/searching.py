"""One search by the API of a source: for what was edited since, or for all there is, with the names it points at."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from bridge.component.remote import Remote
from bridge.component.source import AnySource, Found
from bridge.model import Entity, EntityState, JsonObject
from bridge.store.base import Store

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Purpose(StrEnum):
    """What the API is asked for all edits for."""

    REPAIR = "repair"
    IMPORT = "import"


@dataclass(slots=True)
class Progress:
    """How far it is. ``since`` is None where there is nothing to begin with; ``looked`` counts entities by kind.

    Of what was ``added``, ``deleted`` are deletions. ``unsure`` counts, by kind, known entities of which it was not
    found out whether they are there still; a ``thorough`` repair finds it out, however many requests it takes.
    """

    source: str
    purpose: Purpose
    since: datetime | None
    began_at: datetime
    thorough: bool = False
    ended_at: datetime | None = None
    looked: dict[str, int] = field(default_factory=dict)
    added: int = 0
    deleted: int = 0
    unsure: dict[str, int] = field(default_factory=dict)
    error: str | None = None


class Search:
    """Asks for what is news. ``present`` has, by kind, all that lists held; ``newest`` is the last edit of any."""

    def __init__(
        self, store: Store, source: AnySource, remote: Remote, progress: Progress, since: datetime = BEGINNING
    ) -> None:
        """Take what is known, whom to ask, since when, and where to count."""
        self.source = source
        self.remote = remote
        self.progress = progress
        self.since = since
        self.present: dict[str, set[str]] = {}
        self.newest = BEGINNING
        self._store = store
        self._names: dict[str, Mapping[str, str]] = {}

    async def news(self, kind: str) -> AsyncIterator[JsonObject]:
        """Yield each entity that is news, once, though lists may hold one twice while they change."""
        present, looked = self.present.setdefault(kind, set()), set[str]()
        self.progress.looked[kind] = 0

        async def wanted(each: JsonObject) -> bool:
            present.add(id_ := str(each.get("id")))
            if not self._is_recent(each):
                return False
            looked.add(id_)
            self.progress.looked[kind] = len(looked)
            return await self._is_news(kind, each)

        given: set[str] = set()
        async for each in self.remote.changed(kind, self.since, wanted):
            if (id_ := str(each.get("id"))) not in given:
                given.add(id_)
                yield each

    async def found(self, kind: str, document: JsonObject) -> Found:
        """Return an entity with the names of what it points at, which are asked for at the first one, and once."""
        for other in sorted(self.source.repairable[kind] - self._names.keys()):
            listed = await self.remote.listed(other)
            self._names[other] = {str(each.get("id")): str(each.get("name") or "") for each in listed}
        return Found(kind, document, self.since, self._names)

    async def last(self, kind: str, id_: str) -> EntityState | None:
        """Return what is known of an entity."""
        return await self._store.last_state(self.source.name, Entity(kind, id_))

    def _is_recent(self, each: JsonObject) -> bool:
        edited = self.source.edited(each)
        if edited is None:
            return True
        moment = BEGINNING + timedelta(microseconds=edited)
        self.newest = max(self.newest, moment)
        return moment >= self.since

    async def _is_news(self, kind: str, each: JsonObject) -> bool:
        last = await self.last(kind, str(each.get("id")))
        if last is None:
            return True
        return self.progress.purpose is Purpose.REPAIR and last.version < (self.source.edited(each) or 0)
