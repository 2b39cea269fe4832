"""A SQLite store on a clock that is moved by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.store.base import Store
from bridge.store.sqlite import open_store
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "data", clock)
    yield opened
    await opened.close()
