"""What is to be recorded of a claim: of an attempt that was made, or that there shall be none."""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from bridge.component import AnyTarget
from bridge.delivery.attempt import Ending
from bridge.delivery.retry import RetryPolicy, exhausted
from bridge.model import Attempt, Clock, DeliveryState, Link, new_id
from bridge.store.nouns import Claim, Settlement

Policy: TypeAlias = Callable[[AnyTarget, Mapping[str, float]], RetryPolicy]
"""Tells a target's retry schedule, beside what an entry says of it."""


class Result(NamedTuple):
    """What is to be recorded of a claim."""

    attempt: Attempt | None
    settlement: Settlement
    links: tuple[Link, ...] = ()


class Watch:
    """When an attempt began, and how long it took."""

    def __init__(self, clock: Clock) -> None:
        self._started = clock.now()
        self._began = asyncio.get_running_loop().time()

    def attempt(self, claim: Claim, ending: Ending) -> Attempt:
        """Return the record of an attempt that has just ended."""
        return Attempt(
            id=new_id("att"),
            delivery_id=claim.delivery.id,
            number=claim.delivery.attempts + 1,
            outcome=ending.outcome,
            trigger=claim.trigger,
            started_at=self._started,
            duration=asyncio.get_running_loop().time() - self._began,
            status=ending.status,
            reason=ending.reason,
            excerpt=ending.excerpt,
        )


def without_attempt(claim: Claim, target: AnyTarget, policy: Policy) -> Settlement | None:
    """Return what becomes of a delivery that may not be sent: its schedule is over, or it may have arrived already."""
    if claim.trigger == "person" or not claim.delivery.failures:
        return None
    if claim.delivery.uncertain and claim.delivery.terms.on_unknown == "park" and not target.never_doubles:
        return Settlement(DeliveryState.PARKED, reason=f"it may have arrived: {claim.delivery.reason}")
    return exhausted(claim.delivery, policy(target, claim.delivery.terms.retry))
