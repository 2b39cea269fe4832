"""The door: connections are taken as long as there are files left for all else that needs one."""

import asyncio
import resource
import sys
from typing import Final, cast

from aiohttp import web

from bridge import telemetry

KEPT: Final = 64
"""So many open files are kept at least for deliveries, commands and what has to be read."""
SHARE: Final = 8
"""And one of so many."""
BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def most_connections() -> int:
    """Return how many connections leave enough of the files that this process may have open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if files == resource.RLIM_INFINITY else max(1, files - max(KEPT, files // SHARE))


class Door:
    """Hands connections that were just accepted to a server, or turns them away: a loop's protocol factory."""

    def __init__(self, server: web.Server) -> None:
        """Take the server."""
        self._server = server
        self._most = most_connections()
        self._is_full = False
        self._coming = 0

    def __call__(self) -> asyncio.Protocol:
        """Return what speaks to the next one."""
        count = len(self._server.connections) + self._coming
        if count < self._most:
            self._is_full = self._is_full and count > self._most * 9 // 10
            self._let_in()
            return cast("asyncio.Protocol", self._server())
        if not self._is_full:
            self._is_full = True
            telemetry.connections_full(count)
        return _TurnedAway()

    def _let_in(self) -> None:
        """Count one that the server will not know of before the loop has come round: many may come at once."""
        self._coming += 1
        asyncio.get_running_loop().call_soon(self._came)

    def _came(self) -> None:
        self._coming -= 1


class _TurnedAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast("asyncio.Transport", transport)
        wire.write(BUSY)
        wire.close()
