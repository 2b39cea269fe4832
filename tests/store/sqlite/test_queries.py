"""What runs again and again is served by an index, however long the history or a queue gets."""

import re
from collections.abc import Iterator

import apsw
import pytest

from bridge.store.sqlite.migration import migrate, shipped
from bridge.store.sqlite.queries import SQL
from tests.support.clock import ManualClock


@pytest.fixture(scope="module")
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    migrate(connection, ManualClock().now(), shipped())
    yield connection
    connection.close()


def steps(connection: apsw.Connection, name: str) -> list[str]:
    numbers = [int(number) for number in re.findall(r"\?(\d+)", SQL[name])]
    values = [None] * (max(numbers) if numbers else SQL[name].count("?"))
    return [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {SQL[name]}", values).fetchall()]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("add_delivery", "delivery_head (target=? AND key=?)"),
        ("claim_due", "delivery_due (target=? AND due_at<?)"),
        ("next_due", "delivery_due (target=?)"),
        ("pass_head", "delivery_unfinished (target=? AND key=?)"),
        ("give_up_head", "delivery_head (target=? AND key=?)"),
        ("leased_deliveries", "delivery_leased (leased_until<?)"),
        ("count_unfinished", "delivery_unfinished"),
        ("count_dead", "delivery_dead"),
        ("received_events", "event_received"),
        ("count_received", "event_received"),
        ("preceding_event", "event_of_entity (entity_kind=? AND entity_id=? AND seq<?)"),
    ],
)
def test_it_is_served_by_its_index(connection: apsw.Connection, name: str, index: str) -> None:
    plan = steps(connection, name)
    assert any(step.endswith(index) for step in plan), plan
    assert not any(step.startswith("SCAN") and "INDEX" not in step for step in plan), plan


def test_claiming_sorts_nothing(connection: apsw.Connection) -> None:
    assert not any("TEMP B-TREE" in step for step in steps(connection, "claim_due"))
