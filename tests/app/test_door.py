"""The door: who comes when too many connections are open is told to come again, and nobody else is touched."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from bridge.app.door import KEPT, Door, most_connections
from tests.support.listening import Serve

ASKING = b"GET /healthz HTTP/1.1\r\nHost: b\r\n\r\n"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    yield reader, writer
    writer.close()
    await writer.wait_closed()


async def status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(ASKING)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    found = head.split()[1]
    if found == b"200":
        await reader.readexactly(len(b"ok\n"))
    return found


async def test_one_too_many_is_told_to_come_again_and_the_others_are_answered(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.app.door.most_connections", lambda: 2)
    async with serve() as servers:
        with capture_logs() as lines:
            async with connected(servers.url) as first, connected(servers.url) as second:
                assert [await status(*first), await status(*second)] == [b"200", b"200"]
                for _ in range(3):
                    async with connected(servers.url) as (reader, _):
                        answer = await asyncio.wait_for(reader.read(), 5)
                        assert answer.startswith(b"HTTP/1.1 503 ")
                        assert b"\r\nRetry-After: 5\r\n" in answer
                assert await status(*first) == b"200"
        assert [(line["event"], line["count"]) for line in lines] == [("connections full", 2)], "once"
        async with asyncio.timeout(5):
            answered = b""
            while answered != b"200":
                async with connected(servers.url) as again:
                    answered = await status(*again)


async def test_those_who_come_all_at_once_are_counted_before_the_server_knows_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.app.door.most_connections", lambda: 3)
    server = Mock(connections=[])
    door = Door(server)
    with capture_logs() as lines:
        for _ in range(5):
            door()
        assert (server.call_count, [line["event"] for line in lines]) == (3, ["connections full"])
        await asyncio.sleep(0)
        server.connections = [1]
        door()
    assert (server.call_count, len(lines)) == (4, 1)


@pytest.mark.parametrize(
    ("files", "most"), [(100_000, 87_500), (1024, 896), (128, 64), (10, 1), (resource.RLIM_INFINITY, 2**40)]
)
def test_files_are_left_for_all_else(monkeypatch: pytest.MonkeyPatch, files: int, most: int) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (files, files))
    assert most_connections() >= most
    assert files == resource.RLIM_INFINITY or most_connections() <= max(1, files - KEPT)
