"""Threads for work that may be held up for long: asking for the address of a name."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import Full, SimpleQueue
from threading import Lock, Semaphore, Thread
from typing import Any, TypeAlias, TypeVar

ResultT = TypeVar("ResultT")

_Task: TypeAlias = tuple[Future[Any], Callable[[], Any]]


class Threads:
    """A few threads, made when they are needed. They end with the process, in the midst of whatever holds them up.

    So unlike an executor's they keep nobody from ending who no longer wants to know.
    """

    def __init__(self, number: int, name: str, room: int = 0) -> None:
        """Prepare at most so many threads; ``room`` is how much may wait for them, 0 for any amount."""
        self._number = number
        self._name = name
        self._waiting: SimpleQueue[_Task | None] = SimpleQueue()
        self._places = Semaphore(room) if room else None
        self._lock = Lock()
        self._threads: list[Thread] = []

    def submit(self, work: Callable[[], ResultT]) -> Future[ResultT]:
        """Hand over work; cancelling its future takes back what has not begun.

        Raises:
            queue.Full: there was no room.
        """
        future: Future[ResultT] = Future()
        if self._places and not self._places.acquire(blocking=False):
            raise Full
        self._waiting.put((future, work))
        with self._lock:
            if len(self._threads) < self._number:
                self._threads.append(Thread(target=self._run, name=self._name, daemon=True))
                self._threads[-1].start()
        return future

    def close(self) -> None:
        """Let the threads end when what was handed over is done."""
        self._waiting.put(None)

    def _run(self) -> None:
        while task := self._waiting.get():
            if self._places:
                self._places.release()
            fulfil(*task)
            del task  # what was done is not to be kept until there is something else to do
        self._waiting.put(None)


def fulfil(future: Future[ResultT], work: Callable[[], ResultT]) -> None:
    """Do work that was asked for, unless it was taken back, and tell its future what came of it."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 (it is told to whoever asked)
        future.set_exception(error)
    else:
        future.set_result(result)
