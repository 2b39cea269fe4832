"""What people set going: another attempt of a delivery, another routing of an event."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from bridge.control.filters import MOST
from bridge.control.host import Host, unknown
from bridge.control.shapes import Shape, delivery_shape
from bridge.model import Delivery, DeliveryState, Event, EventState, RoutedEvent
from bridge.store.base import DeliveryQuery, EventQuery, Store

CHUNK = 500
"""So many deliveries are made due in one transaction."""
RETRIABLE = (DeliveryState.DEAD, DeliveryState.PENDING)
TAKEN = "it is under way by now"
"""Why a delivery was not retried that could have been a moment before."""


class Chosen(NamedTuple):
    """What is kept of a delivery that was chosen, without its message: there may be many."""

    id: str
    state: DeliveryState
    target: str
    event_id: str
    has_message: bool

    @property
    def obstacle(self) -> str | None:
        """Return why it cannot be retried, if it cannot."""
        if self.state not in RETRIABLE:
            return f"it is {self.state}, and only what is dead or waits can be retried"
        if not self.has_message:
            return f"it has no message to send; mend the rule, then: bridge replay {self.event_id}"
        return None


class Acting:
    """Retries deliveries and replays events, chosen by their ids or by a filter, oldest first.

    A filter's own ``limit`` is not used: it chooses all that it matches, ``MOST`` at once.
    """

    def __init__(self, store: Store, host: Host) -> None:
        """Take the store, and the rules by which events are routed anew."""
        self._store = store
        self._host = host

    async def retry(self, chosen: Sequence[str] | DeliveryQuery, *, dry_run: bool) -> Shape:
        """Make dead and waiting deliveries due now; tell which were, and why the others were not.

        Raises:
            RequestRefusedError: an id is none of a delivery (``unknown-id``); nothing was done.
        """
        found = await self._deliveries(chosen)
        fit = [each.id for each in found if each.obstacle is None]
        done = set(fit if dry_run else [id_ for ids in _chunks(fit) for id_ in await self._store.retry(ids)])
        if not dry_run:
            self._host.ring({each.target for each in found if each.id in done})
        skipped = [{"id": each.id, "reason": each.obstacle or TAKEN} for each in found if each.id not in done]
        return {"dry_run": dry_run, "retried": [id_ for id_ in fit if id_ in done], "skipped": skipped}

    async def replay(self, chosen: Sequence[str] | EventQuery, *, again: bool, dry_run: bool) -> Shape:
        """Route stored events anew under today's rules; tell per event what that planned and what it added.

        Each is compared with what preceded it then; one that was never decided with the last state of today, which it
        moves. What is delivered or under way already is planned and not added, unless ``again``.

        Raises:
            RequestRefusedError: an id is none of an event (``unknown-id``) or no rules are loaded; nothing was done.
        """
        self._host.rules()
        events = await self._events(chosen)
        return {"dry_run": dry_run, "events": [await self._replay(event, again, dry_run) for event in events]}

    async def _replay(self, event: Event, again: bool, dry_run: bool) -> Shape:  # noqa: FBT001 (private)
        routed = await self._routed(event)
        added = [] if dry_run else await self._store.replay(routed, again=again)
        self._host.ring({delivery.target for delivery in added})
        return {
            "id": event.id,
            "name": routed.envelope.name if routed.envelope else event.name,
            "state": routed.state,
            "reason": routed.reason,
            "planned": len(routed.deliveries),
            "added": [delivery_shape(delivery) for delivery in added],
        }

    async def _routed(self, event: Event) -> RoutedEvent:
        router = self._host.rules().router
        if event.state is not EventState.QUARANTINED:
            return router.replay(event, await self._store.preceding(event))
        event = router.read_again(event)
        last = await self._store.last_state(event.source, event.entity) if event.entity else None
        return router.decide_late(event, last)

    async def _deliveries(self, chosen: Sequence[str] | DeliveryQuery) -> Sequence[Chosen]:
        if isinstance(chosen, DeliveryQuery):
            listed = await self._store.deliveries(replace(chosen, limit=MOST))
            return [_chosen(delivery) for delivery in reversed(listed)]
        found = []
        for id_ in dict.fromkeys(chosen):
            delivery = await self._store.delivery(id_)
            if delivery is None:
                raise unknown("delivery", id_)
            found.append(_chosen(delivery))
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


def _chosen(delivery: Delivery) -> Chosen:
    has_message = delivery.content is not None
    return Chosen(delivery.id, delivery.state, delivery.target, delivery.event_id, has_message)


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
