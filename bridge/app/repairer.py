"""The repairer: looks at the start for what was missed while bridge did not run, until it has been found."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from bridge.app.again import Again
from bridge.delivery.wake import Bell
from bridge.model import Clock
from bridge.remote.repairing import Repairs
from bridge.remote.searching import Purpose
from bridge.ruleset import Ruleset

FIRST: Final = timedelta(minutes=1)
"""Before a repair that failed is tried again."""
PATIENCE: Final = 60.0
"""Seconds that webhooks may take to be activated before the first repair."""


class Repairer:
    """Repairs the sources that are to be repaired of our own accord, one after another."""

    def __init__(self, repairs: Repairs, rules: Callable[[], Ruleset], clock: Clock) -> None:
        """Take what repairs, and the rules of the moment."""
        self.bell = Bell()
        self._repairs = repairs
        self._rules = rules
        self._again = Again(FIRST, clock)

    async def note(self) -> None:
        """Keep since when each source was not heard; to be called before webhooks are taken.

        Raises:
            StoreError: it cannot be known, or not be kept.
        """
        for name, source in self._rules().sources.items():
            if source.repairs:
                await self._repairs.note_gap(name)
                self._again.ask(name)

    def note_since(self, source: str, since: datetime) -> None:
        """Keep that nothing may have come of a source since then, for when it is to be repaired."""
        if self._rules().sources[source].repairs:
            self._repairs.note_since(source, since)

    def ask(self, source: str) -> None:
        """Have a source repaired soon, and once more if it is being repaired: lists may have been read already."""
        self._again.ask(source)
        self.bell.ring()

    async def run(self, posted: asyncio.Event) -> None:
        """Repair until cancelled, from when webhooks are posted again: then nothing is missed after it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(posted.wait(), PATIENCE)
        while True:
            await self.step()
            await self.bell.wait(self._again.pause())

    async def step(self) -> None:
        """Repair what is due; what fails is tried again later."""
        for name in self._again.take():
            source = self._rules().sources.get(name)
            if source and source.repairs:
                await self._repair(name)

    async def _repair(self, name: str) -> None:
        progress = self._repairs.start(name, Purpose.REPAIR)
        await self._repairs.wait(name)
        if progress.error is None:
            self._again.went_well(name)
        else:
            self._again.failed(name)
