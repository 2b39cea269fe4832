"""The writer: one thread that puts everything waiting into one transaction, so that one fsync serves all of it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeAlias, TypeVar

import apsw

from bridge.errors import StoreError, StoreUnavailableError
from bridge.store.sqlite.connection import BUSY_MILLISECONDS, LOG_PAGES
from bridge.store.sqlite.failure import group_error, store_error
from bridge.store.sqlite.place import Place
from bridge.store.sqlite.queries import RUN

GROUP = 256
"""Jobs that a transaction is closed at: what a failing commit can refuse, and what the first of them waits for."""
PATIENCE = 0.01
"""Seconds that an item waits for others like it, if nobody is in a hurry for it: a commit costs as much as ten."""
LULL = 0.05
"""Seconds without a job after which there is time to move the log to the database."""
LULL_PAGES = 1_000
"""Pages of log that are worth it."""

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
P = ParamSpec("P")

Together: TypeAlias = Callable[[apsw.Connection, Sequence[ItemT]], Sequence[ResultT]]
"""Does the same for at most ``RUN`` items, all or none, and answers for each; if it raises, they are done singly."""


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
        self.failed = False
        """Whether something could not be written that another time might be; whoever finds out that it can, says so."""
        self.thrifty = False
        """Whether the disk is short of room, so that a log that is moved to the database has to go in the next lull."""
        self._began: float | None = None
        self._connection = connection
        self._place = Place(connection.filename)
        self._execute = connection.cursor().execute
        self._loop = loop
        self._queue: SimpleQueue[Sequence[Job] | None] = SimpleQueue()
        self._gathered: list[Job] = []
        self._patience: asyncio.TimerHandle | None = None
        self._closed = False
        self._thread = Thread(target=self._run, name="store writer", daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        """Return how long the transaction under way has taken; 0 if there is none."""
        began = self._began
        return 0.0 if began is None else monotonic() - began

    def submit(
        self, work: Callable[Concatenate[apsw.Connection, P], ResultT], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[ResultT]:
        """Hand over ``work(connection, …)``; the future answers when it is committed."""
        return self._put(Job(self._loop.create_future(), work, args, kwargs))

    def submit_item(
        self,
        work: Callable[[apsw.Connection, ItemT], ResultT],
        item: ItemT,
        together: Together[ItemT, ResultT],
        *,
        patient: bool = False,
    ) -> asyncio.Future[ResultT]:
        """Hand over ``work(connection, item)``, to be done by ``together`` with the items that wait beside it.

        A ``patient`` one waits for others for a moment, unless a job comes that is not.
        """
        return self._put(Job(self._loop.create_future(), work, (item,), {}, together), patient=patient)

    async def close(self) -> None:
        """Finish what was submitted, then close the connection."""
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _put(self, job: Job, *, patient: bool = False) -> asyncio.Future[Any]:
        if self._closed:
            raise StoreError("the store is closed")
        self._gathered.append(job)
        if not patient or len(self._gathered) == RUN:
            self._hand_over()
        elif not self._patience:
            self._patience = self._loop.call_later(PATIENCE, self._hand_over)
        return job.future

    def _hand_over(self) -> None:
        """Give the thread what was gathered: to wake it for every job would cost more than most jobs do."""
        if self._patience:
            self._patience.cancel()
            self._patience = None
        if self._gathered:
            self._queue.put(self._gathered)
            self._gathered = []

    def _run(self) -> None:
        while jobs := self._take():
            self._began = monotonic()
            outcomes = self._commit(jobs)
            self._began = None
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(_answer, jobs, outcomes)
        self._connection.close()

    def _take(self) -> list[Job]:
        """Wait for jobs, and take what has come with them; nothing once the writer is closed and all is done."""
        jobs: list[Job] = []
        more = self._next()
        while more is not None:
            jobs += more
            if len(jobs) >= GROUP or self._queue.empty():
                return jobs
            more = self._queue.get_nowait()
        if jobs:
            self._queue.put(None)
        return jobs

    def _next(self) -> Sequence[Job] | None:
        try:
            return self._queue.get(timeout=LULL)
        except Empty:
            with suppress(apsw.Error):  # the log is as safe as the database, and there will be another lull
                self._checkpoint()
            return self._queue.get()

    def _checkpoint(self) -> None:
        log, moved = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
        if log > LOG_PAGES or (self.thrifty and log):
            self._truncate()
        elif log - moved >= LULL_PAGES:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def _truncate(self) -> None:
        """Empty a log that takes too much room, as after somebody's long reading, unless somebody reads it still."""
        self._connection.set_busy_timeout(0)
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            self._connection.set_busy_timeout(BUSY_MILLISECONDS)

    def _commit(self, jobs: Sequence[Job]) -> list[Any]:
        try:
            self._place.check()  # what is done all the same would be found half-done where the file is put back
            outcomes = self._transact(_runs(jobs))
            self._place.check()
        except Exception as error:  # noqa: BLE001 (whatever it was, those who wait must hear it and the thread go on)
            self._abandon()
            self.failed = True
            return [Failed(group_error(error)) for _ in jobs]
        return outcomes

    def _transact(self, runs: Sequence[Sequence[Job]]) -> list[Any]:
        if len(runs) == 1 and (done := self._together(runs[0])):  # all or none is a transaction of its own
            return done
        self._execute("BEGIN IMMEDIATE")
        outcomes = [outcome for run in runs for outcome in self._do(run)]
        self._execute("COMMIT")
        return outcomes

    def _do(self, run: Sequence[Job]) -> list[Any]:
        return self._together(run) or [self._singly(job) for job in run]

    def _together(self, run: Sequence[Job]) -> list[Any] | None:
        """Do a run of items together; None if it is no such run, or failed, which is undone then.

        Raises:
            apsw.BusyError: another program has locked the file; to try them singly would wait for it once more.
        """
        if together := run[0].together:
            try:
                return list(together(self._connection, [job.args[0] for job in run]))
            except apsw.BusyError:
                raise
            except Exception:  # noqa: BLE001 (each of them hears its own reason when they are done singly)
                return None
        return None

    def _singly(self, job: Job) -> Any:  # noqa: ANN401 (each job has its own result)
        """Do a job so that its failure undoes it alone."""
        self._still_in_transaction()
        self._execute("SAVEPOINT job")
        try:
            result = job.work(self._connection, *job.args, **job.kwargs)
        except Exception as error:  # noqa: BLE001 (it is told to the one who asked for it)
            self._still_in_transaction(error)
            self._execute("ROLLBACK TO job")
            result = self._failure(error)
        self._execute("RELEASE job")
        return result

    def _failure(self, error: Exception) -> Failed:
        told = store_error(error)
        self.failed |= isinstance(told, StoreUnavailableError)
        return Failed(told)

    def _still_in_transaction(self, cause: Exception | None = None) -> None:
        """Raise if SQLite has given up the whole transaction, as it may when the disk fails."""
        if not self._connection.in_transaction:
            raise StoreUnavailableError(f"the store lost its transaction: {cause or 'unknown'}") from cause

    def _abandon(self) -> None:
        with suppress(apsw.Error):
            if self._connection.in_transaction:
                self._execute("ROLLBACK")


def _runs(jobs: Sequence[Job]) -> list[Sequence[Job]]:
    """Cut jobs into runs that can be done together: neighbours whose ``together`` is the same, or None."""
    neighbours = (list(run) for _, run in groupby(jobs, key=attrgetter("together")))
    return [run[begin : begin + RUN] for run in neighbours for begin in range(0, len(run), RUN)]


def _answer(jobs: Sequence[Job], outcomes: Sequence[Any]) -> None:
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.future.done():  # who waited has been cancelled
            continue
        if isinstance(outcome, Failed):
            job.future.set_exception(outcome.error)
        else:
            job.future.set_result(outcome)
