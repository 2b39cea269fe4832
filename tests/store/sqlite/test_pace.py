"""How many of a bucket may go, for any rate: simulated on a database in memory, in microseconds."""

from collections.abc import Sequence

import apsw
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.model import Rate
from bridge.store.sqlite.pace import Pace, interval

START = 1_700_000_000_000_000
SECOND = 1_000_000

spans = st.one_of(st.integers(1, 50), st.integers(1, 5_000_000)).map(lambda thousandths: thousandths / 1000)
rates = st.builds(Rate, st.one_of(st.integers(1, 12), st.integers(1, 60)), spans, st.integers(0, 70))
pauses = st.lists(st.one_of(st.none(), st.floats(0, 1.5)), min_size=1, max_size=40)
"""Between two claims: a part of the rate's time, or just until the next place opens."""


@pytest.fixture(autouse=True)
def _emptied(connection: apsw.Connection) -> None:
    empty(connection)


def empty(connection: apsw.Connection) -> None:
    connection.execute("DELETE FROM pace")


def taken(connection: apsw.Connection, rate: Rate, now: int, bucket: str = "") -> int:
    """Take whatever a claim may take now, which no claim before may have taken; return how much that is."""
    pace, count = Pace(connection, "sales", rate, now), 0
    while count <= rate.count and pace.take(bucket):
        count += 1
    pace.save()
    return count


def opening(connection: apsw.Connection, rate: Rate, now: int, bucket: str = "") -> int:
    return Pace(connection, "sales", rate, now).opens_at(bucket)


def departures(connection: apsw.Connection, rate: Rate, waits: Sequence[float | None]) -> list[int]:
    """Take all that may go, wait, and so on; return when each one went."""
    now, times = START, []
    for wait in waits:
        times += [now] * taken(connection, rate, now)
        now = opening(connection, rate, now) if wait is None else now + round(wait * rate.seconds * SECOND)
    return times


@settings(deadline=None)
@given(rate=rates, waits=pauses)
@example(rate=Rate(3, 10.0), waits=[None] * 12)  # three intervals of 3.333333 s would end just within the 10 s
@example(rate=Rate(60, 1.0, burst=60), waits=[None] * 9)
def test_no_stretch_of_time_ever_holds_more_than_the_rate_allows(
    connection: apsw.Connection, rate: Rate, waits: list[float | None]
) -> None:
    empty(connection)
    times = departures(connection, rate, waits)
    closest = min((later - sooner for sooner, later in zip(times, times[rate.count :], strict=False)), default=None)
    assert closest is None or closest >= round(rate.seconds * SECOND)


@given(rate=st.builds(Rate, st.integers(1, 999_999), spans, st.integers(0, 999_999)))
@example(rate=Rate(999_999, 604_800.0, burst=1))
def test_the_gaps_behind_a_burst_fill_the_stretch_however_many_they_are(rate: Rate) -> None:
    stretch, gaps = round(rate.seconds * SECOND), rate.count - rate.at_once + 1
    assert stretch <= interval(rate) * gaps < stretch + gaps


@given(rate=rates)
def test_what_may_go_at_once_goes_at_once_and_the_next_when_its_place_opens(
    connection: apsw.Connection, rate: Rate
) -> None:
    empty(connection)
    assert taken(connection, rate, START) == rate.at_once
    opens = opening(connection, rate, START)
    assert START < opens <= START + rate.seconds * SECOND + 1
    assert taken(connection, rate, opens - 1) == 0
    assert taken(connection, rate, opens) == 1


@given(rate=rates)
def test_who_was_idle_for_long_has_all_its_places_again_and_no_more(connection: apsw.Connection, rate: Rate) -> None:
    empty(connection)
    taken(connection, rate, START)
    assert taken(connection, rate, START + 1000 * round(rate.seconds * SECOND)) == rate.at_once


def test_a_bucket_takes_nothing_from_another(connection: apsw.Connection) -> None:
    rate = Rate(1, 60.0)
    assert [taken(connection, rate, START, bucket) for bucket in ("C1", "C1", "C2")] == [1, 0, 1]
    assert opening(connection, rate, START, "C3") == START


def test_without_a_rate_everything_may_go(connection: apsw.Connection) -> None:
    pace = Pace(connection, "sales", None, START)
    assert all(pace.take("") for _ in range(1000))
    assert pace.opens_at("") == START


@given(rate=rates, hours=st.integers(1, 48))
@example(rate=Rate(1, 1.0), hours=1)
def test_a_clock_that_is_set_back_holds_nobody_up_for_longer_than_a_full_bucket(
    connection: apsw.Connection, rate: Rate, hours: int
) -> None:
    empty(connection)
    assert taken(connection, rate, START)
    back = START - hours * 3600 * SECOND
    opens = opening(connection, rate, back)
    assert back < opens <= back + rate.seconds * SECOND + 1
    assert not taken(connection, rate, back), "nor does it let more go at once"
    assert taken(connection, rate, opens) == 1
