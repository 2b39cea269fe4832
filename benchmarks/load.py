"""A load of webhooks over kept-alive connections: raw HTTP, so that the sender is not what is measured."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import cast


@dataclass
class Result:
    """What one run came to: how many were answered 2xx, in how long, and every answer's latency in seconds.

    ``worked_off`` are the seconds the receiver needed afterwards to finish what it had put off, if it ``settled``.
    """

    acknowledged: int = 0
    seconds: float = 0.0
    worked_off: float = 0.0
    settled: bool = True
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return acknowledged webhooks per second."""
        return self.acknowledged / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency that this share of the answers stayed under, in milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Connection(asyncio.Protocol):
    """Posts one body after another; the next leaves when the last was answered."""

    def __init__(self, head: bytes, bodies: Iterator[bytes], result: Result, done: asyncio.Future[None]) -> None:
        """Share the supply of bodies and the result with the other connections."""
        self._head = head
        self._bodies = bodies
        self._result = result
        self._done = done
        self._answer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first body."""
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        """Count a whole answer and send the next body; answers are small and tell their length."""
        self._answer += data
        head, gap, body = self._answer.partition(b"\r\n\r\n")
        if not gap or len(body) < _length(head):
            return
        self._count(head)
        self._answer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, also where the server hung up."""
        if not self._done.done():
            self._done.set_result(None)

    def _count(self, head: bytes) -> None:
        self._result.latencies.append(time.perf_counter() - self._sent)
        if head[9:10] == b"2":
            self._result.acknowledged += 1

    def _next(self) -> None:
        body = next(self._bodies, None)
        if body is None:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(self._head % len(body) + body)


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0] or 0)


def _same(connection: Connection) -> Connection:
    return connection


async def post_all(port: int, path: str, bodies: Iterator[bytes], connections: int) -> Result:
    """Post every body once to a server on this machine and return what came of it."""
    loop = asyncio.get_running_loop()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    result = Result()
    ends = [loop.create_future() for _ in range(connections)]
    began = time.perf_counter()
    for end in ends:
        connection = Connection(head.encode(), bodies, result, end)
        await loop.create_connection(partial(_same, connection), "127.0.0.1", port)
    await asyncio.gather(*ends)
    result.seconds = time.perf_counter() - began
    return result
