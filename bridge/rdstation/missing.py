"""What the API tells of an entity, as the webhooks that were missed would have told it.

The documents of the API hold less than webhooks do (v2: ids without names), and more (the contacts of a deal). Only
what both hold is compared, and what a webhook would not hold is left out, so that no difference of the two is a change.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from bridge.component.source import Found
from bridge.document import is_empty, lookup
from bridge.model import EntityState, Json, JsonObject
from bridge.rdstation.catalog import event_name
from bridge.rdstation.normalise import normalise, unflatten
from bridge.rdstation.timestamps import as_document_time, as_event_time, instant, microseconds
from bridge.rdstation.webhook import FOUND_SINCE

NAMED: Final[Mapping[str, str]] = {
    "user": "user",
    "deal_stage": "deal_stage",
    "deal_pipeline": "deal_pipeline",
    "deal_lost_reason": "lost_reason",
}
"""Per field of a deal that holds a relation, the kind of what it points at."""
REPAIRABLE: Final[Mapping[str, frozenset[str]]] = {
    "organization": frozenset(),
    "contact": frozenset(),
    "deal": frozenset(NAMED.values()),
    "task": frozenset(),
}
DELETIONS: Final[Mapping[str, str]] = {kind: event_name(kind, "deleted") for kind in REPAIRABLE}
"""Per kind, the event that tells of its deletion."""
_COMPARED: Final[Mapping[str, tuple[str, ...]]] = {
    "deal": (
        *("name", "status", "amount_total", "amount_unique", "amount_monthly", "prediction_date", "rating"),
        *("closed_at", "user.id", "deal_stage.id", "deal_pipeline.id", "deal_source.id", "campaign.id"),
        *("deal_lost_reason.id", "custom"),
    ),
    "task": ("name", "description", "type", "status", "due_date", "owner_ids", "deal_id"),
    "contact": ("name", "job_title", "emails.email", "phones.phone", "birthday", "organization_id", "custom"),
    "organization": ("name", "description", "url", "segment_ids", "owner_id", "custom"),
}
_UNTOLD: Final = ("organization_id", "contact_ids", "deal_products")
"""Fields of a deal that webhooks do not hold, or write in another way."""
_CLOSED: Final = frozenset({"won", "lost"})
_MOMENT: Final = timedelta(milliseconds=1)


def missed(found: Found, last: EntityState | None) -> Sequence[JsonObject]:
    """See ``Source``."""
    edited = instant(found.document.get("updated_at"))
    if edited is None or edited < found.since:
        return ()
    document = _as_sent(found, last)
    if last is None:
        created = instant(document.get("created_at"))
        born = created is not None and created >= found.since
        return [_body(found, "created" if born else "updated", document)]
    if microseconds(edited) <= last.version or not _differs(found.kind, document, last.document):
        return ()
    return [*_reopened(found, document, last.document), _body(found, "updated", document)]


def gone(last: EntityState, noticed: datetime) -> JsonObject:
    """See ``Source``."""
    return {
        "event_name": DELETIONS[last.entity.kind],
        "document": {"id": last.entity.id, "name": last.document.get("name")},
        "event_timestamp": as_event_time(noticed),
        "transaction_uuid": str(last.version),
    }


def baseline(found: Found) -> JsonObject:
    """See ``Source``."""
    return _body(found, "updated", _as_sent(found, None))


def _as_sent(found: Found, last: EntityState | None) -> JsonObject:
    """Return what a webhook would hold of it."""
    document = {field: _time(field, value) for field, value in found.document.items()}
    if found.kind != "deal":
        return document
    document = unflatten(document)
    for field, kind in NAMED.items():
        related = document.get(field)
        if isinstance(related, dict) and not related.get("name"):
            name = found.names.get(kind, {}).get(str(related.get("id")))
            document[field] = {**related, "name": name} if name else related
    if last is not None:
        for field in _UNTOLD:
            if is_empty(last.document.get(field)) or field == "deal_products":
                document.pop(field, None)
    return document


def _time(field: str, value: Json) -> Json:
    """Return a time as webhooks write it, anything else as it is."""
    if not (field.endswith("_at") or field == "due_date") or not isinstance(value, str) or "T" not in value:
        return value
    moment = instant(value)
    return as_document_time(moment) if moment else value


def _differs(kind: str, document: JsonObject, last: JsonObject) -> bool:
    now = normalise(kind, document, last)
    return any(_plain(lookup(now, path)) != _plain(lookup(last, path)) for path in _COMPARED[kind])


def _plain(value: Json) -> Json:
    """Return a value without its way of writing it: no time has a zone, and nothing that is empty is there."""
    if isinstance(value, dict):
        return {name: _plain(held) for name, held in value.items() if not is_empty(held)}
    if isinstance(value, list):
        return [_plain(item) for item in value if not is_empty(item)]
    moment = instant(value) if isinstance(value, str) and value[4:5] == "-" else None
    return moment.isoformat() if moment else None if is_empty(value) else value


def _reopened(found: Found, document: JsonObject, last: JsonObject) -> Sequence[JsonObject]:
    """Return the reopening between two closings alike: the deal was lost, and is lost, but not on the same day."""
    closed, before = instant(document.get("closed_at")), instant(last.get("closed_at"))
    again = document.get("status") == last.get("status") in _CLOSED and closed and before and before < closed
    if found.kind != "deal" or not again or closed is None or closed < found.since:
        return ()
    at = as_document_time(closed - _MOMENT)
    open_again: JsonObject = {"status": "ongoing", "closed_at": None, "deal_lost_reason": {}, "updated_at": at}
    return [_body(found, "updated", {**document, **open_again})]


def _body(found: Found, action: str, document: JsonObject) -> JsonObject:
    """Return a body whose uuid is that of the edit, whoever finds it and however often."""
    edited = instant(document.get("updated_at"))
    return {
        "event_name": event_name(found.kind, action),  # type: ignore[arg-type]  # one of three
        "document": document,
        "event_timestamp": as_event_time(edited) if edited else None,
        "transaction_uuid": str(microseconds(edited)) if edited else None,
        FOUND_SINCE: found.since.isoformat(),
    }
