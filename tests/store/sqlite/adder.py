"""Adds events as fast as it can, prints the id of each that is acknowledged, and ends without a goodbye."""

import asyncio
import os
import sys
from pathlib import Path

from bridge.store.sqlite import open_store
from tests.contracts.store_steps import an_event
from tests.support.clock import ManualClock


async def main(data: Path, until: int) -> None:
    store = await open_store(data)
    clock = ManualClock()
    told = 0

    async def add_on_and_on() -> None:
        nonlocal told
        while True:
            event = an_event(clock)
            assert await store.add(event) is None
            print(event.id, flush=True)  # noqa: T201 (this is how the parent is told)
            told += 1
            if told == until:
                os._exit(9)

    await asyncio.gather(*(add_on_and_on() for _ in range(32)))


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
