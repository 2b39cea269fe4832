"""What every target takes beside its own options."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from bridge.component import TargetOptions
from bridge.component.limits import BreakerOptions, RetryOptions
from bridge.delivery.retry import RetryPolicy
from bridge.model import Json, JsonObject, Limits, Rate
from tests.support.targets import ScriptedTarget


def options(**values: Json) -> TargetOptions:
    return TargetOptions.model_validate(values)


def test_nothing_needs_to_be_said() -> None:
    usual = options()
    assert (usual.concurrency, usual.timeout, usual.rate) == (4, 15, None)
    assert usual.retry.parts == {}, "so that an entry's schedule, or ours, decides"
    assert usual.breaker == BreakerOptions()


def test_a_schedule_is_told_in_seconds_and_only_as_far_as_it_was_written() -> None:
    written = RetryOptions.model_validate({"attempts": 5, "first": "30s", "max": "10m", "horizon": "3d"})
    assert written.parts == {"attempts": 5, "first": 30, "max": 600, "horizon": 259_200}
    assert RetryOptions.model_validate({"horizon": "1w"}).parts == {"horizon": 604_800}


@pytest.mark.parametrize(
    ("retry", "words"),
    [
        ({"attempts": 0}, "greater than or equal to 1"),
        ({"attempts": 10_001}, "less than or equal to 10000"),
        ({"first": "2m", "max": "1m"}, '"first" must not be longer than "max"'),
        ({"horizon": 3600}, "write a duration"),
        ({"tries": 3}, "Extra inputs"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(retry: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        options(retry=retry)


def test_a_schedule_may_be_as_even_as_one_likes() -> None:
    assert RetryOptions.model_validate({"first": "1m", "max": "1m"}).parts == {"first": 60, "max": 60}


@pytest.mark.parametrize(
    "breaker",
    [
        {"failures": 0},
        {"failures": 1.1},
        {"least": 0},
        {"least": 1001},
        {"window": "0s"},
        {"rest": 30},
        {"rest": "1h", "longest_rest": "15m"},
        {"trips": 3},
    ],
)
def test_a_breaker_that_makes_no_sense_is_refused(breaker: JsonObject) -> None:
    with pytest.raises(ValidationError):
        options(breaker=breaker)


def test_a_breaker_can_be_taken_out() -> None:
    assert options(breaker=None).breaker is None


def test_a_breaker_takes_what_is_written_and_keeps_the_rest() -> None:
    breaker = options(breaker={"least": 3, "rest": "5s"}).breaker
    assert breaker == BreakerOptions(least=3, rest=timedelta(seconds=5))
    assert (breaker.window, breaker.longest_rest) == (timedelta(minutes=1), timedelta(minutes=15))


class Known(ScriptedTarget):
    """A service whose limit is known."""

    rate = Rate(100, 10.0)


def test_a_target_is_limited_as_its_service_is_known_to_be_unless_its_options_say_otherwise() -> None:
    assert Known("sales").limits == Limits(4, Rate(100, 10.0))
    assert Known("sales", rate="1/m", concurrency=1).limits == Limits(1, Rate(1, 60.0))
    assert ScriptedTarget("sales").limits == Limits(4, None)


def test_of_a_schedule_the_entry_decides_then_the_target_then_bridge() -> None:
    target = Known("sales", retry={"first": "30s", "max": "10m"})
    assert RetryPolicy.of(target, {"max": 60.0}) == RetryPolicy(first=30, max=60, least=10)
