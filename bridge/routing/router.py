"""The router: from events and last states to deliveries. Pure, but for the ids and times that it gives them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from bridge.component.source import AnySource
from bridge.errors import MatchError, UnreadableWebhookError
from bridge.model import (
    CallOff,
    Change,
    Clock,
    Delivery,
    DeliveryState,
    EntityState,
    Event,
    EventState,
    JsonObject,
    Origin,
    Related,
    Ripe,
    Ripened,
    RoutedEvent,
    StateKey,
    Unreadable,
    Want,
    new_id,
)
from bridge.routing.change import Comparison, compare
from bridge.routing.explanation import Explanation, RouteExplanation, explained, match_failed
from bridge.routing.fanout import REASONS, Preview, failed, fan_out
from bridge.routing.listening import calling_off, index
from bridge.routing.reaching import wants_of
from bridge.routing.ripening import Ripener
from bridge.routing.route import Context, Gather, Route

NOTHING: Final[Related] = MappingProxyType({})
"""What is known of related entities where nobody looks them up."""

ContextBuilder: TypeAlias = Callable[[Change, AnySource, Related], Context]
"""Gives the names that templates see of a change, and of what was found to be related to it."""
IMPORTED = "imported, and so no news: the first state that is known of it"
Heard: TypeAlias = list[tuple[Route, str | None]]
"""The routes that hear a change; and those that cannot tell, with the reason."""
Decide: TypeAlias = Callable[[Event, EntityState | None], RoutedEvent]
"""Decides an event beside its entity's last state."""


class Router:
    """Decides events under one set of sources and routes."""

    def __init__(
        self,
        sources: Mapping[str, AnySource],
        routes: Sequence[Route],
        contexts: ContextBuilder,
        clock: Clock,
        gather: Gather = lambda items, group, now, former: {
            "items": items,
            "group": group,
            "now": now,
            "former": former,
        },
    ) -> None:
        """Index the routes by the names of the events they listen to: to all other events they cost nothing."""
        self._sources = sources
        self._routes = tuple(routes)
        self._listening = index(self._routes)
        self._calling_off = calling_off(self._routes)
        self._ripener = Ripener(sources, self._routes, self._listening, contexts, gather)
        self._gather = gather
        self._contexts = contexts
        self._clock = clock
        names = {name for source in sources.values() for named in source.relations.values() for name in named}
        self._reaches = any(not names.isdisjoint(route.mentions) for route in self._routes)

    @property
    def reaches(self) -> bool:
        """Tell whether any route mentions what is related to an entity: if none does, nobody need look it up."""
        return self._reaches

    def reached(self, source: str) -> frozenset[str]:
        """Return the kinds of which some route mentions what is related to an entity of a source."""
        mentioned = frozenset[str]().union(*(route.mentions for route in self._routes))
        relations = self._sources[source].relations.values() if source in self._sources else ()
        return frozenset(each.kind for named in relations for name, each in named.items() if name in mentioned)

    def replay(self, event: Event, preceding: Event | None, related: Related = NOTHING) -> RoutedEvent:
        """Decide a stored event anew, beside the event that preceded it; no last state moves."""
        event = self.read_again(event)
        last = self.state_after(preceding) if preceding else None
        return replace(self._decide(event, last, related), entity_state=None)

    def decide(self, event: Event, last: EntityState | None, related: Related = NOTHING) -> RoutedEvent:
        """Decide an event as if it arrived now, beside its entity's last state of today, which it may move."""
        return self._decide(event, last, related)

    def wanted(self, events: Iterable[Event], states: Mapping[StateKey, EntityState]) -> tuple[Want, ...]:
        """Return what the messages of events have to say of related entities, if they are decided in this order."""
        wants: dict[Want, None] = {}

        def survey(event: Event, last: EntityState | None) -> RoutedEvent:
            comparison = self._compare(event, last)
            wants.update(dict.fromkeys(self._wants(comparison.change)))
            return RoutedEvent(event.id, comparison.state, entity_state=comparison.entity_state)

        deque(in_order(survey, events, states), maxlen=0)
        return tuple(wants)

    def wanted_by(self, event: Event, last: EntityState | JsonObject | None) -> tuple[Want, ...]:
        """Return what the messages of one event have to say of related entities; see ``explain``."""
        event = self.read_again(event)
        state = self._older(event, last) if isinstance(last, dict) else last
        return tuple(self._wants(self._compare(event, state).change))

    def wanted_ripe(self, ripe: Iterable[Ripe]) -> tuple[Want, ...]:
        """Return what deferred messages have to say of related entities."""
        return self._ripener.wanted(ripe)

    def ripen(self, ripe: Ripe, related: Related = NOTHING) -> Ripened | Unreadable:
        """Return what becomes of deferred deliveries whose time has come: of the newest of them, which tells of all."""
        return self._ripener.ripen(ripe, self._clock.now(), related)

    def following(self, ripe: Ripe) -> Delivery | None:
        """Return what holds the place of the digest after one, if that is told in any case."""
        return self._ripener.following(ripe, self._clock.now())

    def foretell(self, ripe: Ripe, related: Related = NOTHING) -> Preview | None:
        """Return what a deferred delivery of these routes would tell as of now; None if it would tell nothing."""
        return self._ripener.foretell(ripe, self._clock.now(), related)

    def explain(self, event: Event, last: EntityState | JsonObject | None, related: Related = NOTHING) -> Explanation:
        """Tell what an event comes to and why, beside a last state, or beside a document known to be older."""
        event = self.read_again(event)
        state = self._older(event, last) if isinstance(last, dict) else last
        comparison = self._compare(event, state)
        routes = self._explain(comparison.change, related) if comparison.change else ()
        matched = any(route.deliveries for route in routes)
        verdict = EventState.ROUTED if matched else comparison.state
        called_off = self._called_off(comparison.change) if comparison.change else ()
        return Explanation(verdict, comparison.reason, comparison.change, routes, called_off)

    def state_after(self, event: Event) -> EntityState | None:
        """Return the last state that an event alone would leave; None if it cannot be read."""
        return self._compare(event, None).entity_state

    def _decide(self, event: Event, last: EntityState | None, related: Related) -> RoutedEvent:
        comparison = self._compare(event, last)
        change = comparison.change
        heard = self._heard(change) if change else []
        deliveries = tuple(self._deliveries(change, heard, related)) if change and heard else ()
        state = EventState.ROUTED if deliveries else comparison.state
        called_off = self._called_off(change) if change and self._calling_off else ()
        reason = comparison.reason or (self._lacking(change, heard, related) if change and deliveries else None)
        return RoutedEvent(event.id, state, reason, deliveries, comparison.entity_state, called_off)

    def _lacking(self, change: Change, heard: Heard, related: Related) -> str | None:
        """Return what messages had to go without."""
        lacking = sorted({str(want.reach) for want in self._wants(change, heard) if want.reach not in related})
        return f"told without {', '.join(lacking)}, which could not be looked up" if lacking else None

    def _wants(self, change: Change | None, heard: Heard | None = None) -> Iterable[Want]:
        if change is None or not self._reaches:
            return ()
        routes = (route for route, failure in (self._heard(change) if heard is None else heard) if failure is None)
        return wants_of(change, self._sources[change.event.source], routes)

    def _compare(self, event: Event, last: EntityState | None) -> Comparison:
        source = self._sources.get(event.source)
        if source is None:
            return _unreadable(f'there is no source "{event.source}" any more')
        try:
            reading = source.interpret(event, last.document if last else None)
        except UnreadableWebhookError as error:
            return _unreadable(str(error))
        comparison = compare(event, reading, last, source.quiet)
        return _baseline(comparison) if event.origin is Origin.IMPORTED else comparison

    def _deliveries(self, change: Change, heard: Heard, related: Related) -> Iterator[Delivery]:
        context, now = self._context(change, related), self._clock.now()
        for route, failure in heard:
            out = fan_out(route, change, context, now) if failure is None else failed(route, change, failure)
            for entry, preview in enumerate(out.previews):
                yield planned(change.event, route.name, entry, preview, now)

    def _called_off(self, change: Change) -> tuple[CallOff, ...]:
        """Return the entries whose deferred deliveries a change makes pointless; who cannot tell calls nothing off."""
        found: list[CallOff] = []
        for each in self._calling_off.get(change.event.name, ()):
            with suppress(MatchError):
                if each.test(change):
                    found.append(each.entry)
        return tuple(found)

    def _heard(self, change: Change) -> Heard:
        """Return the routes that hear a change, and those that cannot tell, with the reason."""
        heard: Heard = []
        for listening in self._listening.get(change.event.name, ()):
            try:
                if listening.test(change):
                    heard.append((listening.route, None))
            except MatchError as error:
                heard.append((listening.route, match_failed(error)))
        return heard

    def _context(self, change: Change, related: Related) -> Context:
        return self._contexts(change, self._sources[change.event.source], related)

    def _explain(self, change: Change, related: Related) -> tuple[RouteExplanation, ...]:
        context, now = self._context(change, related), self._clock.now()
        listening = {each.route.name: each for each in self._listening.get(change.event.name, ())}
        return tuple(
            explained(listening[route.name], change, context, now, self._gather)
            if route.name in listening
            else RouteExplanation(route.name, listened=False)
            for route in self._routes
        )

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

    def _older(self, event: Event, document: JsonObject) -> EntityState | None:
        """Return a document as the last state, of a version that the event is sure to follow."""
        after = self.state_after(event)
        if after is None:
            return None
        return replace(after, document=document, version=after.version - 1, deleted=False, created_seen=False)


