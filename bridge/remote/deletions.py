"""What was deleted while no webhook came: it is known, no list holds it, and asked for by itself it is not there.

No API tells of deletions. A list that lacks an entity proves nothing, for it may have an end, or change while it is
read: what it lacks is asked for, one by one. So is what lists need not be read for, because it is so little.
"""

from collections.abc import Collection
from contextlib import aclosing
from typing import Final, NamedTuple

from bridge.component.remote import Remote, Urgency
from bridge.model import Entity
from bridge.store.base import Store

FEW: Final = 5
"""So many are asked for by themselves before another page is."""
MANY: Final = 2_000
"""So many of a kind are looked for of our own accord: a list of as many has ten pages."""
USUAL: Final = 20
"""So many may be deleted at once, or a tenth; whoever misses more may be one who is not shown all."""


class Absent(NamedTuple):
    """The ids that are gone; and of how many others it is not known whether they are there."""

    gone: tuple[str, ...] = ()
    unsure: int = 0


class Absence:
    """Finds out which known entities of a source are there no more."""

    def __init__(self, store: Store, source: str, remote: Remote, *, thorough: bool) -> None:
        """Take what is known, and the API; ``thorough`` is for a person who wants to know, whatever it costs."""
        self._store = store
        self._source = source
        self._remote = remote
        self._thorough = thorough

    async def among(self, kind: str, seen: Collection[str]) -> Absent:
        """Look at all known entities of a kind but those that were ``seen`` in a list just now.

        Raises:
            RemoteError: the API refuses, or cannot be had.
        """
        known = await self._store.living(self._source, kind)
        missing = set(known).difference(seen)
        if len(known) > MANY and not self._thorough:
            return Absent(unsure=len(missing))
        await self._strike_out(kind, missing)
        if len(missing) > max(USUAL, len(known) // 10) and not self._thorough:
            return Absent(unsure=len(missing))
        return Absent(tuple([id_ for id_ in sorted(missing) if await self._is_gone(Entity(kind, id_))]))

    async def _strike_out(self, kind: str, missing: set[str]) -> None:
        """Take away what lists hold, until so little is left that it is cheaper to ask for each."""
        if len(missing) <= FEW:
            return
        async with aclosing(self._remote.present(kind)) as present:
            async for id_ in present:
                missing.discard(id_)
                if len(missing) <= FEW:
                    return

    async def _is_gone(self, entity: Entity) -> bool:
        return await self._remote.document(entity, Urgency.REPAIR) is None
