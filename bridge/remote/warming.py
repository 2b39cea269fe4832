"""The warmer: has the few things that an account has few of at hand, so that no message waits for a person's name."""

import asyncio
from collections.abc import Callable
from typing import Final

from bridge import telemetry
from bridge.delivery.wake import Bell
from bridge.errors import RemoteError
from bridge.remote.connections import Remotes
from bridge.remote.looking_up import LookUp
from bridge.ruleset import Ruleset

FEW: Final = frozenset({"user", "deal_stage", "deal_pipeline", "lost_reason"})
"""Kinds of which an account has so few that their list is a page or two."""
EVERY: Final = 1800.0
"""Seconds after which lists are fetched again."""
AGAIN: Final = 60.0
"""Seconds after which an API that failed is asked again."""


class Warmer:
    """Fetches the lists that rules may need names of: at start, when rules change, and now and then."""

    def __init__(self, look_up: LookUp, remotes: Remotes, current: Callable[[], Ruleset]) -> None:
        """Take what remembers, the APIs, and what to ask for the ruleset."""
        self.bell = Bell()
        self._look_up = look_up
        self._remotes = remotes
        self._current = current

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await self.bell.wait(EVERY if await self.step() else AGAIN)

    async def step(self) -> bool:
        """Fetch the lists of every source that has an API; tell whether all came."""
        results = await asyncio.gather(*(self._warm(source) for source in self._remotes.names))
        return all(results)

    async def _warm(self, source: str) -> bool:
        kinds = sorted(self._current().router.reached(source) & FEW)
        try:
            await self._look_up.warm(source, kinds)
        except RemoteError as error:
            telemetry.look_up_failed(source, ", ".join(kinds), error)
            return False
        return True
