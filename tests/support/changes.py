"""Changes as the real source and the real comparison make them of webhooks."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from bridge.component import AnySource
from bridge.model import Change, EntityState, Event, JsonObject
from bridge.routing.change import compare
from bridge.sources.rdstation_crm import RdStationCrm, RdStationCrmOptions
from tests.support.clock import ManualClock

NOW = ManualClock().now()


def crm() -> RdStationCrm:
    """Return the source as the shipped rules name it."""
    return RdStationCrm("crm", RdStationCrmOptions())


def event_of(source: AnySource, body: Mapping[str, Any], number: int = 1, at: datetime = NOW) -> Event:
    """Return the event that ingest would make of a webhook."""
    raw = orjson.dumps(body)
    envelope = source.read(raw)
    key, occurred_at = envelope.dedup_key, envelope.occurred_at
    return Event(f"evt_{number:03}", source.name, envelope.name, envelope.entity, key, raw, at, occurred_at)


def change_of(bodies: Iterable[Mapping[str, Any]], source: AnySource | None = None) -> Change:
    """Return the change that the last of an entity's webhooks makes."""
    crm_source = source or crm()
    last: EntityState | None = None
    change: Change | None = None
    for number, body in enumerate(bodies, 1):
        event = event_of(crm_source, body, number)
        reading = crm_source.interpret(event, last.document if last else None)
        comparison = compare(event, reading, last, crm_source.quiet)
        last, change = comparison.entity_state or last, comparison.change
    assert change is not None
    return change


def webhook(kind: str, action: str = "updated", **document: Any) -> JsonObject:
    """Return a webhook that holds these fields and no others."""
    return {
        "event_name": f"crm_{kind}_{action}",
        "document": {"id": "6650f1", "updated_at": "2026-11-24T08:59:00.000-03:00", **document},
        "event_timestamp": "2026-11-24T11:59:00.000Z",
        "transaction_uuid": f"{kind}-{action}",
    }
