"""Migrations: in order, once, all or nothing."""

from collections.abc import Iterator

import apsw
import pytest

from bridge.store.sqlite.migration import Migration, migrate, shipped
from tests.support.clock import ManualClock

FIRST = Migration(1, "0001_first", "CREATE TABLE a (x); INSERT INTO a VALUES (1);")
SECOND = Migration(2, "0002_second", "INSERT INTO a VALUES (2);")
BROKEN = Migration(3, "0003_broken", "INSERT INTO a VALUES (3); INSERT INTO nowhere VALUES (1);")


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    yield connection
    connection.close()


def test_the_shipped_ones_are_numbered_without_gaps() -> None:
    assert [step.number for step in shipped()] == list(range(1, len(shipped()) + 1))


def test_each_is_applied_once_and_in_order(connection: apsw.Connection, clock: ManualClock) -> None:
    migrate(connection, clock.now(), [FIRST])
    migrate(connection, clock.now(), [FIRST, SECOND])
    migrate(connection, clock.now(), [FIRST, SECOND])
    assert connection.execute("SELECT x FROM a").fetchall() == [(1,), (2,)]
    assert connection.execute("SELECT name FROM migration").fetchall() == [("0001_first",), ("0002_second",)]


def test_one_that_fails_leaves_the_file_as_it_was(connection: apsw.Connection, clock: ManualClock) -> None:
    migrate(connection, clock.now(), [FIRST])
    with pytest.raises(apsw.SQLError):
        migrate(connection, clock.now(), [FIRST, SECOND, BROKEN])
    assert connection.execute("SELECT x FROM a").fetchall() == [(1,)]
    migrate(connection, clock.now(), [FIRST, SECOND])
    assert connection.execute("SELECT x FROM a").fetchall() == [(1,), (2,)]
