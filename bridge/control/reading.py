"""The nouns from their shapes: what one process tells another, read back as what it was."""

from datetime import datetime

import orjson

from bridge.control.shapes import Shape, body_shape, delivery_shape, event_shape, moment, state_shape
from bridge.model import (
    Deferral,
    Deferred,
    Delivery,
    DeliveryState,
    Entity,
    EntityState,
    Event,
    EventState,
    Former,
    Ripe,
)


def event_from(shape: Shape) -> Event:
    """Return a stored event as its detail tells it; a body reads the same, and is empty where it is not kept."""
    return Event(
        id=shape["id"],
        source=shape["source"],
        name=shape["name"],
        entity=Entity(**shape["entity"]) if shape["entity"] else None,
        dedup_key="",
        body=_bytes(shape["body"]),
        received_at=datetime.fromisoformat(shape["received_at"]),
        occurred_at=_moment(shape["occurred_at"]),
        state=EventState(shape["state"]),
        reason=shape["reason"],
    )


def state_from(shape: Shape) -> EntityState:
    """Return a last state as its detail tells it."""
    return EntityState(
        shape["source"],
        Entity(**shape["entity"]),
        shape["document"],
        shape["version"],
        shape["event_id"],
        shape["deleted"],
        shape["created_seen"],
    )


def deferred_shape(delivery: Delivery) -> Shape:
    """Return a delivery with what it waits for."""
    deferral = delivery.deferral
    told = deferral and {
        "kind": deferral.kind,
        "group": deferral.group,
        "before": deferral.before,
        "latest": moment(deferral.latest),
    }
    return {**delivery_shape(delivery), "deferral": told}


def deferred_from(shape: Shape) -> Delivery:
    """Return a delivery with what it waits for."""
    told = shape["deferral"]
    return Delivery(
        **{name: shape[name] for name in ("id", "event_id", "route", "entry", "target", "key", "reason")},
        state=DeliveryState(shape["state"]),
        content=None,
        due_at=datetime.fromisoformat(shape["due_at"]),
        created_at=datetime.fromisoformat(shape["created_at"]),
        deferral=told and Deferral(told["kind"], told["group"], told["before"], _moment(told["latest"])),
    )


def ripe_shape(ripe: Ripe) -> Shape:
    """Return deferred deliveries with the events that they tell of, bodies and all."""
    former = ripe.former
    return {
        "delivery": deferred_shape(ripe.delivery),
        "items": [_item_shape(item) for item in ripe.items],
        "last": state_shape(ripe.last) if ripe.last else None,
        "others": [*ripe.others],
        "former": former and {"turn": moment(former.turn), "items": [_item_shape(item) for item in former.items]},
    }


def ripe_from(shape: Shape) -> Ripe:
    """Return deferred deliveries with the events that they tell of."""
    former = shape["former"]
    return Ripe(
        deferred_from(shape["delivery"]),
        tuple(map(_item_from, shape["items"])),
        state_from(shape["last"]) if shape["last"] else None,
        others=tuple(shape["others"]),
        former=former and Former(datetime.fromisoformat(former["turn"]), tuple(map(_item_from, former["items"]))),
    )


def event_whole(event: Event) -> Shape:
    """Return an event with its body."""
    return {**event_shape(event), "body": body_shape(event.body)}


def _item_shape(item: Deferred) -> Shape:
    own = {"delivery": item.delivery_id, "damaged": item.damaged}
    return {"event": event_whole(item.event), "before": item.before, **own}


def _item_from(shape: Shape) -> Deferred:
    return Deferred(event_from(shape["event"]), shape["before"], shape["delivery"], shape["damaged"])


def _moment(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None


def _bytes(body: object) -> bytes:
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else orjson.dumps(body)
