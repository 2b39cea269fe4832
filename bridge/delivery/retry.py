"""What becomes of a delivery after an attempt: the one table of it, pure. The waits are tenacity's.

===================  =======================================  ==========================================
outcome              the delivery                             the target
===================  =======================================  ==========================================
delivered            delivered                                its breaker may close
permanent failure    dead
access refused       waits, nothing is spent                  paused, until a person resumes it
throttled            waits as long as asked, nothing is spent waits as long
not accepted         waits by its schedule, or is dead        its breaker may open
unknown              the same; or parked, if its entry says   its breaker may open
                     so and the target might double it
===================  =======================================  ==========================================
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from tenacity import RetryCallState, Retrying, wait_exponential, wait_random_exponential
from tenacity.wait import wait_base

from bridge.component import AnyTarget
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import Delivery, DeliveryState, Outcome
from bridge.store.nouns import Settlement, TargetChange

LONGEST = 3600.0
"""Seconds that a wait grows to, where nothing is said of it."""
BRIEFEST = 1.0
"""Seconds that a target waits at least when it was too fast: a service that says "now" is not asked in a loop."""
PATIENT = 60.0
"""Seconds that this grows to, doubled each time that the same delivery is held off: "now" may be said for ever."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to go on. Waits grow from ``first`` to ``max``, each drawn anew below its bound (full jitter).

    No wait is shorter than ``least``, the stretch of time that the target's rate is counted in. With the defaults a
    delivery is tried about sixty times, and given up a day after it first failed. Without ``jitter``, as `bridge test`
    wants it, each wait is its bound.
    """

    attempts: float = 100
    first: float = 5
    max: float = LONGEST
    horizon: float = 86_400
    least: float = 0
    jitter: bool = True

    @classmethod
    def of(cls, target: AnyTarget, entry: Mapping[str, float]) -> Self:
        """Return the schedule of a target's delivery: what its entry says, else the target's options, else ours.

        A ``first`` that is longer than our ``max`` is meant: where nobody names a ``max``, waits stay as long as it.
        """
        rate, parts = target.limits.rate, {**target.options.retry.parts, **entry}
        parts.setdefault("max", max(LONGEST, parts.get("first", 0)))
        return cls(**parts, least=rate.seconds if rate else 0)

    def wait(self, failures: int) -> timedelta:
        """Return the wait after so many failures."""
        grow = wait_random_exponential if self.jitter else wait_exponential
        strategy = grow(multiplier=self.first, max=self.max)
        return timedelta(seconds=max(self.least, _ask(strategy, failures)))


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


def settle(
    failure: DeliveryFailure, delivery: Delivery, policy: RetryPolicy, now: datetime, *, never_doubles: bool = False
) -> Settlement:
    """Return what becomes of a delivery, and of its target, after this failure of its latest attempt.

    What is unknown waits for nobody where the target ``never_doubles`` what it sends again.
    """
    match failure:
        case PermanentFailure():
            return Settlement(DeliveryState.DEAD, reason=failure.reason)
        case AccessRefused():
            pause = TargetChange("pause", failure.reason)
            return Settlement(DeliveryState.PENDING, due_at=now, reason=failure.reason, target=pause)
        case TransientFailure(throttled=True):
            return _held_off(failure, delivery, policy, now)
        case UnknownOutcome() if delivery.terms.on_unknown == "park" and not never_doubles:
            return Settlement(DeliveryState.PARKED, reason=f"it may have arrived: {failure.reason}")
        case _:
            return _again(failure.reason, delivery, policy, now)


def exhausted(delivery: Delivery, policy: RetryPolicy) -> Settlement | None:
    """Return the end of a delivery whose schedule has run out unattended, such as by killing the daemon each time."""
    return None if delivery.failures < policy.attempts else _given_up(delivery.reason or "", delivery.failures)


def _held_off(failure: TransientFailure, delivery: Delivery, policy: RetryPolicy, now: datetime) -> Settlement:
    asked = failure.retry_after if failure.retry_after is not None else policy.first
    unspent = max(delivery.attempts - delivery.failures, 0)
    seconds = max(asked, policy.least, min(BRIEFEST * 2 ** min(unspent, 10), PATIENT))
    wait = TargetChange("wait", failure.reason, seconds=seconds)
    return Settlement(DeliveryState.PENDING, now + timedelta(seconds=seconds), failure.reason, target=wait)


def _again(reason: str, delivery: Delivery, policy: RetryPolicy, now: datetime) -> Settlement:
    failures = delivery.failures + 1
    if failures >= policy.attempts:
        return _given_up(reason, failures)
    due, end = now + policy.wait(failures), delivery.give_up_at or now + timedelta(seconds=policy.horizon)
    if due > end:
        reason = f"gave up after {policy.horizon / 3600:g} hours: {reason}"
        return Settlement(DeliveryState.DEAD, reason=reason, failure=True)
    return Settlement(DeliveryState.PENDING, due, reason, failure=True, give_up_at=end)


def _given_up(reason: str, failures: int) -> Settlement:
    return Settlement(DeliveryState.DEAD, reason=f"gave up after {failures} attempts: {reason}", failure=True)
