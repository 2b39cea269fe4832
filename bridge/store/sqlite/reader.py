"""The readers: a few threads, each with a connection that only reads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from typing import Concatenate, ParamSpec, TypeVar

import apsw

from bridge.errors import StoreError
from bridge.store.sqlite.connection import open_reader
from bridge.store.sqlite.failure import store_error

THREADS = 2

ResultT = TypeVar("ResultT")
P = ParamSpec("P")


class Readers:
    """Runs queries beside the writer; each sees everything that was committed before it began."""

    def __init__(self, path: Path) -> None:
        """Prepare threads for this file; connections are opened when they are first needed."""
        self._path = path
        self._mine = local()
        self._connections: list[apsw.Connection] = []
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="store reader")
        self._closed = False

    async def run(
        self, query: Callable[Concatenate[apsw.Connection, P], ResultT], *args: P.args, **kwargs: P.kwargs
    ) -> ResultT:
        """Return ``query(connection, …)``."""
        if self._closed:
            raise StoreError("the store is closed")

        def ask() -> ResultT:
            try:
                return query(self._connection(), *args, **kwargs)
            except Exception as error:
                raise store_error(error) from error

        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)

    async def close(self) -> None:
        """Finish what was asked, then close the connections."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._connections:
            connection.close()

    def _connection(self) -> apsw.Connection:
        if not hasattr(self._mine, "connection"):
            self._mine.connection = open_reader(self._path)
            self._connections.append(self._mine.connection)
        connection: apsw.Connection = self._mine.connection
        return connection
