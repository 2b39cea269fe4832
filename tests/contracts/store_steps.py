"""What the suites do to a store, in their words."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bridge.model import (
    Attempt,
    Delivery,
    DeliveryState,
    Entity,
    EntityState,
    Event,
    EventState,
    Json,
    JsonObject,
    Limits,
    Link,
    Outcome,
    RoutedEvent,
    new_id,
)
from bridge.store.base import Store
from bridge.store.nouns import Claim, Settlement
from tests.support.clock import ManualClock

LEASE = timedelta(minutes=1)
MANY = Limits(100)
DEAL = Entity("deal", "65f")

DELIVERED = Settlement(DeliveryState.DELIVERED)
DEAD = Settlement(DeliveryState.DEAD, reason="refused")


def an_event(clock: ManualClock, *, entity: Entity | None = DEAL, dedup_key: str | None = None, **fields: str) -> Event:
    """Return an event that no store has seen."""
    id_ = new_id("evt")
    return Event(
        id=id_,
        source=fields.get("source", "crm"),
        name=fields.get("name", "crm_deal_updated"),
        entity=entity,
        dedup_key=dedup_key or id_,
        body=b'{"a": "\xc3\xa7"}',
        received_at=clock.now(),
        state=EventState(fields.get("state", "received")),
        reason=fields.get("reason"),
    )


def a_delivery(event_id: str, clock: ManualClock, key: str = "deal:1", **fields: Json) -> Delivery:
    """Return a pending delivery of an event, due now."""
    state = DeliveryState(str(fields.get("state", "pending")))
    return Delivery(
        id=new_id("dlv"),
        event_id=event_id,
        route=str(fields.get("route", "deal-lost")),
        entry=int(str(fields.get("entry", 0))),
        target=str(fields.get("target", "sales")),
        key=key,
        state=state,
        content=None if state is DeliveryState.DEAD else {"text": "Negócio perdido", "count": 3},
        due_at=clock.now(),
        created_at=clock.now(),
        reason="template failed" if state is DeliveryState.DEAD else None,
    )


async def decided(store: Store, *decisions: RoutedEvent) -> Sequence[RoutedEvent]:
    """Route with a plan that is known beforehand."""
    return await store.route(100, lambda _events, _states: decisions)


async def planned(
    store: Store, clock: ManualClock, *keys: str, target: str = "sales", content: JsonObject | None = None
) -> list[str]:
    """Store one event with a delivery per key, as routing would; return the ids of the deliveries."""
    event = an_event(clock)
    await store.add(event)
    deliveries = tuple(a_delivery(event.id, clock, key, target=target, entry=n) for n, key in enumerate(keys))
    if content is not None:
        deliveries = tuple(replace(each, content=content) for each in deliveries)
    await decided(store, RoutedEvent(event.id, EventState.ROUTED, deliveries=deliveries))
    return [delivery.id for delivery in deliveries]


def attempt_at(claim: Claim, clock: ManualClock, outcome: Outcome = Outcome.DELIVERED) -> Attempt:
    """Return an attempt at what was claimed."""
    return Attempt(
        id=new_id("att"),
        delivery_id=claim.delivery.id,
        number=claim.delivery.attempts + 1,
        outcome=outcome,
        trigger=claim.trigger,
        started_at=clock.now(),
        duration=0.123,
        status=200,
        excerpt="ok",
    )


async def claimed(store: Store, target: str = "sales", limit: int = 100) -> list[str]:
    """Claim, and return the ids in the order they came."""
    return [claim.delivery.id for claim in await store.claim(target, Limits(limit), LEASE)]


async def settled(store: Store, clock: ManualClock, settlement: Settlement = DELIVERED, *links: Link) -> list[str]:
    """Claim what can be claimed, end each attempt so, and return the ids in order."""
    claims = await store.claim("sales", MANY, LEASE)
    for claim in claims:
        assert (await store.record(claim, attempt_at(claim, clock), settlement, links)).held
    return [claim.delivery.id for claim in claims]


async def the(store: Store, delivery_id: str) -> Delivery:
    """Return a delivery that exists."""
    delivery = await store.delivery(delivery_id)
    assert delivery is not None
    return delivery


def a_state(event: Event, version: int, **fields: Json) -> EntityState:
    """Return a last state of the event's entity."""
    assert event.entity is not None
    return EntityState(event.source, event.entity, {"id": event.entity.id, **fields}, version, event.id)
