"""What an event comes to, told route by route: who heard it, what their matchers said, and what they would deliver."""

from dataclasses import dataclass
from datetime import datetime

from bridge.errors import MatchError
from bridge.model import CallOff, Change, EventState
from bridge.routing.fanout import Preview, failed, fan_out
from bridge.routing.listening import Listening
from bridge.routing.route import Context, Finding, Gather


@dataclass(frozen=True, slots=True)
class RouteExplanation:
    """What one route makes of a change.

    ``listened`` tells whether its ``on`` names the event at all, ``matched`` whether it delivers; ``findings`` are the
    verdicts of its trigger and its ``match``; ``when`` is None where it was not asked; ``error`` is why it failed.
    """

    name: str
    listened: bool
    matched: bool = False
    findings: tuple[Finding, ...] = ()
    when: bool | None = None
    error: str | None = None
    deliveries: tuple[Preview, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an event comes to under the rules in force. Without a ``change`` no route was asked.

    ``called_off`` are the entries whose deferred deliveries about the same entity it cancels.
    """

    state: EventState
    reason: str | None
    change: Change | None
    routes: tuple[RouteExplanation, ...] = ()
    called_off: tuple[CallOff, ...] = ()


def explained(
    listening: Listening, change: Change, context: Context, now: datetime, gather: Gather
) -> RouteExplanation:
    """Return what a route that listens to an event makes of it, with the verdict of each of its matchers."""
    name = listening.route.name
    try:
        heard, findings = listening.test(change), listening.explain(change)
    except MatchError as error:
        out = failed(listening.route, change, match_failed(error))
        return RouteExplanation(name, listened=True, error=out.error, deliveries=out.previews)
    if not heard:
        return RouteExplanation(name, listened=True, findings=findings)
    out = fan_out(listening.route, change, context, now, gather)
    matched = out.when is not False and out.error is None
    return RouteExplanation(name, True, matched, findings, out.when, out.error, out.previews)


def match_failed(error: MatchError) -> str:
    """Return what is told of a route that cannot tell whether it matches."""
    return f"`match` failed: {error}"
