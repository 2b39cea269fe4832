"""A SQLite store on a clock that is moved by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.contracts")

from bridge.store.base import Store  # noqa: E402 (the suites' asserts must be rewritten before they are imported)
from bridge.store.sqlite import open_store  # noqa: E402
from tests.support.clock import ManualClock  # noqa: E402


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "data", clock)
    yield opened
    await opened.close()
