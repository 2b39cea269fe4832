"""When a service fails so often that it is left alone: the count is ours, the state of the breaker the store's."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.component import AnyTarget
from bridge.component.limits import BreakerOptions
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure
from bridge.store.nouns import Claim, TargetChange

SPANS = 60
"""Parts of a window that are counted, and forgotten, as one: what it holds does not grow with what is sent."""


@dataclass(slots=True)
class Span:
    """The attempts that ended in one part of the window; it begins with the first of them."""

    begin: datetime
    attempts: int = 0
    failures: int = 0


class FailureWindow:
    """Counts one target's attempts of the last while, and tells when its breaker opens or closes."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._spans: deque[Span] = deque()

    def lesson(
        self, target: AnyTarget, claim: Claim, failure: DeliveryFailure | None, now: datetime
    ) -> TargetChange | None:
        """Count an attempt; return what it means for the breaker, if anything."""
        options, failed = target.options.breaker, failure is not None and _is_the_services(failure)
        if claim.probe:
            return self._turned(options or BreakerOptions(), failure if failed else None)
        if options is None or isinstance(failure, AccessRefused) or _is_throttled(failure):
            return None
        self._count(now, options.window, failed=failed)
        return self._turned(options, failure) if failed and self._too_many(options) else None

    def _turned(self, options: BreakerOptions, failure: DeliveryFailure | None) -> TargetChange:
        """Open the breaker for a failure of the service's, else close it; either way the count begins anew."""
        self._spans.clear()
        return _opening(options, failure) if failure else TargetChange("close")

    def _count(self, now: datetime, window: timedelta, *, failed: bool) -> None:
        if not self._spans or now - self._spans[-1].begin >= window / SPANS:
            self._spans.append(Span(now))
        self._spans[-1].attempts += 1
        self._spans[-1].failures += failed
        while self._spans[0].begin <= now - window:
            self._spans.popleft()

    def _too_many(self, options: BreakerOptions) -> bool:
        attempts = sum(span.attempts for span in self._spans)
        failures = sum(span.failures for span in self._spans)
        return attempts >= options.least and failures >= options.failures * attempts


def _opening(options: BreakerOptions, failure: DeliveryFailure) -> TargetChange:
    rest, longest = options.rest.total_seconds(), options.longest_rest.total_seconds()
    return TargetChange("open", failure.reason, seconds=rest, most=longest)


def _is_the_services(failure: DeliveryFailure) -> bool:
    """Tell whether a failure says that the service is in trouble: one that refuses a message is not."""
    return not isinstance(failure, PermanentFailure | AccessRefused) and not _is_throttled(failure)


def _is_throttled(failure: DeliveryFailure | None) -> bool:
    return isinstance(failure, TransientFailure) and failure.throttled
