"""The rule table of retries, and its waits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.retry import RetryPolicy, outcome_of, settle
from bridge.errors import DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import Delivery, DeliveryState, Outcome

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
    created_at=NOW,
)


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (TransientFailure("busy"), Outcome.TRANSIENT),
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
    assert settlement.state is DeliveryState.PENDING
    assert settlement.due_at is not None
    assert NOW <= settlement.due_at <= NOW + timedelta(seconds=5)


def test_retry_after_is_obeyed_in_full() -> None:
    settlement = settle(TransientFailure("slow down", retry_after=600), DELIVERY, RetryPolicy(), NOW)
    assert settlement.due_at is not None
    assert settlement.due_at >= NOW + timedelta(seconds=600)


def test_attempts_run_out() -> None:
    last = replace(DELIVERY, attempts=2)
    settlement = settle(TransientFailure("busy"), last, RetryPolicy(attempts=3), NOW)
    assert (settlement.state, settlement.reason) == (DeliveryState.DEAD, "gave up after 3 attempts: busy")


def test_a_wait_beyond_the_horizon_gives_up_and_says_so() -> None:
    late = NOW + timedelta(hours=24, seconds=1)
    settlement = settle(UnknownOutcome("timed out"), DELIVERY, RetryPolicy(), late)
    assert (settlement.state, settlement.reason) == (DeliveryState.DEAD, "gave up after 24 hours: timed out")


@given(attempt=st.integers(1, 200))
def test_waits_are_jittered_below_a_doubling_bound_and_never_above_the_ceiling(attempt: int) -> None:
    policy = RetryPolicy()
    bound = min(policy.ceiling, policy.first * 2 ** min(attempt - 1, 20))
    assert timedelta(0) <= policy.wait(attempt) <= bound


def test_waits_differ_so_that_many_failures_do_not_return_as_one() -> None:
    assert len({RetryPolicy().wait(9) for _ in range(20)}) > 1


def test_the_schedule_reaches_a_day_before_attempts_run_out() -> None:
    policy = RetryPolicy()
    expected = sum(
        (min(policy.ceiling, policy.first * 2 ** min(n, 20)) / 2 for n in range(policy.attempts)), timedelta()
    )
    assert expected >= policy.horizon
