"""What every target takes beside its own options: how fast, how often again, and when to give it a rest."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from bridge.component.base import Strict
from bridge.options.quantity import Duration, written


class RetryOptions(Strict):
    """The schedule of further attempts. Waits grow from `first` to `max`, each drawn anew below its bound."""

    attempts: int | None = Field(default=None, ge=1, le=10_000)
    """How many attempts may fail; by default 100."""
    first: Duration | None = None
    """The longest first wait; by default `5s`."""
    max: Duration | None = None
    """The longest wait; by default `1h`, or `first` if that is longer."""
    horizon: Duration | None = None
    """The time from the first failure to the last attempt, by default `1d`; held time is not counted."""

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.first and self.max and self.first > self.max:
            raise ValueError('"first" must not be longer than "max"')
        return self

    @property
    def parts(self) -> dict[str, float]:
        """Return what is set, times in seconds."""
        values = {"attempts": self.attempts, "first": self.first, "max": self.max, "horizon": self.horizon}
        return {name: _seconds(value) for name, value in values.items() if value is not None}


class BreakerOptions(Strict):
    """When a failing service is left alone: then its messages wait, and one of them tries from time to time."""

    failures: float = Field(default=0.5, gt=0, le=1)
    """The share of attempts that failed at which it opens."""
    window: Duration = timedelta(minutes=1)
    """The time whose attempts are looked at."""
    least: int = Field(default=10, ge=1, le=1000)
    """With fewer attempts in that time it stays closed."""
    rest: Duration = timedelta(seconds=30)
    """How long it stays open at first; twice as long each time in a row."""
    longest_rest: Duration = timedelta(minutes=15)
    """How long it stays open at most."""

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.rest > self.longest_rest:
            raise ValueError(f'"rest" must not be longer than "longest_rest", which is {written(self.longest_rest)}')
        return self


def _seconds(value: float | timedelta) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else value
