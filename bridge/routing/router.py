"""The router: from events and last states to deliveries. Pure, but for the ids and times that it gives them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from bridge.component.source import AnySource
from bridge.errors import UnreadableWebhookError
from bridge.model import (
    Change,
    Clock,
    Delivery,
    DeliveryState,
    EntityState,
    Envelope,
    Event,
    EventState,
    JsonObject,
    RoutedEvent,
    StateKey,
    new_id,
)
from bridge.routing.change import Comparison, compare
from bridge.routing.fanout import Preview, fan_out
from bridge.routing.listening import Listening, index
from bridge.routing.route import Context, Finding, Route

ContextBuilder: TypeAlias = Callable[[Change, AnySource], Context]
"""Gives the names that templates see of a change."""


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
    """What an event comes to under the rules in force. Without a ``change`` no route was asked."""

    state: EventState
    reason: str | None
    change: Change | None
    routes: tuple[RouteExplanation, ...] = ()


class Router:
    """Decides events under one set of sources and routes."""

    def __init__(
        self, sources: Mapping[str, AnySource], routes: Sequence[Route], contexts: ContextBuilder, clock: Clock
    ) -> None:
        """Index the routes by the names of the events they listen to: to all other events they cost nothing."""
        self._sources = sources
        self._routes = tuple(routes)
        self._listening = index(self._routes)
        self._contexts = contexts
        self._clock = clock

    def plan(self, events: Sequence[Event], states: Mapping[StateKey, EntityState]) -> list[RoutedEvent]:
        """Decide a batch in order of arrival; each event sees the state that those before it left."""
        now, moving = self._clock.now(), dict(states)
        return [self._plan(event, moving, now) for event in events]

    def replay(self, event: Event, preceding: Event | None) -> RoutedEvent:
        """Decide anew an event that was decided before, beside the event that preceded it; no last state moves."""
        last = self.state_after(preceding) if preceding else None
        return replace(self._decide(event, last, self._clock.now()), entity_state=None)

    def decide_late(self, event: Event, last: EntityState | None) -> RoutedEvent:
        """Decide an event that was read again and never decided, as if it arrived now: it may move the last state."""
        envelope = Envelope(event.name, event.entity, event.dedup_key, event.occurred_at)
        return replace(self._decide(event, last, self._clock.now()), envelope=envelope)

    def explain(self, event: Event, last: EntityState | JsonObject | None) -> Explanation:
        """Tell what an event comes to and why, beside a last state, or beside a document known to be older."""
        event = self.read_again(event)
        state = self._older(event, last) if isinstance(last, dict) else last
        comparison = self._compare(event, state)
        routes = self._explain(comparison.change) if comparison.change else ()
        matched = any(route.deliveries for route in routes)
        verdict = EventState.ROUTED if matched else comparison.state
        return Explanation(verdict, comparison.reason, comparison.change, routes)

    def read_again(self, event: Event) -> Event:
        """Return an event with the envelope that its source reads today, if it could not read one when it came."""
        source = self._sources.get(event.source)
        if event.entity is not None or source is None:
            return event
        try:
            read = source.read(event.body)
        except UnreadableWebhookError:
            return event
        return replace(event, name=read.name, entity=read.entity, occurred_at=read.occurred_at)

    def state_after(self, event: Event) -> EntityState | None:
        """Return the last state that an event alone would leave; None if it cannot be read."""
        return self._compare(event, None).entity_state

    def _plan(self, event: Event, moving: dict[StateKey, EntityState], now: datetime) -> RoutedEvent:
        last = moving.get((event.source, event.entity)) if event.entity else None
        routed = self._decide(event, last, now)
        if routed.entity_state:
            moving[event.source, routed.entity_state.entity] = routed.entity_state
        return routed

    def _decide(self, event: Event, last: EntityState | None, now: datetime) -> RoutedEvent:
        comparison = self._compare(event, last)
        deliveries = tuple(self._deliveries(comparison.change, now)) if comparison.change else ()
        state = EventState.ROUTED if deliveries else comparison.state
        return RoutedEvent(event.id, state, comparison.reason, deliveries, comparison.entity_state)

    def _compare(self, event: Event, last: EntityState | None) -> Comparison:
        source = self._sources.get(event.source)
        if source is None:
            return _unreadable(f'there is no source "{event.source}" any more')
        try:
            reading = source.interpret(event, last.document if last else None)
        except UnreadableWebhookError as error:
            return _unreadable(str(error))
        return compare(event, reading, last, source.quiet)

    def _deliveries(self, change: Change, now: datetime) -> Iterator[Delivery]:
        heard = [each for each in self._listening.get(change.event.name, ()) if each.test(change)]
        context = self._context(change) if heard else {}
        for listening in heard:
            name = listening.route.name
            for entry, preview in enumerate(fan_out(listening.route, change, context).previews):
                yield _delivery(change.event, name, entry, preview, now)

    def _context(self, change: Change) -> Context:
        return self._contexts(change, self._sources[change.event.source])

    def _explain(self, change: Change) -> tuple[RouteExplanation, ...]:
        context = self._context(change)
        listening = {each.route.name: each for each in self._listening.get(change.event.name, ())}
        return tuple(
            _explained(listening[route.name], change, context)
            if route.name in listening
            else RouteExplanation(route.name, listened=False)
            for route in self._routes
        )

    def _older(self, event: Event, document: JsonObject) -> EntityState | None:
        """Return a document as the last state, of a version that the event is sure to follow."""
        after = self.state_after(event)
        if after is None:
            return None
        return replace(after, document=document, version=after.version - 1, deleted=False, created_seen=False)


def _explained(listening: Listening, change: Change, context: Context) -> RouteExplanation:
    name, findings = listening.route.name, listening.explain(change)
    if not listening.test(change):
        return RouteExplanation(name, listened=True, findings=findings)
    out = fan_out(listening.route, change, context)
    matched = out.when is not False and out.error is None
    return RouteExplanation(name, True, matched, findings, out.when, out.error, out.previews)


def _unreadable(reason: str) -> Comparison:
    return Comparison(state=EventState.QUARANTINED, reason=reason)


def _delivery(event: Event, route: str, entry: int, preview: Preview, now: datetime) -> Delivery:
    target, key, content, error = preview
    return Delivery(
        id=new_id("dlv"),
        event_id=event.id,
        route=route,
        entry=entry,
        target=target,
        key=key,
        state=DeliveryState.PENDING if error is None else DeliveryState.DEAD,
        content=content,
        due_at=now,
        created_at=now,
        reason=error,
    )
