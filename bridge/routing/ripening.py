"""What becomes of deferred deliveries when their time has come. Pure.

A change that was held is told as it stands by then: compared with what was there before it began, and not told at all
if nothing is left of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bridge.component.source import AnySource
from bridge.document import differences
from bridge.errors import MatchError, RenderError, UnreadableWebhookError
from bridge.model import (
    DAMAGED,
    Change,
    Deferral,
    Deferred,
    Delivery,
    DeliveryState,
    EntityState,
    Related,
    Ripe,
    Ripened,
    Unreadable,
    Want,
    new_id,
)
from bridge.routing.fanout import REASONS, Preview, gathered_key, held, own_key, rendered
from bridge.routing.listening import Listening
from bridge.routing.reaching import wants_of
from bridge.routing.route import Context, DeliverEntry, Gather, Route
from bridge.routing.timing import Digest

GONE = "the rule that deferred it is not there any more"
UNDONE = "what it would have told was undone before its time came"
TORN = "what it is compared with, as it was stored, is damaged and cannot be read any more"
NOTHING = "nothing happened that it could tell of"


class Ripener:
    """Decides under one set of sources and routes."""

    def __init__(
        self,
        sources: Mapping[str, AnySource],
        routes: Sequence[Route],
        listening: Mapping[str, Sequence[Listening]],
        contexts: Callable[[Change, AnySource, Related], Context],
        gather: Gather,
    ) -> None:
        """Take what the router decides by."""
        self._gather = gather
        self._sources = sources
        self._routes = {route.name: route for route in routes}
        self._listening = listening
        self._contexts = contexts

    def ripen(self, ripe: Ripe, now: datetime, related: Related) -> Ripened | Unreadable:
        """Return what becomes of it, and what holds the place of the next digest if that is told in any case.

        What cannot be read any more keeps nothing else that is due with it from being told.
        """
        following = self.following(ripe, now)
        try:
            return Ripened(self._became(ripe, now, related), following)
        except UnreadableWebhookError as error:
            return Unreadable(self._unreadable(ripe) or {ripe.delivery.id: str(error)}, following)

    def foretell(self, ripe: Ripe, now: datetime, related: Related) -> Preview | None:
        """Return what a deferred delivery of an entry that is there would tell by now; None if nothing is left."""
        entry = self._routes[ripe.delivery.route].deliver[ripe.delivery.entry]
        try:
            return self._preview(self._readable(ripe), entry, now, related)
        except (RenderError, MatchError, UnreadableWebhookError) as error:
            return Preview(entry.target, ripe.delivery.key, None, str(error))

    def wanted(self, batch: Iterable[Ripe]) -> tuple[Want, ...]:
        """Return what messages have to say of related entities; what cannot be read wants nothing."""
        wants: dict[Want, None] = {}
        for ripe in batch:
            route = self._routes.get(ripe.delivery.route)
            items = ripe.items if ripe.delivery.content is None and route else ()
            former = ripe.former.items if ripe.former and items else ()
            for item in (*items, *former):
                with suppress(UnreadableWebhookError):
                    last = ripe.last if item is items[-1] else None
                    wants |= dict.fromkeys(
                        wants_of(self._change(item, last), self._source(item), [route] if route else [])
                    )
        return tuple(wants)

    def following(self, ripe: Ripe, now: datetime) -> Delivery | None:
        """Return what holds the place of the next digest, if that is told in any case."""
        delivery, entry = ripe.delivery, self._entry(ripe.delivery)
        told, digest = delivery.deferral, entry.timing if entry else None
        if told is None or told.kind != "digest" or not isinstance(digest, Digest) or not digest.empty:
            return None
        turn = digest.next(max(ripe.turn, now))
        return None if turn is None else _vacant(delivery, told.group, turn, now)

    def _became(self, ripe: Ripe, now: datetime, related: Related) -> Delivery:
        """Return the delivery with its message; or dead, cancelled, or deferred until its window opens."""
        delivery = ripe.delivery
        if delivery.content is not None:
            return _set(delivery, DeliveryState.PENDING, now)
        entry = self._entry(delivery)
        if delivery.deferral is not None and delivery.deferral.kind == "window":
            return _set(delivery, DeliveryState.DEAD, now, DAMAGED)
        if entry is None or delivery.deferral is None:
            return _set(delivery, DeliveryState.CANCELLED, now, GONE)
        try:
            preview = self._preview(ripe, entry, now, related)
        except (RenderError, MatchError) as error:
            return _set(delivery, DeliveryState.DEAD, now, str(error))
        if preview is None:
            return _set(delivery, DeliveryState.CANCELLED, now, UNDONE if ripe.items else NOTHING)
        return _filled(delivery, preview if ripe.urgent else held(entry, preview, now), now)

    def _entry(self, delivery: Delivery) -> DeliverEntry | None:
        """Return the entry that deferred a delivery, wherever it stands in its route today."""
        route = self._routes.get(delivery.route)
        entries = route.deliver if route else ()
        same = [entry for entry in entries[delivery.entry : delivery.entry + 1] if entry.target == delivery.target]
        return next(iter([*same, *(entry for entry in entries if entry.target == delivery.target)]), None)

    def _preview(self, ripe: Ripe, entry: DeliverEntry, now: datetime, related: Related) -> Preview | None:
        deferral = ripe.delivery.deferral or Deferral("window")
        if deferral.kind == "digest":
            return self._gathered(ripe, entry, now, related)
        change = self._change(ripe.items[-1], ripe.last)
        context = self._context(change, related)
        if deferral.kind == "debounce" and not self._holds(ripe, change, context):
            return None
        return rendered(entry, own_key(change), context)

    def _gathered(self, ripe: Ripe, entry: DeliverEntry, now: datetime, related: Related) -> Preview | None:
        if not ripe.items and not (isinstance(entry.timing, Digest) and entry.timing.empty):
            return None
        group = ripe.delivery.deferral.group if ripe.delivery.deferral else ""
        former = self._former(ripe, entry, related)
        names = self._gather(self._contexts_of(ripe.items, related), group, now, former)
        return rendered(entry, gathered_key(ripe.delivery.route, group), names)

    def _former(self, ripe: Ripe, entry: DeliverEntry, related: Related) -> Sequence[Context] | None:
        """Return what the digest before told of the group, of which nothing happened if its turn went by without.

        None where there is nothing to compare with: it is the first, or what was told cannot be read any more.
        """
        if ripe.former is None:
            return None
        if isinstance(entry.timing, Digest) and not entry.timing.follows(ripe.former.turn, ripe.turn):
            return ()
        try:
            return self._contexts_of(ripe.former.items, related)
        except UnreadableWebhookError:
            return None

    def _contexts_of(self, items: Sequence[Deferred], related: Related) -> list[Context]:
        return [self._context(self._change(item, None), related) for item in items]

    def _holds(self, ripe: Ripe, change: Change, context: Context) -> bool:
        """Tell whether the route matches the whole change, from before its first event to its last."""
        heard = [each for each in self._listening.get(change.event.name, ()) if each.route.name == ripe.delivery.route]
        if not heard or not heard[0].test(change):
            return False
        when = heard[0].route.when
        return when is None or when.test(context)

    def _change(self, item: Deferred, last: EntityState | None) -> Change:
        """Return an event as a change from what was there before, to the newest document where that is given."""
        if item.damaged:
            raise UnreadableWebhookError(TORN)
        event, source = item.event, self._source(item)
        reading = source.interpret(event, item.before)
        newest = last is not None and last.version >= reading.version
        current, version = (
            (reading.current, reading.version) if last is None or not newest else (last.document, last.version)
        )
        changed = {} if item.before is None else differences(item.before, current, source.quiet)
        return Change(event, reading.action, reading.document, current, item.before, changed, reading.dated, version)

    def _unreadable(self, ripe: Ripe) -> dict[str, str]:
        """Return the ids of those that cannot be read any more, with the reason."""
        reasons: dict[str, str] = {}
        for item in ripe.items:
            try:
                self._change(item, None)
            except UnreadableWebhookError as error:
                reasons[item.delivery_id] = str(error)
        return reasons

    def _readable(self, ripe: Ripe) -> Ripe:
        """Return a digest without what cannot be told, unless it is asked about that."""
        reasons = self._unreadable(ripe)
        if ripe.delivery.id in reasons:
            return ripe
        return replace(ripe, items=tuple(item for item in ripe.items if item.delivery_id not in reasons))

    def _source(self, item: Deferred) -> AnySource:
        source = self._sources.get(item.event.source)
        if source is None:
            raise UnreadableWebhookError(f'there is no source "{item.event.source}" any more')
        return source

    def _context(self, change: Change, related: Related) -> Context:
        return self._contexts(change, self._sources[change.event.source], related)


def _filled(delivery: Delivery, preview: Preview, now: datetime) -> Delivery:
    filled = replace(delivery, key=preview.key, content=preview.content, bucket=preview.bucket, terms=preview.terms)
    if preview.error is not None:
        return _set(filled, DeliveryState.DEAD, now, preview.error)
    if preview.until:
        return replace(filled, due_at=preview.until.due, deferral=preview.until.deferral, reason=REASONS["window"])
    return _set(filled, DeliveryState.PENDING, now)


def _vacant(delivery: Delivery, group: str, turn: datetime, now: datetime) -> Delivery:
    """Return what holds the place of the digest of a turn; it is of the event that was told of last."""
    return Delivery(
        id=new_id("dlv"),
        event_id=delivery.event_id,
        route=delivery.route,
        entry=delivery.entry,
        target=delivery.target,
        key=gathered_key(delivery.route, group),
        state=DeliveryState.DEFERRED,
        content=None,
        due_at=turn,
        created_at=now,
        reason=REASONS["digest"],
        deferral=Deferral("digest", group, latest=turn, vacant=True),
    )


def _set(delivery: Delivery, state: DeliveryState, now: datetime, reason: str | None = None) -> Delivery:
    return replace(delivery, state=state, due_at=now, reason=reason, deferral=None)
