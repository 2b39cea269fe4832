"""Which routes hear an event: by its name through an index, then by the matchers of their triggers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.model import CallOff, Change
from bridge.routing.matcher import any_of
from bridge.routing.route import Finding, Listener, Matcher, Route


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


@dataclass(frozen=True, slots=True)
class CallingOff:
    """What ``unless`` of a deliver entry makes of one event name. Without ``trigger`` every such event calls it off."""

    entry: CallOff
    trigger: Matcher | None

    def test(self, change: Change) -> bool:
        """Tell whether a change calls off what the entry holds of its entity."""
        return self.trigger is None or self.trigger.test(change)


def index(routes: Sequence[Route]) -> Mapping[str, tuple[Listening, ...]]:
    """Return the routes that listen to each event name, in their order in the file."""
    names = frozenset[str]().union(*(route.events for route in routes))
    return {name: tuple(_listening(route, name) for route in routes if name in route.events) for name in names}


def calling_off(routes: Sequence[Route]) -> Mapping[str, tuple[CallingOff, ...]]:
    """Return, for each event name, the entries that it may call off."""
    found: dict[str, list[CallingOff]] = defaultdict(list)
    for route in routes:
        for number, entry in enumerate(route.deliver):
            for name in {name for listener in entry.unless for name in listener.events}:
                found[name].append(CallingOff(CallOff(route.name, number), _trigger(entry.unless, name)))
    return {name: tuple(entries) for name, entries in found.items()}


def _listening(route: Route, name: str) -> Listening:
    return Listening(route, _trigger(route.listeners, name))


def _trigger(listeners: Sequence[Listener], name: str) -> Matcher | None:
    """Join the listeners of one event: one without a matcher hears it all, else any that agrees is enough."""
    matchers = [listener.matcher for listener in listeners if name in listener.events]
    conditions = [matcher for matcher in matchers if matcher is not None]
    if len(conditions) < len(matchers):
        return None
    return conditions[0] if len(conditions) == 1 else any_of(conditions)
