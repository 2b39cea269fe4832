"""When to try again: a pure function from a failure to what becomes of its delivery. The waits are tenacity's."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tenacity import RetryCallState, Retrying, wait_random_exponential
from tenacity.wait import wait_base

from bridge.errors import DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import Delivery, DeliveryState, Outcome
from bridge.store.base import Settlement


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to go on. Waits grow from ``first`` to ``ceiling``, each drawn anew below its bound (full jitter).

    With the defaults a delivery is tried about forty times, and given up a day after it was planned.
    """

    first: timedelta = timedelta(seconds=5)
    ceiling: timedelta = timedelta(hours=1)
    attempts: int = 60
    horizon: timedelta = timedelta(hours=24)

    def wait(self, attempt: int) -> timedelta:
        """Return the wait after the attempt of this number, counted from 1."""
        strategy = wait_random_exponential(multiplier=self.first.total_seconds(), max=self.ceiling.total_seconds())
        return timedelta(seconds=_ask(strategy, attempt))


def _ask(strategy: wait_base, attempt: int) -> float:
    """Use a tenacity strategy as a table: nothing sleeps here, the wait becomes a ``due_at`` in the store."""
    state = RetryCallState(Retrying(), fn=None, args=(), kwargs={})
    state.attempt_number = attempt
    return strategy(state)


def outcome_of(failure: DeliveryFailure) -> Outcome:
    """Return the outcome that an attempt's record bears."""
    if isinstance(failure, PermanentFailure):
        return Outcome.PERMANENT
    return Outcome.UNKNOWN if isinstance(failure, UnknownOutcome) else Outcome.TRANSIENT


def settle(failure: DeliveryFailure, delivery: Delivery, policy: RetryPolicy, now: datetime) -> Settlement:
    """Return what becomes of a delivery after this failure of its latest attempt.

    ``delivery.attempts`` counts the attempts before this one. The service's own ``Retry-After`` is a floor of the wait.
    """
    if isinstance(failure, PermanentFailure):
        return Settlement(DeliveryState.DEAD, reason=failure.reason)
    attempt = delivery.attempts + 1
    if attempt >= policy.attempts:
        return Settlement(DeliveryState.DEAD, reason=f"gave up after {attempt} attempts: {failure.reason}")
    due = now + max(policy.wait(attempt), _asked_for(failure))
    if due - delivery.created_at > policy.horizon:
        hours = policy.horizon / timedelta(hours=1)
        return Settlement(DeliveryState.DEAD, reason=f"gave up after {hours:g} hours: {failure.reason}")
    return Settlement(DeliveryState.PENDING, due_at=due, reason=failure.reason)


def _asked_for(failure: DeliveryFailure) -> timedelta:
    wish = failure.retry_after if isinstance(failure, TransientFailure) else None
    return timedelta(seconds=wish or 0)
