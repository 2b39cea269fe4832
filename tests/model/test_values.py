"""Ids tell when they were made."""

from datetime import UTC, datetime, timedelta

from bridge.model import made_at, new_id


def test_an_id_tells_when_it_was_made_and_what_it_is_of() -> None:
    before = datetime.now(UTC)
    id_ = new_id("evt")
    assert id_.startswith("evt_")
    assert before - timedelta(seconds=1) < made_at(id_) <= datetime.now(UTC)
