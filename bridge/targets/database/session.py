"""A session with a database: one connection, one transaction, and every way that it can fail.

A connection is made for each delivery and none is kept: nothing is left open when rules are reloaded or a server
restarts, and a pooler in between needs no care. The engine is no more than the statements, compiled once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bridge.targets.database.address import arguments, parsed
from bridge.targets.database.options import DatabaseOptions
from bridge.targets.database.refusals import sorted_failure

ResultT = TypeVar("ResultT")


class Session:
    """The way to one database."""

    def __init__(self, options: DatabaseOptions) -> None:
        """Take the address; nothing is opened yet."""
        self._options = options
        self.url = parsed(options.url)

    @cached_property
    def _engine(self) -> AsyncEngine:
        options = self._options
        told = arguments(self.url, options.secured, options.ca_file, options.timeout)
        return create_async_engine(self.url, poolclass=NullPool, connect_args=told, hide_parameters=True)

    async def run(self, work: Callable[[AsyncConnection], Awaitable[ResultT]]) -> ResultT:
        """Do work in a transaction of its own; nothing of it is there unless this returns, or tells that it may be.

        Raises:
            TransientFailure: nothing was written.
            UnknownOutcome: no answer came to the commit.
            PermanentFailure: the database refused it for good.
            AccessRefused: it would refuse everything.
        """
        left = False
        try:
            async with asyncio.timeout(self._options.timeout), self._engine.connect() as connection:
                result = await work(connection)
                left = True
                await connection.commit()
        except self._errors as error:
            failure = sorted_failure(error, left=left)
        else:
            return result
        # Raised outside of the handler: the original holds the statement, and would stay as context.
        raise failure

    async def aside(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Do work that is not written for asyncio, as SQLAlchemy's looking at tables is not; raises as ``run``."""
        return await self.run(lambda connection: connection.run_sync(work))

    @cached_property
    def _errors(self) -> tuple[type[Exception], ...]:
        """Return what a failure may be: SQLAlchemy lets some of the driver's own pass while it connects."""
        return (SQLAlchemyError, OSError, EOFError, *_driver_errors(self.url.get_driver_name()))


def _driver_errors(driver: str) -> tuple[type[Exception], ...]:
    if driver == "asyncpg":
        import asyncpg  # noqa: PLC0415 (an extra)

        return (asyncpg.PostgresError, asyncpg.InterfaceError)
    if driver == "asyncmy":
        from asyncmy.errors import MySQLError  # noqa: PLC0415 (an extra)

        return (MySQLError,)
    return ()
