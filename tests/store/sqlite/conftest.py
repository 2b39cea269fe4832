"""A database in memory, with the schema of the store."""

from collections.abc import Iterator

import apsw
import pytest

from bridge.store.sqlite.migration import migrate, shipped
from tests.support.clock import ManualClock


@pytest.fixture(scope="module")
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    migrate(connection, ManualClock().now(), shipped())
    yield connection
    connection.close()
