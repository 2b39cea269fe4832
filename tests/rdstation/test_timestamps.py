from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Json
from bridge.rdstation.timestamps import EPOCH, as_document_time, as_event_time, end_of_second, instant, microseconds
from tests.routing.building import json_values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-09-18T15:04:34.515-03:00", datetime(2023, 9, 18, 18, 4, 34, 515000, UTC)),
        ("2023-09-18T18:04:34.000Z", datetime(2023, 9, 18, 18, 4, 34, tzinfo=UTC)),
        ("2023-09-18T18:04:34", datetime(2023, 9, 18, 18, 4, 34, tzinfo=UTC)),
        ("2023-09-18", datetime(2023, 9, 18, tzinfo=UTC)),
        ("0000-05-17", None),
        ("0001-01-01T00:00:00+03:00", None),
        ("1970-01-01T00:00:00Z", EPOCH),
        ("2200-12-31T23:59:59Z", datetime(2200, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("1969-12-31T23:59:59Z", None),
        ("2200-12-31T23:59:59-03:00", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("soon", None),
        ("", None),
        (None, None),
        (1695060274, None),
    ],
)
def test_a_time_is_read_as_an_instant(text: Json, expected: datetime | None) -> None:
    assert instant(text) == expected


@given(json_values() | st.text())
def test_whatever_is_no_time_is_none(value: Json) -> None:
    found = instant(value)
    assert found is None or found.tzinfo is UTC


MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds the zone)


@given(MOMENTS)
def test_microseconds_lose_nothing(moment: datetime) -> None:
    assert EPOCH + timedelta(microseconds=microseconds(moment)) == moment


@given(MOMENTS)
def test_the_end_of_a_second_is_no_earlier_than_any_of_its_moments(moment: datetime) -> None:
    cut = moment.replace(microsecond=0)
    assert microseconds(moment) <= end_of_second(cut) == end_of_second(moment)
    assert end_of_second(cut) < microseconds(cut + timedelta(seconds=1))


def test_times_are_written_as_the_crm_writes_them() -> None:
    moment = datetime(2026, 11, 24, 12, 0, 5, 678999, UTC)
    assert as_document_time(moment) == "2026-11-24T09:00:05.678-03:00"
    assert as_event_time(moment) == "2026-11-24T12:00:05.000Z"
    assert as_event_time(moment.astimezone(timezone(timedelta(hours=5)))) == "2026-11-24T12:00:05.000Z"
