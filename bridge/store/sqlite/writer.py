"""The writer: one thread that puts everything waiting into one transaction, so that one fsync serves all of it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeAlias, TypeVar

import apsw

from bridge.errors import StoreError
from bridge.store.sqlite.failure import store_error

GROUP = 256
"""Jobs in one transaction at most: what a failing commit can refuse at once, and what the first of them waits for."""

ResultT = TypeVar("ResultT")
P = ParamSpec("P")


class Job(NamedTuple):
    """Work for the writer's connection, and who waits for it."""

    future: asyncio.Future[Any]
    work: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Failed(NamedTuple):
    """The outcome of a job that failed alone."""

    error: BaseException


Outcomes: TypeAlias = list[Any]


class Writer:
    """Owns the connection that writes. Jobs run in the order they were submitted.

    A job that fails is undone and fails alone. If the commit fails, every job of the group fails, none was done, and
    the writer goes on with the next group.
    """

    def __init__(self, connection: apsw.Connection, loop: asyncio.AbstractEventLoop) -> None:
        """Start the thread. Jobs are submitted from, and answered on, the thread of ``loop``."""
        self._connection = connection
        self._execute = connection.cursor().execute
        self._loop = loop
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._closed = False
        self._thread = Thread(target=self._run, name="store writer", daemon=True)
        self._thread.start()

    def submit(
        self, work: Callable[Concatenate[apsw.Connection, P], ResultT], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[ResultT]:
        """Hand over ``work(connection, …)``; the future answers when it is committed.

        Cancelling the future does not take the work back.
        """
        if self._closed:
            raise StoreError("the store is closed")
        future: asyncio.Future[ResultT] = self._loop.create_future()
        self._queue.put(Job(future, work, args, kwargs))
        return future

    async def close(self) -> None:
        """Finish what was submitted, then close the connection."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while jobs := self._take():
            outcomes = self._commit(jobs)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(_answer, jobs, outcomes)
        self._connection.close()

    def _take(self) -> list[Job]:
        """Wait for a job, and take what has come with it; nothing once the writer is closed and all is done."""
        jobs: list[Job] = []
        while not jobs or (len(jobs) < GROUP and not self._queue.empty()):
            if (job := self._queue.get()) is None:
                if jobs:
                    self._queue.put(None)
                break
            jobs.append(job)
        return jobs

    def _commit(self, jobs: list[Job]) -> Outcomes:
        try:
            self._execute("BEGIN IMMEDIATE")
            outcomes = [self._do(job) for job in jobs]
            self._execute("COMMIT")
        except Exception as error:  # noqa: BLE001 (whatever it was, those who wait must hear it and the thread go on)
            self._abandon()
            return [Failed(store_error(error)) for _ in jobs]
        return outcomes

    def _do(self, job: Job) -> Any:  # noqa: ANN401 (each job has its own result)
        self._execute("SAVEPOINT job")
        try:
            result = job.work(self._connection, *job.args, **job.kwargs)
        except Exception as error:
            if not self._connection.in_transaction:  # SQLite has given up the whole group
                raise
            self._execute("ROLLBACK TO job")
            result = Failed(store_error(error))
        self._execute("RELEASE job")
        return result

    def _abandon(self) -> None:
        with suppress(apsw.Error):
            if self._connection.in_transaction:
                self._execute("ROLLBACK")


def _answer(jobs: list[Job], outcomes: Outcomes) -> None:
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.future.done():  # who waited has been cancelled
            continue
        if isinstance(outcome, Failed):
            job.future.set_exception(outcome.error)
        else:
            job.future.set_result(outcome)
