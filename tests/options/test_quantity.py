"""Quantities as people write and read them."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from bridge.model import Rate
from bridge.options.quantity import LONGEST, Duration, RateOption, duration, rate, size_written, written


class Options(BaseModel):
    """Something that takes both."""

    wait: Duration | None = None
    pace: RateOption | None = None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1ms", 0.001),
        ("500ms", 0.5),
        ("30s", 30),
        ("1.5h", 5400),
        ("15 m", 900),
        (" 2h ", 7200),
        ("1d", 86_400),
        ("1w", 604_800),
        ("3660d", LONGEST),
    ],
)
def test_a_time_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value",
    [
        *("", "30", "s", "-1s", "+1s", "1,5h", "1e3s", "nan s", "1h30m", "1 min", "1M", "1S", "PT1M", "1:30"),
        *("٣s", "1\ns", 30, 1.5, True, None, [], {}),
    ],
)
def test_anything_else_is_refused_with_examples(value: object) -> None:
    with pytest.raises(ValueError, match='write a duration such as "30s", "15m", "2h" or "1d"'):
        duration(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/s", Rate(1, 1.0)),
        ("100/10s", Rate(100, 10.0)),
        ("50/m", Rate(50, 60.0)),
        (" 4 / 2 h ", Rate(4, 7200.0)),
        ("10/0.5s", Rate(10, 0.5)),
        ("1000/100ms", Rate(1000, 0.1)),
        ("999999/w", Rate(999_999, 604_800.0)),
    ],
)
def test_a_rate_is_a_count_in_a_time(text: str, expected: Rate) -> None:
    assert rate(text) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        "/s",
        "0/s",
        "1.5/s",
        "-1/s",
        "1/-1s",
        "1000000/s",
        "1/s/s",
        "1 per s",
        "٣/s",
        1,
        None,
    ],
)
def test_what_is_no_rate_is_refused_with_examples(value: object) -> None:
    with pytest.raises(ValueError, match='write a rate such as "1/s", "50/m" or "100/10s"'):
        rate(value)


@pytest.mark.parametrize("time", ["0s", "0.0001ms", "3661d", "9" * 400 + "d"])
def test_what_is_no_time_or_too_long_is_refused_with_the_bounds(time: str) -> None:
    for read, text in ((duration, time), (rate, f"1/{time}")):
        with pytest.raises(ValueError, match="must be a time from 1ms to 3660d"):
            read(text)


def test_what_was_read_before_is_taken_as_it_is() -> None:
    assert duration(timedelta(minutes=5)) == timedelta(minutes=5)
    assert rate(Rate(1, 2.0)) == Rate(1, 2.0)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (timedelta(seconds=90), "90s"),
        (timedelta(minutes=90), "90m"),
        (timedelta(hours=36), "36h"),
        (timedelta(days=14), "14d"),
        (timedelta(milliseconds=1500), "1500ms"),
        (timedelta(seconds=1_234_567), "1234567s"),
    ],
)
def test_a_time_is_written_in_the_largest_unit_that_divides_it(time: timedelta, text: str) -> None:
    assert written(time) == text


@given(st.integers(1, int(LONGEST) * 1000).map(lambda thousandths: timedelta(milliseconds=thousandths)))
def test_what_was_written_is_read_again(time: timedelta) -> None:
    assert duration(written(time)) == time


@pytest.mark.parametrize(("field", "text"), [("wait", "15m"), ("wait", "1.5 h"), ("pace", "1/s"), ("pace", "5/ 2.5m")])
def test_editors_take_what_is_taken(field: str, text: str) -> None:
    pattern = Options.model_json_schema()["properties"][field]["anyOf"][0]["pattern"]
    assert re.search(pattern, text)
    assert Options.model_validate({field: text}).model_dump()[field] is not None


@pytest.mark.parametrize(("field", "text"), [("wait", "soon"), ("wait", "1h30m"), ("pace", "1"), ("pace", "x/s")])
def test_editors_refuse_what_is_refused(field: str, text: str) -> None:
    pattern = Options.model_json_schema()["properties"][field]["anyOf"][0]["pattern"]
    assert not re.search(pattern, text)
    with pytest.raises(ValidationError):
        Options.model_validate({field: text})


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (2**30, "1.0 GiB"), (2**52, "4096.0 TiB")],
)
def test_a_size_is_written_as_people_do(size: int, text: str) -> None:
    assert size_written(size) == text
