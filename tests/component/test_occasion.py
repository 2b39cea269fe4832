from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bridge.component.occasion import Occasion, WhenOption, ZoneName, occasion, read

SP = ZoneInfo("America/Sao_Paulo")
THREE = datetime(2026, 12, 24, 15, tzinfo=SP)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "end", "duration", "begins", "ends"),
    [
        ("2026-12-24T15:00-03:00", None, None, THREE, THREE + HOUR),
        ("2026-12-24T15:00", None, None, THREE, THREE + HOUR),
        ("2026-12-24 15:00:00.000", None, HOUR / 2, THREE, THREE + HOUR / 2),
        ("2026-12-24T18:00Z", "2026-12-24T16:30", None, THREE, THREE + 1.5 * HOUR),
        ("2026-12-24", None, None, date(2026, 12, 24), date(2026, 12, 25)),
        ("2026-12-24", None, timedelta(days=3), date(2026, 12, 24), date(2026, 12, 27)),
        ("2026-12-24", None, HOUR, date(2026, 12, 24), date(2026, 12, 25)),
        ("2026-12-24", "2026-12-26", None, date(2026, 12, 24), date(2026, 12, 27)),
        ("2026-12-24T15:00", "2026-12-24", None, THREE, datetime(2026, 12, 25, tzinfo=SP)),
        ("2026-12-24", "2026-12-24T15:00", None, datetime(2026, 12, 24, tzinfo=SP), THREE),
    ],
)
def test_something_is_when_people_say_it_is(
    start: str, end: str | None, duration: timedelta | None, begins: date, ends: date
) -> None:
    assert occasion(start, end, duration, SP) == Occasion(begins, ends)


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-12-24", "2026-12-23"), ("2026-12-24T15:00", "2026-12-24T15:00"), ("2026-12-24T15:00Z", "2026-12-24T12:00")],
)
def test_nothing_ends_before_it_begins(start: str, end: str) -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        occasion(start, end, None, SP)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)), st.integers(-720, 720))  # noqa: DTZ001
def test_a_moment_that_tells_its_offset_keeps_it(moment: datetime, minutes: int) -> None:
    known = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert read(known.isoformat(), SP) == known


def test_it_is_read_as_people_write_it() -> None:
    assert str(occasion("2026-12-24", None, None, SP)) == "2026-12-24"
    assert str(occasion("2026-12-24", "2026-12-26", None, SP)) == "2026-12-24 to 2026-12-26"
    assert str(occasion("2026-12-24T15:00", None, None, SP)) == "2026-12-24 15:00 to 2026-12-24 16:00"


@pytest.mark.parametrize("text", ["", "amanhã", "24/12/2026", "2026-13-01", "15:00"])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValidationError, match="2026-12-24T15:00-03:00"):
        TypeAdapter(WhenOption).validate_python(text)


def test_a_time_zone_is_known_or_refused() -> None:
    assert TypeAdapter(ZoneName).validate_python("America/Manaus") == "America/Manaus"
    with pytest.raises(ValidationError, match="no time zone"):
        TypeAdapter(ZoneName).validate_python("../../etc/passwd")


def test_utc_is_a_time_zone_too() -> None:
    assert read("2026-12-24T15:00Z", SP) == datetime(2026, 12, 24, 15, tzinfo=UTC)
