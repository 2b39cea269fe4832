"""The real daemon as a process, and a service on a real socket for it to deliver to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.sink import Sink


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A service that takes anything, and remembers it."""
    async with Sink() as running:
        yield running


@pytest.fixture
async def daemon(tmp_path: Path, sink: Sink) -> AsyncIterator[Daemon]:
    """A daemon that is not started yet; its rules may name ``{sink}``, the address of the sink."""
    prepared = Daemon(tmp_path, sink.url)
    yield prepared
    await prepared.kill()
