"""The service that messages go to: raw HTTP, so that it is never what is measured. It notes who came, and when."""

import asyncio
import re
import secrets
import time
from collections import Counter
from typing import cast

from benchmarks.running import PATIENCE

KEY = re.compile(rb"idempotency-key: (\S+)", re.IGNORECASE)
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Sink:
    """Counts deliveries by their idempotency keys."""

    def __init__(self, answer: bytes = OK, delay: float = 0.0) -> None:
        """Answer everything so, after so many seconds."""
        self.answer = answer
        self.delay = delay
        self.path = f"/{secrets.token_hex(8)}"
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.keys: Counter[bytes] = Counter()
        self.times: list[float] = []
        self.bodies: list[bytes] = []

    @property
    def count(self) -> int:
        """Return how many different deliveries came."""
        return len(self.keys)

    @property
    def repeated(self) -> int:
        """Return how many came again."""
        return sum(self.keys.values()) - len(self.keys)

    @property
    def rate(self) -> float:
        """Return deliveries a second, from the first to the last."""
        return (len(self.times) - 1) / (self.times[-1] - self.times[0]) if len(self.times) > 1 else 0.0

    async def has(self, count: int, patience: float = PATIENCE) -> None:
        """Wait until so many different deliveries came, or none for so long."""
        seen, since = -1, time.monotonic()
        while self.count < count and time.monotonic() - since < patience:
            if self.count != seen:
                seen, since = self.count, time.monotonic()
            await asyncio.sleep(0.01)

    async def serve(self) -> str:
        """Return the address it listens on."""
        server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=1024)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{self.path}"

    def take(self, head: bytes, body: bytes) -> None:
        """Note one request."""
        if self.path.encode() not in head.partition(b"\r\n")[0]:
            return  # from a program whose own service had the port before
        key = KEY.search(head)
        self.keys[key[1] if key else b""] += 1
        self.times.append(time.perf_counter())
        self.bodies.append(body)


class _Connection(asyncio.Protocol):
    """Answers one request after another."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self._read += data
        while b"\r\n\r\n" in self._read:
            head, _, rest = self._read.partition(b"\r\n\r\n")
            length = LENGTH.search(head)
            size = int(length[1]) if length else 0
            if len(rest) < size:
                return
            self._read = rest[size:]
            self._sink.take(head, rest[:size])
            self._answer()

    def _answer(self) -> None:
        if self._sink.delay:
            asyncio.get_running_loop().call_later(self._sink.delay, self._transport.write, self._sink.answer)
        else:
            self._transport.write(self._sink.answer)
