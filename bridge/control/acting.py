"""What people set going: another attempt of a delivery, another routing of an event."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bridge.control.filters import MOST
from bridge.control.host import Host, unknown
from bridge.control.shapes import Shape, delivery_shape
from bridge.model import DeliveryState, Event
from bridge.store.base import DeliveryQuery, EventQuery, Store

CHUNK = 500
"""So many deliveries are made due in one transaction."""
RETRIABLE = (DeliveryState.DEAD, DeliveryState.PENDING)


class Acting:
    """Retries deliveries and replays events, chosen by their ids or by a filter, oldest first.

    A filter's own ``limit`` is not used: it chooses all that it matches, ``MOST`` at once.
    """

    def __init__(self, store: Store, host: Host) -> None:
        """Take the store, and the rules by which events are routed anew."""
        self._store = store
        self._host = host

    async def retry(self, chosen: Sequence[str] | DeliveryQuery, *, dry_run: bool) -> Shape:
        """Make dead and waiting deliveries due now; tell which were, and which were in no state for it.

        Raises:
            RequestRefusedError: an id is none of a delivery (``unknown-id``); nothing was done.
        """
        found = await self._deliveries(chosen)
        fit = [id_ for id_, (state, _) in found.items() if state in RETRIABLE]
        done = fit if dry_run else [id_ for ids in _chunks(fit) for id_ in await self._store.retry(ids)]
        if not dry_run:
            self._host.ring({found[id_][1] for id_ in done})
        return {"dry_run": dry_run, "retried": list(done), "skipped": [id_ for id_ in found if id_ not in set(done)]}

    async def replay(self, chosen: Sequence[str] | EventQuery, *, again: bool, dry_run: bool) -> Shape:
        """Route stored events anew under today's rules; tell per event what that planned and what it added.

        What is delivered or under way already is planned and not added, unless ``again``.

        Raises:
            RequestRefusedError: an id is none of an event (``unknown-id``) or no rules are loaded; nothing was done.
        """
        self._host.rules()
        events = await self._events(chosen)
        return {"dry_run": dry_run, "events": [await self._replay(event, again, dry_run) for event in events]}

    async def _replay(self, event: Event, again: bool, dry_run: bool) -> Shape:  # noqa: FBT001 (private)
        routed = self._host.rules().router.replay(event, await self._store.preceding(event))
        added = [] if dry_run else await self._store.replay(routed, again=again)
        self._host.ring({delivery.target for delivery in added})
        return {
            "id": event.id,
            "name": event.name,
            "state": routed.state,
            "reason": routed.reason,
            "planned": len(routed.deliveries),
            "added": [delivery_shape(delivery) for delivery in added],
        }

    async def _deliveries(self, chosen: Sequence[str] | DeliveryQuery) -> dict[str, tuple[DeliveryState, str]]:
        """Return state and target by id, and let go of the messages: there may be many."""
        if isinstance(chosen, DeliveryQuery):
            listed = await self._store.deliveries(replace(chosen, limit=MOST))
            return {delivery.id: (delivery.state, delivery.target) for delivery in reversed(listed)}
        found = {}
        for id_ in chosen:
            delivery = await self._store.delivery(id_)
            if delivery is None:
                raise unknown("delivery", id_)
            found[id_] = delivery.state, delivery.target
        return found

    async def _events(self, chosen: Sequence[str] | EventQuery) -> Sequence[Event]:
        if isinstance(chosen, EventQuery):
            return tuple(reversed(await self._store.events(replace(chosen, limit=MOST))))
        found = []
        for id_ in dict.fromkeys(chosen):
            event = await self._store.event(id_)
            if event is None:
                raise unknown("event", id_)
            found.append(event)
        return found


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
