from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.component.http import LONGEST_WAIT, Answer, Request, json_body, refusal, retry_after
from bridge.errors import AccessRefused, PermanentFailure, TransientFailure

BEYOND = [
    "Fri, 01 Jan 99999 00:00:00 GMT",
    "Fri, 01 Jan 99999999999999 00:00:00 GMT",
    "Fri, 01 Jan 2027 99999999999999999999:00:00 GMT",
    "Fri, 01 Jan 2027 00:00:00 +99999999999999999999",
]
"""Dates that no calendar has."""
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [*range(100, 200), *range(300, 401), 402, *range(404, 408), 409, 426, 499])
def test_what_a_service_will_never_accept_is_permanent(status: int) -> None:
    assert isinstance(refusal(Answer(status, {}, b""), NOW), PermanentFailure)


@pytest.mark.parametrize("status", [401, 403, 410])
def test_what_no_other_message_would_fare_better_with_refuses_the_target(status: int) -> None:
    assert isinstance(refusal(Answer(status, {}, b""), NOW), AccessRefused)


@pytest.mark.parametrize(
    ("status", "headers", "throttled"),
    [(429, {}, True), (429, {"retry-after": "5"}, True), (503, {"retry-after": "5"}, True), (503, {}, False)],
)
def test_who_asks_for_time_is_told_from_who_is_in_trouble(
    status: int, headers: dict[str, str], *, throttled: bool
) -> None:
    failure = refusal(Answer(status, headers, b""), NOW)
    assert isinstance(failure, TransientFailure)
    assert failure.throttled is throttled


@pytest.mark.parametrize("status", [408, 425, 429, *range(500, 600), 700, 999])
def test_what_a_service_may_accept_later_is_transient(status: int) -> None:
    assert isinstance(refusal(Answer(status, {}, b""), NOW), TransientFailure)


@pytest.mark.parametrize("status", [401, 403, 410])
def test_what_no_message_would_fare_better_with_refuses_the_target(status: int) -> None:
    failure = refusal(Answer(status, {"retry-after": "5"}, b"no"), NOW)
    assert isinstance(failure, AccessRefused)
    assert (failure.status, failure.excerpt) == (status, "no")


@pytest.mark.parametrize(("status", "wait", "throttled"), [(429, "", True), (503, "", False), (503, "7", True)])
def test_too_fast_is_429_or_whatever_asks_for_time(status: int, wait: str, throttled: bool) -> None:  # noqa: FBT001
    failure = refusal(Answer(status, {"retry-after": wait}, b""), NOW)
    assert isinstance(failure, TransientFailure)
    assert failure.throttled is throttled


@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_success_is_no_refusal(status: int) -> None:
    assert refusal(Answer(status, {}, b""), NOW) is None


def test_a_refusal_has_the_status_in_words_and_the_beginning_of_the_answer() -> None:
    failure = refusal(Answer(422, {}, b"no such field"), NOW)
    assert failure is not None
    assert str(failure) == "answered 422 Unprocessable Content" or str(failure) == "answered 422 Unprocessable Entity"
    assert (failure.status, failure.excerpt) == (422, "no such field")


def test_an_unknown_status_has_no_words() -> None:
    assert str(refusal(Answer(599, {}, b""), NOW)) == "answered 599"


@given(st.text())
def test_any_retry_after_gives_a_wait_within_a_day_or_none(value: str) -> None:
    wait = retry_after({"retry-after": value}, NOW)
    assert wait is None or 0 <= wait <= LONGEST_WAIT


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2999, 1, 1)))  # noqa: DTZ001 (UTC follows)
def test_a_date_is_a_wait_until_then(naive: datetime) -> None:
    date = naive.replace(tzinfo=UTC, microsecond=0)
    wait = retry_after({"retry-after": format_datetime(date, usegmt=True)}, NOW)
    assert wait == min(max((date - NOW).total_seconds(), 0), LONGEST_WAIT)


def test_a_date_without_a_zone_is_in_utc() -> None:
    later = NOW + timedelta(seconds=30)
    assert retry_after({"retry-after": f"{later:%a, %d %b %Y %H:%M:%S} -0000"}, NOW) == 30


@pytest.mark.parametrize(
    "value", ["٣", "1e5", "0x10", "nan", "inf", "1.2.3", "--1", "Tue, 99 Nov 2026 12:00:00 GMT", *BEYOND]
)
def test_what_is_neither_a_number_nor_a_date_is_no_wait(value: str) -> None:
    assert retry_after({"retry-after": value}, NOW) is None


def test_without_the_header_there_is_no_wait() -> None:
    assert retry_after({}, NOW) is None


def test_an_excerpt_is_always_text_and_whole_so_that_secrets_can_be_found_in_it() -> None:
    assert Answer(200, {}, b"\xff" + b"x" * 5000).excerpt == "\ufffd" + "x" * 5000


def test_requests_and_answers_print_nothing_of_what_they_hold() -> None:
    assert repr(Request("POST", "https://x/hush", {"A": "hush"}, b"hush")) == "<Request POST>"
    assert repr(Answer(200, {"set-cookie": "hush"}, b"hush")) == "<Answer 200>"


def test_json_keeps_letters_as_they_are() -> None:
    assert json_body({"nome": "São", "total": 11050.5, "n": None}) == '{"nome":"São","total":11050.5,"n":null}'.encode()


def test_what_json_cannot_hold_is_a_permanent_failure() -> None:
    with pytest.raises(PermanentFailure, match="JSON"):
        json_body({"n": 2**70})
