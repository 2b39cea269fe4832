"""What API v2 answers: flat records with ids; times in UTC."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bridge.model import Json, JsonObject
from bridge.rdstation.timestamps import instant
from bridge.simulator.documents import by_slug, document
from bridge.simulator.entities import CustomField, Deal, Pipeline, Record, Segment, Stage, User
from bridge.simulator.registrations import Registration


def written(record: Record, fields: Sequence[CustomField]) -> JsonObject:
    """Return a record; but for deals it is what the webhooks hold, with the times in UTC."""
    if isinstance(record, Deal):
        return _deal(record, [field for field in fields if field.of == record.kind])
    if type(record) in _WRITERS:
        return _WRITERS[type(record)](record)
    return {name: _in_utc(name, value) for name, value in document("updated", record, fields).items()}


def stage(each: Stage) -> JsonObject:
    """Return a stage."""
    return {**_named(each), "description": None, "objective": None, "order": each.order, **_dates(each)}


def webhook(registration: Registration) -> JsonObject:
    """Return a registered webhook, without what proves who posts."""
    return {
        "id": registration.id,
        "name": registration.name,
        "event_name": registration.event_name,
        "http_method": "POST",
        "url": registration.url,
        "status": registration.status,
        "created_at": _utc(registration.created_at),
        "updated_at": _utc(registration.updated_at),
    }


def secretive(registration: Registration) -> JsonObject:
    """Return a registered webhook with everything that was once sent."""
    keys: JsonObject = {"auth_header": registration.auth_header, "auth_key": registration.auth_key}
    return webhook(registration) | keys


def _deal(deal: Deal, fields: Sequence[CustomField]) -> JsonObject:
    """Return a deal; what it points at not is an empty text."""
    return {
        **_named(deal),
        "recurrence_price": deal.amount_monthly,
        "one_time_price": deal.amount_unique,
        "total_price": deal.amount_total,
        "expected_close_date": deal.prediction_date.isoformat() if deal.prediction_date else None,
        "rating": deal.rating,
        "status": deal.status,
        "closed_at": _utc(deal.closed_at) if deal.closed_at else None,
        **_dates(deal),
        "owner_id": deal.user.id,
        "pipeline_id": deal.pipeline.id,
        "stage_id": deal.stage.id,
        "source_id": _id(deal.source),
        "campaign_id": _id(deal.campaign),
        "lost_reason_id": _id(deal.lost_reason),
        "organization_id": _id(deal.organization),
        "contact_ids": [contact.id for contact in deal.contacts],
        "custom_fields": by_slug(deal.custom, fields),
    }


def _user(user: User) -> JsonObject:
    return {**_named(user), "email": user.email, "active": True, **_dates(user)}


def _pipeline(pipeline: Pipeline) -> JsonObject:
    return {**_named(pipeline), "order": pipeline.order, **_dates(pipeline)}


def _segment(segment: Segment) -> JsonObject:
    return {**_named(segment), **_dates(segment)}


def _field(field: CustomField) -> JsonObject:
    """Return a custom field; its name is what users call it."""
    return {
        **_named(field),
        "slug": field.slug,
        "entity": field.of,
        "type": field.type,
        "options": list(field.opts),
        "required": False,
        "unique": False,
        **_dates(field),
    }


_WRITERS: Final[Mapping[type, Callable[[Any], JsonObject]]] = {
    User: _user,
    Pipeline: _pipeline,
    Segment: _segment,
    CustomField: _field,
}


def _named(record: Record) -> JsonObject:
    return {"id": record.id, "name": record.name}


def _dates(record: Record) -> JsonObject:
    return {"created_at": _utc(record.created_at), "updated_at": _utc(record.updated_at)}


def _id(record: Record | None) -> str:
    return record.id if record else ""


def _in_utc(name: str, value: Json) -> Json:
    moment = instant(value) if name.endswith(("_at", "_date")) else None
    return _utc(moment) if moment else value


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