def in_order(decide: Decide, events: Iterable[Event], states: Mapping[StateKey, EntityState]) -> Iterator[RoutedEvent]:
    """Decide events one after another as they are asked for; each sees the state that those before it left."""
    moving = dict(states)
    for event in events:
        last = moving.get((event.source, event.entity)) if event.entity else None
        routed = decide(event, last)
        if routed.entity_state:
            moving[event.source, routed.entity_state.entity] = routed.entity_state
        yield routed


def _baseline(comparison: Comparison) -> Comparison:
    """Return what comparing came to, without its change: no route is to hear it."""
    return replace(comparison, change=None, reason=comparison.reason or IMPORTED)


def _unreadable(reason: str) -> Comparison:
    return Comparison(state=EventState.QUARANTINED, reason=reason)


def planned(event: Event, route: str, entry: int, preview: Preview, now: datetime) -> Delivery:
    """Return the delivery of a deliver entry, which is given by its route and its number there."""
    return Delivery(
        id=new_id("dlv"),
        event_id=event.id,
        route=route,
        entry=entry,
        target=preview.target,
        key=preview.key,
        state=_state_of(preview),
        content=preview.content,
        due_at=preview.until.due if preview.until else now,
        created_at=now,
        reason=REASONS[preview.until.deferral.kind] if preview.until else preview.error,
        bucket=preview.bucket,
        terms=preview.terms,
        deferral=preview.until.deferral if preview.until else None,
    )


def _state_of(preview: Preview) -> DeliveryState:
    if preview.error is not None:
        return DeliveryState.DEAD
    return DeliveryState.DEFERRED if preview.until else DeliveryState.PENDING
