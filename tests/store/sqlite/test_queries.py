"""What runs again and again is served by an index, however long the history or a queue gets."""

import re

import apsw
import pytest

from bridge.store.sqlite.queries import SQL

OURS = frozenset(f"SCAN {name}" for name in ("found", "d", "place", "settled", "decided", "3 CONSTANT ROWS"))
"""Rows that a statement has made itself, one for each lane or target, or was given."""


def steps(connection: apsw.Connection, name: str) -> list[str]:
    sql = SQL[name].replace("{rows}", repeated(SQL[name]))
    numbers = [int(number) for number in re.findall(r"\?(\d+)", sql)]
    values = [None] * (max(numbers) if numbers else sql.count("?"))
    return [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()]


def repeated(sql: str) -> str:
    """Return three rows of question marks, as many as the statement names columns."""
    columns = re.search(r"\(([^()]+)\) (?:AS \(VALUES|VALUES) \{rows\}", sql)
    row = ", ".join("?" * len(columns[1].split(","))) if columns else ""
    return ", ".join([f"({row})"] * 3)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("places_with_head", "delivery_head (target=? AND queue=?)"),
        ("settle_delivery", "sqlite_autoindex_delivery_1 (id=?)"),
        ("decide_event", "sqlite_autoindex_event_1 (id=?)"),
        ("supersede", "delivery_unfinished (target=? AND queue=?)"),
        ("under_way", "delivery_leased (target=?)"),
        ("next_lane", "delivery_due (target=? AND lane>?)"),
        ("due_in_lane", "delivery_due (target=? AND lane=? AND due_at<?)"),
        ("pass_head", "delivery_unfinished (target=? AND queue=?)"),
        ("give_up_head", "delivery_head (target=? AND queue=?)"),
        ("be_patient", "delivery_failing (target=?)"),
        ("targets_with_work", "delivery_unfinished (target>?)"),
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
    assert not any(step.startswith("SCAN") and "INDEX" not in step and step not in OURS for step in plan), plan


def test_claiming_sorts_nothing(connection: apsw.Connection) -> None:
    assert not any("TEMP B-TREE" in step for step in steps(connection, "due_in_lane"))
