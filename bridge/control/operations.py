"""What people ask: lists, details, explanations, and how the daemon is. Answers are plain JSON values."""

from collections.abc import Sequence

from bridge.component import AnySource
from bridge.control.acting import Acting
from bridge.control.amount import ALL, USUAL, Amount, Manner
from bridge.control.explaining import Explainer, preview, type_of, with_links
from bridge.control.foretelling import Explained, Foreteller
from bridge.control.holding import Holding
from bridge.control.host import VERSION, Host, unknown
from bridge.control.remotes import RemoteOperations
from bridge.control.replaying import Replaying
from bridge.control.shapes import (
    Shape,
    backlog_shape,
    body_shape,
    delivery_shape,
    event_shape,
    history_shape,
    link_shape,
    moment,
    state_shape,
)
from bridge.errors import RequestRefusedError
from bridge.model import CallOff, Clock, Delivery, Entity, EntityState, Event, Json, Ripe, SystemClock
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery, EventQuery

MOST_DELIVERIES = 1000
"""So many deliveries the detail of one event shows."""


class Operations:
    """The commands over one store. A daemon answers with it over its socket; the command line, when no daemon runs."""

    def __init__(self, store: Store, host: Host, clock: Clock | None = None) -> None:
        """Take the store, and what the process around can lend."""
        self._store = store
        self._host = host
        self._clock = clock or SystemClock()
        self._acting = Acting(store, host, self._clock)
        self._replaying = Replaying(store, host, self._clock)
        self._holding = Holding(store, host, self._clock)
        self.remote = RemoteOperations(host)

    async def events(self, query: EventQuery) -> Shape:
        """List events, newest first, under ``events``."""
        return {"events": [event_shape(event) for event in await self._store.events(query)]}

    async def event(self, event_id: str) -> Shape:
        """Return an event with its body, the id of the event it was compared with, its deliveries and their attempts.

        Raises:
            RequestRefusedError: there is no such event (``unknown-id``).
        """
        event = await self._event(event_id)
        preceding = await self._store.preceding(event)
        query = DeliveryQuery(event_id=event.id, limit=MOST_DELIVERIES)
        deliveries = await self._store.deliveries(query)
        return {
            **event_shape(event),
            "preceding": preceding.id if preceding else None,
            "body": body_shape(event.body),
            "deliveries": [await self._history(delivery) for delivery in reversed(deliveries)],
        }

    async def deliveries(self, query: DeliveryQuery) -> Shape:
        """List deliveries, newest first, under ``deliveries``."""
        return {"deliveries": [delivery_shape(delivery) for delivery in await self._store.deliveries(query)]}

    async def delivery(self, delivery_id: str) -> Shape:
        """Return a delivery with its message, as rendered and as a person would see it, and its attempts.

        Raises:
            RequestRefusedError: there is no such delivery (``unknown-id``).
        """
        delivery = await self._store.delivery(delivery_id)
        if delivery is None:
            raise unknown("delivery", delivery_id)
        shape = await self._history(delivery)
        return {**shape, "content": delivery.content, "preview": self._preview(delivery)}

    async def state(self, source: str, entity: Entity) -> Shape:
        """Return the last state of an entity.

        Raises:
            RequestRefusedError: the entity was never seen (``unknown-id``).
        """
        state = await self._store.last_state(source, entity)
        if state is None:
            raise unknown("entity", str(entity))
        return state_shape(state)

    async def retry(
        self, chosen: Sequence[str] | DeliveryQuery, amount: Amount = ALL, *, dry_run: bool = False
    ) -> Shape:
        """Make deliveries due; see ``Acting.retry``."""
        return await self._acting.retry(chosen, amount, dry_run=dry_run)

    async def discard(
        self, chosen: Sequence[str] | DeliveryQuery, reason: str, amount: Amount = ALL, *, dry_run: bool = False
    ) -> Shape:
        """Take deliveries back; see ``Acting.discard``."""
        return await self._acting.discard(chosen, reason, amount, dry_run=dry_run)

    async def replay(
        self, chosen: Sequence[str] | EventQuery, manner: Manner = USUAL, amount: Amount = ALL, *, dry_run: bool = False
    ) -> Shape:
        """Decide stored events anew; see ``Replaying.replay``."""
        return await self._replaying.replay(chosen, manner, amount, dry_run=dry_run)

    async def targets(self) -> Shape:
        """List targets under ``targets``; see ``Holding.targets``."""
        return {"targets": await self._holding.targets()}

    async def pause(self, target: str, reason: str | None = None) -> Shape:
        """Send nothing to a target until it is resumed; see ``Holding.pause``."""
        return await self._holding.pause(target, reason)

    async def resume(self, target: str) -> Shape:
        """Let a target go; see ``Holding.resume``."""
        return await self._holding.resume(target)

    async def explain(self, event_id: str) -> Shape:
        """Tell per route why a stored event matched or did not under today's rules, beside what preceded it then."""
        event = await self._event(event_id)
        preceding = await self._store.preceding(event)
        before = self._host.rules().router.state_after(preceding) if preceding and preceding.body else None
        explainer = await self._explainer(event, before)
        return await self._complete(explainer, explainer.stored(event, preceding))

    async def explain_body(self, body: Json, source: str | None = None, before: Json = None) -> Shape:
        """Tell what the rules would do with a body that arrived now, beside its entity's last state.

        ``before`` is a body that would have come before it, and then counts instead of the last state.

        Raises:
            RequestRefusedError: no ruleset, or no such source.
        """
        plain, router = Explainer(self._host.rules(), self._clock), self._host.rules().router
        event = plain.arrived(body, source)
        if before is not None:
            preceding = plain.arrived(before, source)
            explainer = await self._explainer(event, router.state_after(preceding))
            return await self._complete(explainer, explainer.following(event, preceding))
        state = await self._store.last_state(event.source, event.entity) if event.entity else None
        explainer = await self._explainer(event, state)
        return await self._complete(explainer, explainer.arriving(event, state))

    async def waiting(self, event: Event, delivery: Delivery) -> Ripe:
        """Return what a deferred delivery of an event would be told with; see ``Store.waiting``."""
        return await self._store.waiting(event, delivery)

    async def called_off(self, event: Event, entries: Sequence[CallOff]) -> Sequence[Sequence[str]]:
        """Return what an event called off of each entry, or would; see ``Store.called_off``."""
        return await self._store.called_off(event, entries)

    async def link(self, target: str, key: str) -> Shape | None:
        """Return what a target made for a key: ``key``, ``external_id``, and what else it noted; None if nothing."""
        link = await self._store.find_link(target, key)
        return link_shape(link) if link else None

    async def sources(self) -> Shape:
        """List sources with the addresses to paste into their settings, and the headers that webhooks have to carry.

        This, and nothing else, shows their secrets.
        """
        return {"sources": [self._source(source) for source in self._host.rules().sources.values()]}

    async def status(self) -> Shape:
        """Return version, revision, uptime, what waits and what is held.

        And why the last rules were refused, and webhooks are turned away, if they are.
        """
        rules, started = self._host.current(), self._host.started_at
        return {
            "version": VERSION,
            "revision": rules.revision if rules else None,
            "started_at": moment(started),
            "uptime_seconds": round((self._clock.now() - started).total_seconds(), 3) if started else None,
            "sources": list(rules.sources) if rules else [],
            "targets": list(rules.targets) if rules else [],
            "routes": [route.name for route in rules.routes] if rules else [],
            "held": [target for target in await self._holding.targets() if target["held"]],
            "problems": [str(problem) for problem in self._host.problems()],
            "no_room": self._host.no_room(),
            "backlog": backlog_shape(await self._store.backlog()),
        }

    async def reload(self) -> Shape:
        """Load the rules anew.

        Raises:
            InvalidConfigurationError: they were refused, and the running ones stay.
            RequestRefusedError: no daemon runs (``no-daemon``).
        """
        if self._host.reload is None:
            raise RequestRefusedError("no daemon runs, so there is nothing to reload", "no-daemon")
        former, rules = self._host.current(), await self._host.reload()
        changes = rules.since(former) if former else ()
        return {
            "revision": rules.revision,
            "routes": [route.name for route in rules.routes],
            "changes": [*changes],
        }

    async def _event(self, event_id: str) -> Event:
        event = await self._store.event(event_id)
        if event is None:
            raise unknown("event", event_id)
        return event

    async def _history(self, delivery: Delivery) -> Shape:
        return history_shape(delivery, await self._store.attempts(delivery.id))

    async def _explainer(self, event: Event, before: EntityState | None) -> Explainer:
        """Return what explains an event, with what its messages have to say of related entities."""
        rules = self._host.rules()
        wants = rules.router.wanted_by(event, before) if event.body else ()
        return Explainer(rules, self._clock, await self._host.look_up(wants))

    async def _complete(self, explainer: Explainer, told: Explained) -> Shape:
        foreteller = Foreteller(self._host.rules(), self._clock, self._store, self._host.look_up)
        return await with_links(explainer.shape(await foreteller.complete(told)), self.link)

    def _preview(self, delivery: Delivery) -> str | None:
        rules = self._host.current()
        target = rules.targets.get(delivery.target) if rules else None
        return preview(target, delivery.content)

    def _source(self, source: AnySource) -> Shape:
        paths = self._host.paths(source.name)
        local, public = self._host.local_url, self._host.public_url or self._host.local_url or ""
        return {
            "name": source.name,
            "type": type_of(source),
            "addresses": [public + path for path in paths],
            "local_address": local + paths[0] if local is not None and paths else None,
            "headers": dict(self._host.headers(source.name)),
        }
