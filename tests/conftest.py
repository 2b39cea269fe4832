"""What many suites stand on; the asserts of what they share tell as much as those of the tests themselves."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("untimed")

pytest.register_assert_rewrite("tests.contracts", "tests.support")

from bridge.store.base import Store  # noqa: E402 (after the asserts are seen to)
from bridge.store.sqlite import open_store  # noqa: E402
from tests.support.clock import ManualClock  # noqa: E402
from tests.support.postgres import Postgres, postgres  # noqa: E402

COVERING = ("control", "delivery", "model", "rdstation", "remote", "routing", "sources", "test_document.py", "trial")
"""The suites by which the core is covered; tracing lines in all others would cost a quarter of their time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Trace lines where that is asked for only."""
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] not in COVERING:
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that is moved by hand."""
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    """A real store on that clock."""
    opened = await open_store(tmp_path / "data", clock)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """A command that runs in the test's own process may have set up the log; the next test has it as it was."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A real PostgreSQL server, once for all tests of a process that want one."""
    with postgres() as server:
        yield server
