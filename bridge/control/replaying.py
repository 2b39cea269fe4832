"""What people do with events: have them decided anew, or sent again as they were planned."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from bridge.control.amount import ALL, USUAL, Amount, Manner
from bridge.control.explaining import body_gone
from bridge.control.filters import MOST
from bridge.control.holding import held_among
from bridge.control.host import Host, each_of
from bridge.control.shapes import Shape, delivery_shape
from bridge.delivery.dispatcher import set_aside
from bridge.errors import RequestRefusedError, StoreError
from bridge.model import Clock, Delivery, DeliveryState, Event, EventState, RoutedEvent, new_id
from bridge.options import did_you_mean
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery, EventQuery


class Decided(NamedTuple):
    """A decision; where something it needs is ``gone``, nothing was decided, and the event stays as it is."""

    routed: RoutedEvent
    gone: str | None = None

    def only(self, route: str | None) -> "Decided":
        """Return it with the deliveries of one route alone, if one is named."""
        if route is None:
            return self
        deliveries = tuple(each for each in self.routed.deliveries if each.route == route)
        return self._replace(routed=replace(self.routed, deliveries=deliveries))


Decide: TypeAlias = Callable[[Event], Awaitable[Decided]]


class Replaying:
    """Replays events, chosen by their ids or by a filter, oldest first.

    A filter's own ``limit`` is not used: it chooses all that it matches, the oldest ``MOST`` at once. The limit of an
    amount counts the events to which something is added; ``left`` are those that were not looked at.
    """

    def __init__(self, store: Store, host: Host, clock: Clock) -> None:
        """Take the store, and the rules by which events are routed anew."""
        self._store = store
        self._host = host
        self._clock = clock

    async def replay(
        self, chosen: Sequence[str] | EventQuery, manner: Manner = USUAL, amount: Amount = ALL, *, dry_run: bool
    ) -> Shape:
        """Decide stored events anew; tell per event what that planned, how much of it was lacking, and what was added.

        What is delivered or under way already is planned and not added, unless ``again``. As they were planned then,
        events need no rules: their deliveries are sent again, with the message and key of that time.

        Raises:
            RequestRefusedError: an id is none of an event (``unknown-id``), or without ``as_planned`` there are no
                rules (``no-rules``) or no such route (``unknown-route``); nothing was done.
        """
        decide = self._as_planned if manner.as_planned else self._decider(manner.route)
        events = await self._events(chosen)
        batch = _Batch(self._store, self._host, manner, amount, self._clock, dry_run)
        for event in events:
            if amount.limit is not None and batch.events_added >= amount.limit:
                break
            await batch.take(event, (await decide(event)).only(manner.route))
        held = await held_among(self._store, batch.targets)
        return {"dry_run": dry_run, "events": batch.told, "left": len(events) - len(batch.told), "held": held}

    def _decider(self, route: str | None) -> Decide:
        names = [each.name for each in self._host.rules().routes]
        if route is not None and route not in names:
            hint = did_you_mean(route, names)
            raise RequestRefusedError(f'there is no route "{route}"; {hint}'.rstrip("; "), "unknown-route")
        return self._decide

    async def _decide(self, event: Event) -> Decided:
        """Decide a stored event anew; one that was never decided is decided as if it arrived now."""
        try:
            return await (self._decide_first(event) if event.state is EventState.QUARANTINED else self._again(event))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 (a defect at one event must not keep the others from their replay)
            return Decided(set_aside(event, error))

    async def _again(self, event: Event) -> Decided:
        preceding = await self._store.preceding(event)
        if gone := body_gone(event, preceding):
            return Decided(RoutedEvent(event.id, event.state, event.reason), gone)
        router = self._host.rules().router
        before = router.state_after(preceding) if preceding else None
        related = await self._host.look_up(router.wanted_by(event, before))
        return Decided(router.replay(event, preceding, related))

    async def _decide_first(self, event: Event) -> Decided:
        router = self._host.rules().router
        event = router.read_again(event)
        last = await self._store.last_state(event.source, event.entity) if event.entity else None
        related = await self._host.look_up(router.wanted_by(event, last))
        return Decided(router.decide(event, last, related))

    async def _as_planned(self, event: Event) -> Decided:
        """Return what was planned for an event at first, entry by entry; a message that failed then is none."""
        query = DeliveryQuery(event_id=event.id, limit=MOST, oldest_first=True)
        first: dict[tuple[str, int], Delivery] = {}
        for delivery in await self._store.deliveries(query):
            if delivery.content is not None:
                first.setdefault((delivery.route, delivery.entry), delivery)
        return Decided(RoutedEvent(event.id, event.state, event.reason, tuple(map(self._copy, first.values()))))

    def _copy(self, delivery: Delivery) -> Delivery:
        """Return a delivery of the same message that nobody has tried yet."""
        now = self._clock.now()
        return Delivery(
            id=new_id("dlv"),
            event_id=delivery.event_id,
            route=delivery.route,
            entry=delivery.entry,
            target=delivery.target,
            key=delivery.key,
            state=DeliveryState.PENDING,
            content=delivery.content,
            due_at=now,
            created_at=now,
            bucket=delivery.bucket,
            terms=delivery.terms,
        )

    async def _events(self, chosen: Sequence[str] | EventQuery) -> Sequence[Event]:
        if isinstance(chosen, EventQuery):
            return await self._store.events(replace(chosen, limit=MOST, oldest_first=True))
        return [event async for event in each_of("event", chosen, self._store.event)]


class _Batch:
    """One replay of several events: adds what each lacks, and keeps count."""

    def __init__(
        self,
        store: Store,
        host: Host,
        manner: Manner,
        amount: Amount,
        clock: Clock,
        dry_run: bool,  # noqa: FBT001 (private)
    ) -> None:
        self.told: list[Shape] = []
        self.targets: set[str] = set()
        self.events_added = 0
        self._store = store
        self._host = host
        self._manner = manner
        self._amount = amount
        self._begin = clock.now()
        self._dry_run = dry_run
        self._added = 0

    async def take(self, event: Event, decided: Decided) -> None:
        """Add what an event lacks of a decision, and note what is to be told of it."""
        routed, gone = decided
        lacking = () if gone else await self._lacking(routed)
        self._added += len(lacking)
        self.events_added += bool(lacking)
        self.targets |= {delivery.target for delivery in lacking}
        self.told.append(
            {
                "id": event.id,
                "name": event.name,
                "state": routed.state,
                "reason": routed.reason,
                "gone": gone,
                "planned": len(routed.deliveries),
                "lacking": len(lacking),
                "added": [] if self._dry_run else [delivery_shape(delivery) for delivery in lacking],
            }
        )

    async def _lacking(self, routed: RoutedEvent) -> Sequence[Delivery]:
        """Return what an event lacks of a decision; unless this is a dry run, it has it now."""
        if self._dry_run:
            return await self._store.lacking(routed, again=self._manner.again)
        spread = self._amount.spread(self._begin, self._added)
        added = await self._store.replay(routed, again=self._manner.again, spread=spread)
        self._host.ring({delivery.target for delivery in added})
        return added
