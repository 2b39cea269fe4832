from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cli.times import lasting, moment_of, shown

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_sao_paulo(zone: None) -> None:
    """Every time here is read on a machine in São Paulo."""


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
        ("1w", timedelta(weeks=1)),
    ],
)
def test_a_span_means_so_long_ago(text: str, ago: timedelta) -> None:
    assert moment_of(text, NOW) == NOW - ago


def test_a_day_begins_and_ends_at_midnight_of_this_machine() -> None:
    assert moment_of("2026-11-24", NOW) == datetime(2026, 11, 24, 3, tzinfo=UTC)
    assert moment_of("2026-11-24", NOW, latest=True) == datetime(2026, 11, 25, 3, tzinfo=UTC)


def test_a_moment_is_local_unless_it_names_its_offset() -> None:
    assert moment_of("2026-11-24T09:00", NOW) == NOW
    assert moment_of("2026-11-24T12:00Z", NOW, latest=True) == NOW


@pytest.mark.parametrize("text", ["", "yesterday", "2", "h", "-2h", "2026-13-01", "2 h"])
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (datetime words it)
        moment_of(text, NOW)


def test_moments_are_shown_in_local_time() -> None:
    assert shown("2026-11-24T12:00:00.123456+00:00") == "2026-11-24 09:00:00"
    assert shown(None) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.1204, "120ms"), (1.5, "1s"), (60, "1m"), (245, "4m 5s"), (3600, "1h"), (183_600, "2d 3h"), (86_460, "1d")],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_every_duration_has_words(seconds: float) -> None:
    assert lasting(seconds)
