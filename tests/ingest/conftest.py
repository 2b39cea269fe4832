"""Ingest with one source of one secret."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import ManualClock
from tests.support.hooks import SECRET, Hooks, hooks


@pytest.fixture
async def crm(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Hooks]:
    async with hooks(tmp_path, clock, SECRET) as running:
        yield running
