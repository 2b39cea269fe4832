"""A store, rules, and the operations over them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.control.host import Host
from bridge.store.sqlite import open_store
from tests.support.clock import ManualClock
from tests.support.shop import Shop, load_rules


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """An open shop, as a daemon has it."""
    clock, rung = ManualClock(), list[str]()
    rules = load_rules(tmp_path, clock)
    host = Host(
        current=lambda: rules,
        paths=lambda source: (f"/hooks/{source}/s3cret-of-the-source",),
        public_url="https://bridge.example.com",
        local_url="http://127.0.0.1:8080",
        ring=rung.extend,
        started_at=clock.now(),
    )
    store = await open_store(tmp_path / "data", clock)
    yield Shop(tmp_path, store, rules, clock, host, rung)
    await store.close()
