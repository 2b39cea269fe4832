"""What is written in the rules and can have no effect there, though nothing is wrong with it by itself."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from bridge.component import AnyTarget
from bridge.component.limits import RetryOptions
from bridge.config.frame import EntryFrame, TermsFrame
from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.model import Limits
from bridge.options import Loc
from bridge.options.quantity import written
from bridge.routing.route import Route

TIMES: Final = {"max": "", "horizon": "nothing is tried twice, for "}
"""The times of a schedule that have no effect below the stretch that a rate is counted in, and what follows."""


def warn_of_targets(targets: Mapping[str, AnyTarget], routes: Iterable[Route], problems: Problems) -> None:
    """Warn of every target that no route delivers to, and of schedules that are shorter than their target's rate."""
    used = {entry.target for route in routes for entry in route.deliver}
    for name, target in targets.items():
        loc = ("targets", name)
        if name not in used:
            message = f"no route delivers to {describe(problems.located.data, loc)}"
            problems.warn(loc, "unused-target", message, "remove it, or use it")
        _warn_of_schedule(target.options.retry, target.limits, "its rate", loc, problems)


def warn_of_terms(target: AnyTarget, entry: EntryFrame, loc: Loc, problems: Problems) -> None:
    """Warn of what an entry asks for and its target has no use for."""
    _warn_of_schedule(entry.retry, target.limits, "the rate of its target", loc, problems)
    if parks_nothing(entry, target):
        message = f"{describe(problems.located.data, loc)}: its target never doubles a message"
        problems.warn((*loc, "on_unknown"), "no-effect", message, "leave `on_unknown` out")


def parks_nothing(terms: TermsFrame, target: AnyTarget) -> bool:
    """Tell whether messages that may have arrived are to wait for a person and never do: none would come twice."""
    return terms.on_unknown == "park" and target.never_doubles


def short_times(retry: RetryOptions, limits: Limits) -> list[str]:
    """Return which times of a schedule are shorter than the stretch that a rate is counted in."""
    window = limits.rate.seconds if limits.rate else 0
    return sorted(name for name in TIMES if retry.parts.get(name, window) < window)


def _warn_of_schedule(retry: RetryOptions, limits: Limits, whose: str, loc: Loc, problems: Problems) -> None:
    window = limits.rate.seconds if limits.rate else 0
    for key in short_times(retry, limits):
        where = (*loc, "retry", key)
        span = written(timedelta(seconds=window))
        message = f"{TIMES[key]}no wait is shorter than the {span} that {whose} is counted in"
        problems.warn(where, "no-effect", f"{describe(problems.located.data, where)}: {message}")
