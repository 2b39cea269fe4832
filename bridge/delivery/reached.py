"""What the messages of a batch say of related entities: found before they are made."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from bridge import telemetry
from bridge.errors import StoreError
from bridge.model import Related, Want

FindRelated: TypeAlias = Callable[[Sequence[Want]], Awaitable[Related]]
"""Finds what messages have to say of related entities."""


async def nothing_found(_: Sequence[Want]) -> Related:
    """Find nothing: where nobody looks anything up."""
    return {}


class Reached:
    """What was found for the batch at hand."""

    def __init__(self, find: FindRelated) -> None:
        """Take what finds it."""
        self.related: Related = {}
        self._find = find

    async def prepare(self, wanted: Callable[[], Sequence[Want]]) -> None:
        """Find what a batch wants; a defect there keeps no message from going, without what it wanted.

        Raises:
            StoreError: the last states cannot be read.
        """
        self.related = {}
        try:
            if wants := wanted():
                self.related = await self._find(wants)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 (they go without, and that is told)
            telemetry.dispatching_failed(error)
