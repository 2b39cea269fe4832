"""Names to addresses, in threads that are asked for nothing else.

The system's own look-up cannot be broken off: whoever chooses a name whose server does not answer holds a thread for as
long as the system is patient. So each trust policy has threads of its own, and a name that came with an event never
keeps one from the rules, or anything else that the process does in threads, waiting.
"""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from queue import Full
from typing import Any, Final, TypeVar, cast

from aiohttp import ThreadedResolver

from bridge.component.threads import Threads

AT_ONCE: Final = 16
"""Names that are looked up at once."""
ROOM: Final = 64
"""Names that may wait for that; beyond, looking up fails at once."""

ResultT = TypeVar("ResultT")


class Resolver(ThreadedResolver):
    """aiohttp's resolver, which asks its event loop for look-ups, over threads of its own."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._threads = Threads(AT_ONCE, "names", ROOM)
        super().__init__(cast("asyncio.AbstractEventLoop", _Lookups(self._threads)))

    async def close(self) -> None:
        """Let the threads end, once they can."""
        self._threads.close()


class _Lookups:
    """What the resolver uses of an event loop."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads

    async def getaddrinfo(self, *name: Any, **hints: Any) -> Any:  # noqa: ANN401 (as socket has it)
        return await self._done(partial(socket.getaddrinfo, *name, **hints))

    async def getnameinfo(self, *address: Any) -> Any:  # noqa: ANN401 (the same)
        return await self._done(partial(socket.getnameinfo, *address))

    async def _done(self, lookup: Callable[[], ResultT]) -> ResultT:
        try:
            return await asyncio.wrap_future(self._threads.submit(lookup))
        except Full:
            raise OSError("too many names wait to be looked up") from None
