"""When a breaker opens and closes, on a clock that is moved by hand."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.component.limits import BreakerOptions
from bridge.delivery.breaker import FailureWindow
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.store.nouns import Claim, TargetChange
from tests.delivery.test_retry import DELIVERY
from tests.support.targets import ScriptedTarget

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CLAIM = Claim(DELIVERY, "token", NOW)
PROBE = Claim(DELIVERY, "token", NOW, probe=True)
BUSY = TransientFailure("500")
OPEN = TargetChange("open", "500", seconds=30, most=900)


class Watched:
    """A window on one target; attempts come a second apart."""

    def __init__(self, **options: Any) -> None:
        self.target = ScriptedTarget(breaker=BreakerOptions(**options))
        self.window = FailureWindow()
        self.now = NOW

    def see(self, *failures: DeliveryFailure | None, claim: Claim = CLAIM) -> list[TargetChange | None]:
        lessons = []
        for failure in failures:
            lessons.append(self.window.lesson(self.target, claim, failure, self.now))
            self.now += timedelta(seconds=1)
        return lessons


def test_it_opens_once_half_of_enough_attempts_have_failed() -> None:
    assert Watched().see(*[None, BUSY] * 5) == [None] * 9 + [OPEN]


def test_few_attempts_say_nothing() -> None:
    assert Watched().see(*[BUSY] * 9) == [None] * 9


def test_a_smaller_share_of_failures_is_no_reason() -> None:
    assert Watched().see(*[None, None, BUSY] * 10) == [None] * 30


def test_what_is_long_ago_is_forgotten() -> None:
    watched = Watched()
    watched.see(*[BUSY] * 9)
    watched.now += timedelta(minutes=1)
    assert watched.see(BUSY) == [None]


def test_what_is_remembered_does_not_grow_with_what_is_sent() -> None:
    window, target = FailureWindow(), ScriptedTarget(breaker=BreakerOptions())
    tracemalloc.start()
    for number in range(20_000):
        window.lesson(target, CLAIM, None, NOW + timedelta(milliseconds=number))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 64 * 1024


def test_what_came_close_together_is_forgotten_together() -> None:
    watched = Watched(least=4, window=timedelta(minutes=1))
    watched.now = NOW
    for number in range(3):
        watched.window.lesson(watched.target, CLAIM, BUSY, NOW + timedelta(milliseconds=number))
    watched.now += timedelta(minutes=1)
    assert watched.see(BUSY, BUSY, BUSY) == [None, None, None]


def test_after_it_opened_counting_begins_anew() -> None:
    watched = Watched(least=2)
    assert watched.see(BUSY, BUSY, BUSY, BUSY) == [None, OPEN, None, OPEN]


@pytest.mark.parametrize("failure", [BUSY, UnknownOutcome("500")])
def test_a_service_that_is_down_or_silent_fails(failure: DeliveryFailure) -> None:
    assert Watched(least=1).see(failure) == [OPEN]


@pytest.mark.parametrize(
    "failure",
    [
        None,
        PermanentFailure("no such channel"),
        TransientFailure("429", throttled=True),
        TransientFailure("503", retry_after=5),
        AccessRefused("401"),
    ],
)
def test_a_service_that_answers_does_not(failure: DeliveryFailure | None) -> None:
    assert Watched(least=1).see(failure) == [None]


@pytest.mark.parametrize("failure", [None, PermanentFailure("no such channel")])
def test_a_probe_that_is_answered_closes_it(failure: DeliveryFailure | None) -> None:
    assert Watched().see(failure, claim=PROBE) == [TargetChange("close")]


def test_a_probe_that_fails_opens_it_again_at_once() -> None:
    assert Watched().see(BUSY, claim=PROBE) == [OPEN]


def test_without_a_breaker_nothing_opens() -> None:
    watched = Watched()
    watched.target = ScriptedTarget(breaker=None)
    assert watched.see(*[BUSY] * 50) == [None] * 50


def test_the_share_that_opens_it_can_be_set() -> None:
    assert Watched(failures=0.9).see(*[None, BUSY] * 20) == [None] * 40
    assert Watched(failures=0.2, least=5).see(None, None, None, None, BUSY) == [None] * 4 + [OPEN]
    assert Watched(failures=1).see(*[BUSY] * 10) == [None] * 9 + [OPEN]


def test_how_far_back_it_looks_can_be_set() -> None:
    assert Watched(window="4s", least=5).see(*[BUSY] * 30) == [None] * 30, "a second apart, five never lie in it"
    assert Watched(window="5s", least=5).see(*[BUSY] * 5) == [None] * 4 + [OPEN]
    patient = Watched(window="10m")
    patient.see(*[BUSY] * 9)
    patient.now += timedelta(minutes=9)
    assert patient.see(BUSY) == [OPEN]


@pytest.mark.parametrize("claim", [CLAIM, PROBE])
def test_how_long_it_rests_can_be_set(claim: Claim) -> None:
    lessons = Watched(least=1, rest="5s", longest_rest="2m").see(BUSY, claim=claim)
    assert lessons == [TargetChange("open", "500", seconds=5, most=120)]
