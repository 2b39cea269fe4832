from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.control.amount import Amount, amount_from
from bridge.control.filters import MOST
from bridge.errors import RequestRefusedError
from bridge.model import Json, Rate
from tests.support.clock import ManualClock

RATES = st.none() | st.builds(Rate, st.integers(1, 999_999), st.floats(0.001, 3660 * 86_400))


@given(st.none() | st.integers(1, MOST), RATES)
def test_an_amount_survives_being_written(limit: int | None, rate: Rate | None) -> None:
    written = Amount(limit, rate).written()
    assert amount_from(written["limit"], written["rate"]) == Amount(limit, rate)


def test_without_a_rate_all_are_due_at_once() -> None:
    assert Amount(limit=5).spread(ManualClock().now(), 3) is None


def test_with_a_rate_each_goes_on_where_those_before_it_ended() -> None:
    begin = ManualClock().now()
    spread = amount_from(None, "10/m").spread(begin, 3)
    assert spread
    assert [spread.due(turn) - begin for turn in (0, 1)] == [timedelta(seconds=18), timedelta(seconds=24)]


@pytest.mark.parametrize(
    ("limit", "rate", "message"),
    [
        (0, None, "limit is a number from 1 to 10000"),
        (MOST + 1, None, "limit is a number from 1 to 10000"),
        (True, None, "limit is a number from 1 to 10000"),
        (None, "0/m", 'write a rate such as "1/s", "50/m" or "100/10s", not \'0/m\''),
        (None, "quick", "write a rate"),
        (None, 10, "write a rate"),
    ],
)
def test_an_amount_that_means_nothing_is_refused(limit: Json, rate: Json, message: str) -> None:
    with pytest.raises(RequestRefusedError) as refusal:
        amount_from(limit, rate)
    assert refusal.value.code == "bad-filter"
    assert message in str(refusal.value)
