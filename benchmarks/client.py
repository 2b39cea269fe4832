"""The limit that draining is held against: an aiohttp client that posts the same bodies to the same service."""

import asyncio
import json
import sys
import uuid
from collections.abc import Iterator

import aiohttp
import uvloop

from benchmarks.running import OURS, pin

BODY = {"deal": "65f1c0ffee", "text": "Padaria Estrela: plano anual: R$ 11.050,50"}


async def post_all(address: str, count: int, connections: int) -> None:
    """Post so many bodies, as many at once as there are connections."""
    numbers = iter(range(count))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(_post(session, address, numbers) for _ in range(connections)))


async def _post(session: aiohttp.ClientSession, address: str, numbers: Iterator[int]) -> None:
    for _ in numbers:
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        async with session.post(address, data=json.dumps(BODY).encode(), headers=headers) as answer:
            await answer.read()


if __name__ == "__main__":
    pin(OURS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(post_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
