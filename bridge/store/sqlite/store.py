"""The SQLite engine: every write goes to the one writer, every question to the readers."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from secrets import token_hex

from bridge.errors import StoreUnavailableError
from bridge.model import (
    Attempt,
    CallOff,
    Clock,
    Delivery,
    Entity,
    EntityState,
    Event,
    Limits,
    Link,
    Ripe,
    RoutedEvent,
    TargetState,
)
from bridge.store.base import Store
from bridge.store.nouns import (
    Backlog,
    Claim,
    DeliveryQuery,
    EventQuery,
    Foresee,
    Mark,
    Plan,
    Prepare,
    Pruned,
    Recorded,
    Retention,
    Ripen,
    Settlement,
    Spread,
)
from bridge.store.sqlite import claims, deferrals, deliveries, events, listing, pruning, recording, targets, waiting
from bridge.store.sqlite.connection import touch
from bridge.store.sqlite.directory import DataDirectory
from bridge.store.sqlite.reader import Readers
from bridge.store.sqlite.rows import event_row, microseconds, moment_of
from bridge.store.sqlite.writer import Writer

END_OF_TIME = 2**62
ENDLESS = 10.0
"""Seconds after which a transaction under way means that the disk hangs: twice what the CRM waits for an answer."""


class SqliteStore(Store):
    """A store in one file; made by ``open_store``."""

    def __init__(self, directory: DataDirectory, writer: Writer, readers: Readers, clock: Clock) -> None:
        """Take over what ``open_store`` has opened."""
        self._directory = directory
        self._writer = writer
        self._readers = readers
        self._clock = clock
        self._routing = asyncio.Lock()
        self._ripening = asyncio.Lock()
        self._served: dict[str, str] = {}  # per target the lane that was served last

    async def close(self) -> None:
        """Finish what is under way and let go of the files."""
        await self._readers.close()
        await self._writer.close()
        self._directory.let_go()

    async def add(self, event: Event) -> str | None:
        """See ``Store``."""
        return await self._writer.submit_item(events.add_event, event_row(event), events.add_events)

    async def route(self, limit: int, plan: Plan, prepare: Prepare | None = None) -> Sequence[RoutedEvent]:
        """See ``Store``."""
        async with self._routing:
            batch, states = await self._readers.run(events.received_batch, limit)
            if not batch:
                return ()
            if prepare:
                await prepare(batch, states)
            return await self._writer.submit(events.commit_decisions, plan(batch, states), self._now())

    async def ripen(self, limit: int, ripen: Ripen, foresee: Foresee | None = None) -> Sequence[Delivery]:
        """See ``Store``."""
        async with self._ripening:
            batch = await self._readers.run(deferrals.ripe_batch, limit, self._now())
            if foresee and batch:
                await foresee(batch)
            ripened = []
            for ripe in batch:
                ripened.append((ripe, ripen(ripe)))
                await asyncio.sleep(0)  # what is slow to fill keeps a webhook waiting once, and not once for each
            return await self._writer.submit(deferrals.commit_ripened, ripened, self._now()) if ripened else ()

    async def next_ripe(self) -> datetime | None:
        """See ``Store``."""
        due = await self._readers.run(deferrals.next_ripe)
        return None if due is None else moment_of(due)

    async def waiting(self, event: Event, delivery: Delivery) -> Ripe:
        """See ``Store``."""
        return await self._readers.run(waiting.waiting_with, event, delivery)

    async def called_off(self, event: Event, entries: Sequence[CallOff]) -> Sequence[Sequence[str]]:
        """See ``Store``."""
        return await self._readers.run(waiting.called_off, event, entries)

    async def claim(self, target: str, limits: Limits, lease: timedelta) -> Sequence[Claim]:
        """See ``Store``."""
        now = self._clock.now()
        terms = claims.Lease(token_hex(8), microseconds(now), microseconds(now + lease))
        claiming = self._writer.submit(claims.claim_due, target, limits, terms, self._served.get(target, ""))
        try:
            claimed, self._served[target] = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            claiming.add_done_callback(self._give_back)
            raise
        return claimed

    async def record(
        self,
        claim: Claim,
        attempt: Attempt | None,
        settlement: Settlement,
        links: Sequence[Link] = (),
        *,
        patient: bool = False,
    ) -> Recorded:
        """See ``Store``."""
        record = recording.Record(claim, attempt, settlement, links, self._now())
        return await self._writer.submit_item(
            recording.record_attempt, record, recording.record_attempts, patient=patient
        )

    async def release(self, claims: Sequence[Claim]) -> None:
        """See ``Store``."""
        if claims:
            await self._writer.submit(deliveries.release_claims, claims, self._now())

    async def rescue(self, *, everything: bool = False, held: Collection[str] = ()) -> Sequence[Delivery]:
        """See ``Store``."""
        now = self._now()
        return await self._writer.submit(recording.rescue_leased, END_OF_TIME if everything else now, held, now)

    async def next_due(self, target: str, limits: Limits) -> datetime | None:
        """See ``Store``."""
        due = await self._readers.run(claims.next_due, target, limits, self._now())
        return None if due is None else moment_of(due)

    async def find_link(self, target: str, key: str) -> Link | None:
        """See ``Store``."""
        return await self._readers.run(listing.find_link, target, key)

    async def links(self, target: str, over_since: datetime, most: int) -> Sequence[Link]:
        """See ``Store``."""
        return await self._readers.run(listing.links_not_over, target, over_since, most)

    async def adopt(self, names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
        """See ``Store``."""
        return await self._writer.submit(targets.adopt, names, self._now())

    async def targets(self) -> Sequence[TargetState]:
        """See ``Store``."""
        return await self._readers.run(listing.list_targets)

    async def pause(self, target: str, reason: str) -> bool:
        """See ``Store``."""
        return await self._writer.submit(targets.pause, target, reason, "person", self._now())

    async def resume(self, target: str) -> bool:
        """See ``Store``."""
        return await self._writer.submit(targets.resume, target, self._now())

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """See ``Store``."""
        return await self._readers.run(listing.list_events, query)

    async def event(self, event_id: str) -> Event | None:
        """See ``Store``."""
        return await self._readers.run(listing.find_event, event_id)

    async def preceding(self, event: Event) -> Event | None:
        """See ``Store``."""
        return await self._readers.run(listing.preceding_event, event)

    async def last_state(self, source: str, entity: Entity) -> EntityState | None:
        """See ``Store``."""
        return await self._readers.run(listing.find_entity_state, source, entity)

    async def living(self, source: str, kind: str) -> Sequence[str]:
        """See ``Store``."""
        return await self._readers.run(listing.living_entities, source, kind)

    async def deliveries(self, query: DeliveryQuery) -> Sequence[Delivery]:
        """See ``Store``."""
        return await self._readers.run(listing.list_deliveries, query)

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """See ``Store``."""
        return await self._readers.run(listing.find_delivery, delivery_id)

    async def attempts(self, delivery_id: str) -> Sequence[Attempt]:
        """See ``Store``."""
        return await self._readers.run(listing.attempts_of, delivery_id)

    async def retry(self, delivery_ids: Sequence[str], spread: Spread | None = None) -> Sequence[str]:
        """See ``Store``."""
        return await self._writer.submit(deliveries.retry_deliveries, delivery_ids, spread, self._now())

    async def discard(self, delivery_ids: Sequence[str], reason: str) -> Sequence[str]:
        """See ``Store``."""
        return await self._writer.submit(deliveries.discard_deliveries, delivery_ids, reason, self._now())

    async def lacking(self, routed: RoutedEvent, *, again: bool) -> Sequence[Delivery]:
        """See ``Store``."""
        return await self._readers.run(events.lacking, routed, again=again)

    async def replay(self, routed: RoutedEvent, *, again: bool, spread: Spread | None = None) -> Sequence[Delivery]:
        """See ``Store``."""
        return await self._writer.submit(events.replay_event, routed, spread, self._now(), again=again)

    async def hourly(self, source: str, since: datetime) -> Mapping[int, int]:
        """See ``Store``."""
        return await self._readers.run(listing.count_by_hour, source, microseconds(since))

    async def backlog(self) -> Backlog:
        """See ``Store``."""
        return await self._readers.run(listing.count_backlog)

    @property
    def hangs(self) -> bool:
        """See ``Store``."""
        return self._writer.seconds > ENDLESS

    async def writable(self) -> None:
        """See ``Store``."""
        if self.hangs:
            raise StoreUnavailableError(f"the disk has not answered for {self._writer.seconds:.0f} seconds")
        if self._writer.failed:
            await self._writer.submit(touch)
            self._writer.failed = False

    def economise(self, *, room: bool) -> None:
        """See ``Store``."""
        self._writer.thrifty = not room

    async def prune(self, retention: Retention, after: Mark | None = None) -> Pruned:
        """See ``Store``."""
        bounds = pruning.Bounds(microseconds(retention.bodies), microseconds(retention.events))
        looked = await self._readers.run(pruning.look, bounds, after or pruning.BEGIN)
        if looked.part == pruning.SPACE:
            return await self._writer.submit(pruning.tidy, self._now())
        if not looked.found:
            return Pruned(next=looked.next)
        return await self._writer.submit(pruning.drop, bounds, looked)

    def _now(self) -> int:
        return microseconds(self._clock.now())

    def _give_back(self, claiming: asyncio.Future[tuple[list[Claim], str]]) -> None:
        """Release what was claimed for someone who has been cancelled meanwhile: nobody will attempt it."""
        if not claiming.cancelled() and not claiming.exception() and claiming.result()[0]:
            self._writer.submit(deliveries.release_claims, claiming.result()[0], self._now())
