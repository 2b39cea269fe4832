"""The rule table of retries, and its waits."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.component.limits import RetryOptions
from bridge.delivery.retry import RetryPolicy, exhausted, outcome_of, settle
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import Delivery, DeliveryState, Outcome, Terms
from bridge.store.nouns import TargetChange
from tests.support.targets import ScriptedTarget

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DELIVERY = Delivery(
    id="dlv_1",
    event_id="evt_1",
    route="deal-lost",
    entry=0,
    target="sales",
    key="deal:1",
    state=DeliveryState.DELIVERING,
    content={"text": "hi"},
    due_at=NOW,
    created_at=NOW - timedelta(days=3),
)


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (TransientFailure("busy"), Outcome.TRANSIENT),
        (AccessRefused("invalid_auth"), Outcome.TRANSIENT),
        (UnknownOutcome("reset"), Outcome.UNKNOWN),
        (PermanentFailure("no"), Outcome.PERMANENT),
    ],
)
def test_each_failure_has_its_outcome(failure: DeliveryFailure, outcome: Outcome) -> None:
    assert outcome_of(failure) is outcome


def test_a_permanent_failure_is_a_dead_letter_at_once_with_the_targets_words() -> None:
    settlement = settle(PermanentFailure("channel_not_found"), DELIVERY, RetryPolicy(), NOW)
    assert (settlement.state, settlement.reason) == (DeliveryState.DEAD, "channel_not_found")


@pytest.mark.parametrize("failure", [TransientFailure("busy"), UnknownOutcome("reset")])
def test_what_may_succeed_later_waits_its_turn(failure: DeliveryFailure) -> None:
    settlement = settle(failure, DELIVERY, RetryPolicy(), NOW)
    assert (settlement.state, settlement.failure, settlement.target) == (DeliveryState.PENDING, True, None)
    assert settlement.due_at is not None
    assert NOW <= settlement.due_at <= NOW + timedelta(seconds=5)
    assert settlement.give_up_at == NOW + timedelta(hours=24), "the day begins with the first failure, not before"


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        (TransientFailure("slow down", retry_after=600), 600),
        (TransientFailure("come back tomorrow", retry_after=86_400), 86_400),
        (TransientFailure("429", throttled=True), 5),
        (TransientFailure("now", retry_after=0), 1),
    ],
)
def test_a_service_that_asks_for_time_gets_it_from_the_whole_target_and_no_attempt_is_spent(
    failure: TransientFailure, seconds: float
) -> None:
    settlement = settle(failure, replace(DELIVERY, failures=99), RetryPolicy(), NOW)
    assert settlement.state is DeliveryState.PENDING
    assert (settlement.failure, settlement.due_at) == (False, NOW + timedelta(seconds=seconds))
    assert settlement.target == TargetChange("wait", failure.reason, seconds=seconds)


@pytest.mark.parametrize(("held_off", "seconds"), [(0, 1), (1, 2), (5, 32), (6, 60), (2000, 60)])
def test_a_service_that_says_now_for_ever_is_asked_ever_less_often(held_off: int, seconds: float) -> None:
    settlement = settle(
        TransientFailure("now", retry_after=0), replace(DELIVERY, attempts=held_off + 2, failures=2), RetryPolicy(), NOW
    )
    assert (settlement.failure, settlement.due_at) == (False, NOW + timedelta(seconds=seconds))


def test_a_service_that_refuses_the_target_pauses_it_and_spends_nothing() -> None:
    settlement = settle(AccessRefused("invalid_auth"), replace(DELIVERY, failures=99), RetryPolicy(), NOW)
    assert (settlement.state, settlement.failure, settlement.due_at) == (DeliveryState.PENDING, False, NOW)
    assert settlement.target == TargetChange("pause", "invalid_auth")


def test_an_entry_may_rather_wait_for_a_person_than_send_twice() -> None:
    careful = replace(DELIVERY, terms=Terms(on_unknown="park"))
    parked = settle(UnknownOutcome("timed out"), careful, RetryPolicy(), NOW)
    assert (parked.state, parked.reason) == (DeliveryState.PARKED, "it may have arrived: timed out")
    assert settle(TransientFailure("refused"), careful, RetryPolicy(), NOW).state is DeliveryState.PENDING


def test_but_not_where_the_target_can_look_up_what_became_of_it() -> None:
    careful = replace(DELIVERY, terms=Terms(on_unknown="park"))
    settlement = settle(UnknownOutcome("timed out"), careful, RetryPolicy(), NOW, never_doubles=True)
    assert (settlement.state, settlement.failure) == (DeliveryState.PENDING, True)


def test_attempts_run_out() -> None:
    last = replace(DELIVERY, failures=2)
    settlement = settle(TransientFailure("busy"), last, RetryPolicy(attempts=3), NOW)
    assert (settlement.state, settlement.reason) == (DeliveryState.DEAD, "gave up after 3 attempts: busy")


def test_a_wait_beyond_the_horizon_gives_up_and_says_so() -> None:
    late = replace(DELIVERY, failures=5, give_up_at=NOW)
    settlement = settle(UnknownOutcome("timed out"), late, RetryPolicy(first=60), NOW + timedelta(seconds=1))
    assert (settlement.state, settlement.reason) == (DeliveryState.DEAD, "gave up after 24 hours: timed out")


def test_a_delivery_that_never_comes_to_an_end_is_given_up_before_another_attempt() -> None:
    assert exhausted(replace(DELIVERY, failures=99), RetryPolicy()) is None
    end = exhausted(replace(DELIVERY, failures=100, reason="no outcome was recorded"), RetryPolicy())
    assert end
    assert (end.state, end.reason) == (DeliveryState.DEAD, "gave up after 100 attempts: no outcome was recorded")


@given(failures=st.integers(1, 200))
def test_waits_are_jittered_below_a_doubling_bound_and_never_above_the_ceiling(failures: int) -> None:
    policy = RetryPolicy()
    bound = min(policy.max, policy.first * 2 ** min(failures - 1, 20))
    assert 0 <= policy.wait(failures).total_seconds() <= bound


def test_waits_differ_so_that_many_failures_do_not_return_as_one() -> None:
    assert len({RetryPolicy().wait(9) for _ in range(20)}) > 1


def test_no_wait_is_shorter_than_the_stretch_that_the_targets_rate_is_counted_in() -> None:
    policy = RetryPolicy.of(ScriptedTarget(rate="100/10s"), {})
    assert min(policy.wait(1).total_seconds() for _ in range(50)) == 10


@pytest.mark.parametrize(
    ("options", "entry", "expected"),
    [
        ({}, {}, (100, 5, 3600, 86_400)),
        ({"attempts": 3}, {}, (3, 5, 3600, 86_400)),
        ({"attempts": 3, "first": "1m"}, {"attempts": 7}, (7, 60, 3600, 86_400)),
        ({"first": "2h"}, {}, (100, 7200, 7200, 86_400)),
        ({}, {"first": 7200.0}, (100, 7200, 7200, 86_400)),
        ({"first": "2h"}, {"first": 60.0}, (100, 60, 3600, 86_400)),
        ({"max": "3h"}, {"first": 7200.0}, (100, 7200, 10_800, 86_400)),
        ({"first": "2h"}, {"max": 14_400.0}, (100, 7200, 14_400, 86_400)),
        ({}, {"max": 20.0, "horizon": 90.0}, (100, 5, 20, 90)),
    ],
)
def test_an_entry_says_more_than_its_target_and_both_more_than_the_defaults(
    options: dict[str, Any], entry: dict[str, float], expected: tuple[float, ...]
) -> None:
    policy = RetryPolicy.of(ScriptedTarget(retry=RetryOptions(**options)), entry)
    assert (policy.attempts, policy.first, policy.max, policy.horizon) == expected


def test_the_schedule_ends_with_the_day_and_never_for_want_of_attempts() -> None:
    for seed in range(200):
        random.seed(seed)
        assert _end_of_a_schedule().reason == "gave up after 24 hours: busy"


def _end_of_a_schedule() -> Any:
    delivery, now = DELIVERY, NOW
    while True:
        settlement = settle(TransientFailure("busy"), delivery, RetryPolicy(), now)
        if settlement.state is DeliveryState.DEAD:
            return settlement
        assert settlement.due_at
        now = settlement.due_at
        delivery = replace(delivery, failures=delivery.failures + 1, give_up_at=settlement.give_up_at)


def test_without_jitter_each_wait_is_its_bound() -> None:
    policy = RetryPolicy(first=5, max=30, jitter=False)
    assert [policy.wait(failures).total_seconds() for failures in (1, 2, 3, 4, 5)] == [5, 10, 20, 30, 30]
