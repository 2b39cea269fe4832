"""The readers: a few threads, each with a connection that only reads."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Concatenate, ParamSpec, TypeVar

import apsw

from bridge.errors import StoreError
from bridge.store.sqlite.failure import store_error

THREADS = 2

ResultT = TypeVar("ResultT")
P = ParamSpec("P")


class Readers:
    """Runs queries beside the writer; each sees everything that was committed before it began."""

    def __init__(self, connections: Sequence[apsw.Connection]) -> None:
        """Prepare a thread for each connection."""
        self._connections = connections
        self._free: SimpleQueue[apsw.Connection] = SimpleQueue()
        for connection in connections:
            self._free.put(connection)
        self._threads = ThreadPoolExecutor(len(connections), thread_name_prefix="store reader")
        self._closed = False

    async def run(
        self, query: Callable[Concatenate[apsw.Connection, P], ResultT], *args: P.args, **kwargs: P.kwargs
    ) -> ResultT:
        """Return ``query(connection, …)``."""
        if self._closed:
            raise StoreError("the store is closed")

        def ask() -> ResultT:
            connection = self._free.get()
            try:
                return query(connection, *args, **kwargs)
            except Exception as error:
                raise store_error(error) from error
            finally:
                self._free.put(connection)

        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)

    async def close(self) -> None:
        """Finish what was asked, then close the connections."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._connections:
            connection.close()
