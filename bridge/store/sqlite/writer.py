"""The writer: one thread that puts everything waiting into one transaction, so that one fsync serves all of it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby
from operator import attrgetter
from queue import SimpleQueue
from threading import Thread
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeAlias, TypeVar

import apsw

from bridge.errors import StoreError
from bridge.store.sqlite.failure import group_error, store_error

GROUP = 256
"""Jobs in one transaction at most: what a failing commit can refuse at once, and what the first of them waits for."""

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
P = ParamSpec("P")

Together: TypeAlias = Callable[[apsw.Connection, Sequence[ItemT]], Sequence[ResultT]]
"""Does the same for many items at once, and answers for each; if it raises, they are done one by one."""


class Job(NamedTuple):
    """Work for the writer's connection, and who waits for it; or one item of a work that does many together."""

    future: asyncio.Future[Any]
    work: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    together: Together[Any, Any] | None = None


class Failed(NamedTuple):
    """The outcome of a job that failed."""

    error: BaseException


class Writer:
    """Owns the connection that writes. Jobs run in the order they were submitted.

    A job that fails is undone and fails alone. If the commit fails, every job of the group fails, none was done, and
    the writer goes on with the next group. Cancelling a job's future does not take the job back.
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
        """Hand over ``work(connection, …)``; the future answers when it is committed."""
        return self._put(Job(self._loop.create_future(), work, args, kwargs))

    def submit_item(
        self, work: Callable[[apsw.Connection, ItemT], ResultT], item: ItemT, together: Together[ItemT, ResultT]
    ) -> asyncio.Future[ResultT]:
        """Hand over ``work(connection, item)``, to be done by ``together`` with the items that wait beside it."""
        return self._put(Job(self._loop.create_future(), work, (item,), {}, together))

    async def close(self) -> None:
        """Finish what was submitted, then close the connection."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _put(self, job: Job) -> asyncio.Future[Any]:
        if self._closed:
            raise StoreError("the store is closed")
        self._queue.put(job)
        return job.future

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

    def _commit(self, jobs: Sequence[Job]) -> list[Any]:
        try:
            self._execute("BEGIN IMMEDIATE")
            outcomes = [outcome for run in _runs(jobs) for outcome in self._do(run)]
            self._execute("COMMIT")
        except Exception as error:  # noqa: BLE001 (whatever it was, those who wait must hear it and the thread go on)
            self._abandon()
            return [Failed(group_error(error)) for _ in jobs]
        return outcomes

    def _do(self, run: Sequence[Job]) -> Iterable[Any]:
        """Do jobs that belong together; return their outcomes."""
        if (together := run[0].together) and len(run) > 1:
            outcomes = self._isolated(partial(together, self._connection, [job.args[0] for job in run]))
            if not isinstance(outcomes, Failed):
                return outcomes
        return [self._isolated(partial(job.work, self._connection, *job.args, **job.kwargs)) for job in run]

    def _isolated(self, work: Callable[[], ResultT]) -> ResultT | Failed:
        """Do work so that its failure undoes it alone."""
        self._execute("SAVEPOINT job")
        try:
            result: ResultT | Failed = work()
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


def _runs(jobs: Sequence[Job]) -> Iterable[Sequence[Job]]:
    """Cut jobs into runs that can be done together: neighbours whose ``together`` is the same, or None."""
    return (list(run) for _, run in groupby(jobs, key=attrgetter("together")))


def _answer(jobs: Sequence[Job], outcomes: Sequence[Any]) -> None:
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.future.done():  # who waited has been cancelled
            continue
        if isinstance(outcome, Failed):
            job.future.set_exception(outcome.error)
        else:
            job.future.set_result(outcome)
