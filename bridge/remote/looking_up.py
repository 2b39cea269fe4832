"""Names that no webhook brings: from the last states first, then from the API, within its pace and for a short wait."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from bridge import telemetry
from bridge.component.remote import Remote, Urgency
from bridge.component.source import AnySource
from bridge.document import lookup
from bridge.errors import RemoteGarbledError, RemoteRefusedError, RemoteUnavailableError
from bridge.model import Clock, Entity, EntityState, Json, JsonObject, Related, Want
from bridge.remote.memory import LONG, SHORT, Memory

REST: Final = timedelta(seconds=30)
"""How long an API that failed, or was too slow, is left alone: messages go without at once meanwhile."""
WARM: Final = timedelta(hours=1)
"""How long whole lists are good for, such as that of all people."""

Asked: TypeAlias = "tuple[str, Entity, str]"
"""A source, an entity, and the name of what it has; none for the entity itself."""
LastState: TypeAlias = Callable[[str, Entity], Awaitable[EntityState | None]]


class UnknownError(Exception):
    """It could not be found out."""


class LookUp:
    """Finds what messages have to say of related entities. What it could not find out in time is left out."""

    def __init__(
        self,
        sources: Callable[[], Mapping[str, AnySource]],
        remote: Callable[[str], Remote | None],
        last_state: LastState,
        clock: Clock,
    ) -> None:
        """Take the sources in force, the API of each, if it has one, and what was seen last of an entity."""
        self._sources = sources
        self._remote = remote
        self._last_state = last_state
        self._clock = clock
        self._memory: Memory[Asked, Json] = Memory(clock)
        self._under_way: dict[Asked, asyncio.Task[Json]] = {}
        self._resting: dict[str, datetime] = {}

    async def find(self, wants: Sequence[Want]) -> Related:
        """Return what was found of each; what could not be found out in time is missing."""
        tasks = {asyncio.ensure_future(self._found(want)): want for want in wants}
        if not tasks:
            return {}
        done, late = await asyncio.wait(tasks, timeout=max(map(self._patience, wants)))
        for task in late:
            task.cancel()
            self._rest(tasks[task].reach.source)
        if late:
            await asyncio.wait(late)
        return {tasks[task].reach: task.result() for task in done if not task.exception()}

    async def warm(self, source: str, kinds: Iterable[str]) -> None:
        """Ask for all there are of a few kinds, so that no message has to wait for one of them.

        Raises:
            RemoteError: the API refuses, or cannot be had.
        """
        remote = self._remote(source)
        for kind in kinds if remote else ():
            for each in await remote.listed(kind) if remote else ():
                asked = (source, Entity(kind, str(each["id"])), "")
                self._memory.put(asked, self._whole(source, kind, each), WARM)

    def _patience(self, want: Want) -> float:
        remote = self._remote(want.reach.source)
        return remote.patience if remote else 1.0

    async def _found(self, want: Want) -> Json:
        source, entity, name = want.reach
        if not want.ids and want.many:
            return await self._once((source, entity, name), lambda: self._related(want))
        ids = want.ids or await self._ids(want)
        found = [await self._entity(source, Entity(want.kind, id_)) for id_ in ids]
        known: list[Json] = [each for each in found if each is not None]
        if want.many:
            return known
        return known[0] if known else None

    async def _ids(self, want: Want) -> Sequence[str]:
        """Return the id that a webhook of the entity did not tell, and its whole document does."""
        source, entity, _ = want.reach
        whole = await self._once((source, entity, ""), lambda: self._document(source, entity))
        id_ = lookup(whole, want.path)
        return (id_,) if isinstance(id_, str) and id_ else ()

    async def _entity(self, source: str, entity: Entity) -> Json:
        if entity.kind in self._sources()[source].shapes and (state := await self._last_state(source, entity)):
            telemetry.looked_up(source, "state")
            return state.document
        return await self._once((source, entity, ""), lambda: self._document(source, entity))

    async def _once(self, asked: Asked, ask: Callable[[], Coroutine[object, object, Json]]) -> Json:
        """Return what is remembered, or ask, once however many want to know; those who give up end nothing."""
        source = asked[0]
        if asked in self._memory:
            telemetry.looked_up(source, "memory")
            return self._memory[asked]
        if asked not in self._under_way:
            self._may_ask(source)
            task = self._under_way[asked] = asyncio.ensure_future(ask())
            task.add_done_callback(lambda done: self._end(asked, done))
        return await asyncio.shield(self._under_way[asked])

    def _may_ask(self, source: str) -> None:
        until = self._resting.get(source)
        if self._remote(source) is None or (until and until > self._clock.now()):
            telemetry.looked_up(source, "nowhere")
            raise UnknownError

    def _end(self, asked: Asked, task: "asyncio.Task[Json]") -> None:
        del self._under_way[asked]
        source, entity, name = asked
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or _concerns_all(error):
            self._rest(source)
        elif error:  # it answers, but not about this one
            self._memory.put(asked, None, SHORT)
        if task.cancelled() or error:
            telemetry.look_up_failed(source, name or entity.kind, error)
            return
        found = task.result()
        self._memory.put(asked, found, LONG if found else SHORT)
        telemetry.looked_up(source, "api")

    def _rest(self, source: str) -> None:
        self._resting[source] = self._clock.now() + REST

    async def _document(self, source: str, entity: Entity) -> Json:
        remote = self._remote(source)
        found = await remote.document(entity, Urgency.MESSAGE) if remote else None
        return self._whole(source, entity.kind, found) if found else None

    async def _related(self, want: Want) -> Json:
        source, entity, name = want.reach
        remote = self._remote(source)
        found = await remote.related(entity, name, Urgency.MESSAGE) if remote else ()
        return [self._whole(source, want.kind, each) for each in found]

    def _whole(self, source: str, kind: str, document: JsonObject) -> JsonObject:
        return self._sources()[source].whole(kind, document)


def _concerns_all(error: BaseException | None) -> bool:
    """Tell whether the API would fail whatever it is asked: it is down, asks for peace, or refuses the credentials."""
    garbled = isinstance(error, RemoteGarbledError)
    return isinstance(error, RemoteUnavailableError | RemoteRefusedError) and not garbled
