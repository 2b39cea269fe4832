"""A wire between a client of PostgreSQL and its server, which breaks where a test wants it to."""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, Self

COMMIT: Final = b"COMMIT"
"""What ends a transaction, as asyncpg sends it."""


class Break(Enum):
    """Where a connection breaks."""

    AT_ONCE = auto()
    BEFORE_COMMIT = auto()
    AFTER_COMMIT = auto()
    SILENT_AFTER_COMMIT = auto()
    """It does not break, and yet nothing comes."""


BREAKS: Final = (Break.AT_ONCE, Break.BEFORE_COMMIT, Break.AFTER_COMMIT)
"""Those that take no time."""


class Wire:
    """Passes on what comes, one connection after another, each with the break that it is given.

    ``reached`` is set when one breaks at a commit, ``hung_up`` when the client has given up a silent one.
    """

    def __init__(self, port: int, next_break: Callable[[object], Break | None]) -> None:
        self._server_port = port
        self._next_break = next_break
        self._tasks: set[asyncio.Task[None]] = set()
        self.reached = asyncio.Event()
        self.hung_up = asyncio.Event()

    @property
    def port(self) -> int:
        port: int = self._listening.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._carry(reader, writer, self._next_break(None))
        except OSError:
            pass
        finally:
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, breaks: Break | None) -> None:
        if breaks is Break.AT_ONCE:
            return
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        back = asyncio.create_task(_copy(from_server, writer))
        try:
            while data := await reader.read(65536):
                if breaks and COMMIT in data:
                    await self._end(data, breaks, back, to_server, from_server)
                    if breaks is Break.SILENT_AFTER_COMMIT:
                        await reader.read()
                        self.hung_up.set()
                    return
                to_server.write(data)
        finally:
            back.cancel()
            to_server.close()

    async def _end(
        self,
        data: bytes,
        breaks: Break,
        back: asyncio.Task[None],
        to_server: asyncio.StreamWriter,
        from_server: asyncio.StreamReader,
    ) -> None:
        """Break at a commit: before the server has it, or after it has answered, and nobody was told."""
        back.cancel()
        await asyncio.gather(back, return_exceptions=True)
        self.reached.set()
        if breaks in {Break.AFTER_COMMIT, Break.SILENT_AFTER_COMMIT}:
            to_server.write(data)
            await from_server.read(65536)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
