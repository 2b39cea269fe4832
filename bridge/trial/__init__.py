"""Tests of rules: the real rules, store, dispatcher and workers, on a clock that is moved, with played services."""

from bridge.trial.clock import MovedClock
from bridge.trial.running import Failure, Result, Runner

__all__ = ["Failure", "MovedClock", "Result", "Runner"]
