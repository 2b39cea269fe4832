"""Which routes hear an event: by its name through an index, then by the matchers of their triggers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.model import Change
from bridge.routing.matcher import any_of
from bridge.routing.route import Finding, Matcher, Route


@dataclass(frozen=True, slots=True)
class Listening:
    """A route that listens to one event name. Without ``trigger`` it hears every such event."""

    route: Route
    trigger: Matcher | None

    def test(self, change: Change) -> bool:
        """Tell whether the route hears a change and its ``match`` agrees; ``when`` is not asked."""
        if self.trigger is not None and not self.trigger.test(change):
            return False
        match = self.route.match
        return match is None or match.test(change)

    def explain(self, change: Change) -> tuple[Finding, ...]:
        """Return what the trigger and ``match`` say, each asked whatever the other said."""
        return tuple(matcher.explain(change) for matcher in (self.trigger, self.route.match) if matcher is not None)


def index(routes: Sequence[Route]) -> Mapping[str, tuple[Listening, ...]]:
    """Return the routes that listen to each event name, in their order in the file."""
    names = frozenset[str]().union(*(route.events for route in routes))
    return {name: tuple(_listening(route, name) for route in routes if name in route.events) for name in names}


def _listening(route: Route, name: str) -> Listening:
    """Join the listeners of one event: one without a matcher hears it all, else any that agrees is enough."""
    matchers = [listener.matcher for listener in route.listeners if name in listener.events]
    conditions = [matcher for matcher in matchers if matcher is not None]
    if len(conditions) < len(matchers):
        return Listening(route, None)
    return Listening(route, conditions[0] if len(conditions) == 1 else any_of(conditions))
