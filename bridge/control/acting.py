"""What people do with deliveries: have them tried again, or take them back."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from bridge.control.amount import ALL, Amount
from bridge.control.filters import MOST
from bridge.control.holding import held_among
from bridge.control.host import Host, each_of
from bridge.control.shapes import Shape
from bridge.model import Clock, Delivery, DeliveryState
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery

CHUNK = 500
"""So many deliveries are changed in one transaction."""
WAITING = (DeliveryState.DEAD, DeliveryState.DEFERRED, DeliveryState.PENDING, DeliveryState.PARKED)
TAKEN = "it is under way by now"
"""Why nothing was done with a delivery that could have been a moment before."""


class Chosen(NamedTuple):
    """What is kept of a delivery that was chosen, without its message: there may be many."""

    id: str
    state: DeliveryState
    target: str
    event_id: str
    has_message: bool

    @property
    def keeps_from_retry(self) -> str | None:
        """Return why it cannot be retried, if it cannot."""
        if self.state not in WAITING:
            return f"it is {self.state}, and only what is dead or waits can be retried"
        if not self.has_message and self.state is not DeliveryState.DEFERRED:  # which gets its message when it is told
            return f"it has no message to send; mend the rule, then: bridge replay {self.event_id}"
        return None

    @property
    def keeps_from_discard(self) -> str | None:
        """Return why it cannot be discarded, if it cannot."""
        return None if self.state in WAITING else f"it is {self.state}, and only what is dead or waits can be discarded"


Do: TypeAlias = Callable[[Sequence[str], int], Awaitable[Sequence[str]]]
"""Does it with these deliveries, after so many others; returns the ids with which it was done."""


class Acting:
    """Retries and discards deliveries, chosen by their ids or by a filter, oldest first.

    A filter's own ``limit`` is not used: it chooses all that it matches, the oldest ``MOST`` at once. Answers tell
    how many were ``left`` for another time, beyond the amount that was asked for.
    """

    def __init__(self, store: Store, host: Host, clock: Clock) -> None:
        """Take the store, and those who are told of work."""
        self._store = store
        self._host = host
        self._clock = clock

    async def retry(self, chosen: Sequence[str] | DeliveryQuery, amount: Amount = ALL, *, dry_run: bool) -> Shape:
        """Make dead and waiting deliveries due; tell which were, and why the others were not.

        ``held`` names the targets among theirs that are held, for which they go on waiting.

        Raises:
            RequestRefusedError: an id is none of a delivery (``unknown-id``); nothing was done.
        """
        begin = self._clock.now()
        found = await self._deliveries(chosen)
        obstacles = {each.id: each.keeps_from_retry for each in found}
        told = await _done(
            obstacles, amount, None if dry_run else lambda ids, n: self._store.retry(ids, amount.spread(begin, n))
        )
        targets = {each.target for each in found if each.id in told.done}
        if not dry_run:
            self._host.ring(targets)
        held = await held_among(self._store, targets)
        return {"dry_run": dry_run, "retried": told.done, "skipped": told.skipped, "left": told.left, "held": held}

    async def discard(
        self, chosen: Sequence[str] | DeliveryQuery, reason: str, amount: Amount = ALL, *, dry_run: bool
    ) -> Shape:
        """Cancel dead and waiting deliveries for a reason; tell which were, and why the others were not.

        Raises:
            RequestRefusedError: an id is none of a delivery (``unknown-id``); nothing was done.
        """
        found = await self._deliveries(chosen)
        obstacles = {each.id: each.keeps_from_discard for each in found}
        told = await _done(obstacles, amount, None if dry_run else lambda ids, _: self._store.discard(ids, reason))
        if not dry_run:
            self._host.ring({each.target for each in found if each.id in told.done})  # what waited behind them may go
        return {"dry_run": dry_run, "discarded": told.done, "skipped": told.skipped, "left": told.left}

    async def _deliveries(self, chosen: Sequence[str] | DeliveryQuery) -> Sequence[Chosen]:
        if isinstance(chosen, DeliveryQuery):
            listed = await self._store.deliveries(replace(chosen, limit=MOST, oldest_first=True))
            return [_chosen(delivery) for delivery in listed]
        return [_chosen(delivery) async for delivery in each_of("delivery", chosen, self._store.delivery)]


class _Told(NamedTuple):
    """What became of all that was chosen."""

    done: list[str]
    skipped: list[Shape]
    left: int


async def _done(obstacles: dict[str, str | None], amount: Amount, do: Do | None) -> _Told:
    """Do it with what nothing keeps from it, in chunks; without ``do``, only tell with which it would be done."""
    fit = [id_ for id_, obstacle in obstacles.items() if obstacle is None]
    within = amount.first(fit)
    done = await _in_chunks(within, do) if do else list(within)
    missed = set(within).difference(done)
    reasons = {id_: why or TAKEN for id_, why in obstacles.items() if why or id_ in missed}
    skipped: list[Shape] = [{"id": id_, "reason": why} for id_, why in reasons.items()]
    return _Told(done, skipped, len(fit) - len(within))


async def _in_chunks(ids: Sequence[str], do: Do) -> list[str]:
    done: list[str] = []
    for chunk in _chunks(ids):
        done += await do(chunk, len(done))
    return done


def _chosen(delivery: Delivery) -> Chosen:
    has_message = delivery.content is not None
    return Chosen(delivery.id, delivery.state, delivery.target, delivery.event_id, has_message)


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
