"""What API v1 answers: ``_id`` beside ``id``, and other names than the webhooks have, ``amount_montly`` among them."""

from collections.abc import Sequence

from bridge.model import Json, JsonObject
from bridge.rdstation.timestamps import BRASILIA, as_document_time
from bridge.simulator import documents
from bridge.simulator.entities import (
    Contact,
    CustomField,
    Deal,
    Organization,
    Pipeline,
    Product,
    Record,
    Stage,
    Task,
    User,
)
from bridge.simulator.registrations import Registration

ACCOUNT = 1001
"""The number of the account that webhooks belong to."""


def plain(record: Record) -> JsonObject:
    """Return what has no more than a name and dates."""
    return {**_named(record), **_dates(record)}


def user(each: User) -> JsonObject:
    """Return a person of the team."""
    return {**plain(each), "email": each.email, "nickname": each.nickname, "active": True, "hidden": False}


def stage(each: Stage, pipeline: Pipeline) -> JsonObject:
    """Return a stage with its pipeline."""
    return {**_stage(each), "order": each.order, "objective": None, "deal_pipeline": _named(pipeline)}


def pipeline(each: Pipeline) -> JsonObject:
    """Return a pipeline with its stages."""
    return {**plain(each), "order": each.order, "deal_stages": [_stage(of) | {"order": of.order} for of in each.stages]}


def field(each: CustomField) -> JsonObject:
    """Return a custom field; its label is its name."""
    return {
        "_id": each.id,
        "id": each.id,
        "label": each.name,
        "for": each.of,
        "type": each.type,
        "opts": list(each.opts),
        "required": False,
        "unique": False,
        "visible": True,
        "allow_new": False,
        "order": 1,
        **_dates(each),
    }


def product(each: Product) -> JsonObject:
    """Return a product."""
    return {**plain(each), "description": each.description, "base_price": each.price, "visible": each.visible}


def listed_deal(deal: Deal, fields: Sequence[CustomField]) -> JsonObject:
    """Return a deal as lists have it: without its pipeline, source, campaign, lost reason and history."""
    return {
        **_named(deal),
        "amount_montly": deal.amount_monthly,
        "amount_unique": deal.amount_unique,
        "amount_total": deal.amount_total,
        "prediction_date": deal.prediction_date.isoformat() if deal.prediction_date else None,
        "closed_at": as_document_time(deal.closed_at) if deal.closed_at else None,
        "win": {"won": True, "lost": False}.get(deal.status),
        "hold": True if deal.status == "paused" else None,
        "rating": deal.rating,
        "interactions": 0,
        **_dates(deal),
        "user": user(deal.user),
        "deal_stage": _stage(deal.stage),
        "contacts": [_contact_of_deal(contact) for contact in deal.contacts],
        "deal_custom_fields": _custom(deal, deal.custom, fields),
        "deal_products": [
            documents.item(item)
            | {"_id": item.id, "amount_decimal": float(item.amount), "created_at": as_document_time(item.since)}
            for item in deal.items
        ],
    }


def deal(each: Deal, fields: Sequence[CustomField]) -> JsonObject:
    """Return a deal as it is got by its id, which alone has its history and the note about its loss."""
    whole = listed_deal(each, fields)
    return whole | {
        "user": _named(each.user),
        "deal_stage": {**_stage(each.stage), "deal_pipeline_id": each.pipeline.id},
        "deal_pipeline": documents.named(each.pipeline),
        "deal_source": _named(each.source) if each.source else None,
        "deal_source_id": each.source.id if each.source else None,
        "campaign": _named(each.campaign) if each.campaign else None,
        "campaign_id": each.campaign.id if each.campaign else None,
        "deal_lost_reason": _named(each.lost_reason) if each.lost_reason else None,
        "deal_lost_reason_id": each.lost_reason.id if each.lost_reason else None,
        "deal_lost_note": each.lost_note,
        "organization": _named(each.organization) if each.organization else None,
        "deal_stage_histories": _histories(each),
    }


def contact(each: Contact, fields: Sequence[CustomField]) -> JsonObject:
    """Return a contact."""
    return {
        **_named(each),
        **_contact_of_deal(each),
        "organization_id": each.organization.id if each.organization else None,
        "contact_custom_fields": _custom(each, each.custom, fields),
        "legal_bases": [],
        **_dates(each),
    }


def organization(each: Organization, fields: Sequence[CustomField]) -> JsonObject:
    """Return a company."""
    return {
        **plain(each),
        "resume": each.description,
        "url": each.url,
        "address": each.line,
        "user": _named(each.owner),
        "organization_segments": [_named(segment) for segment in each.segments],
        "followers": [_named(follower) for follower in each.followers],
        "custom_fields": _custom(each, each.custom, fields),
    }


def task(each: Task) -> JsonObject:
    """Return a task; v1 knows no canceled ones, they are just not done."""
    due = each.due_date.astimezone(BRASILIA)
    return {
        "_id": each.id,
        "id": each.id,
        "subject": each.name,
        "notes": each.description,
        "type": each.type,
        "date": as_document_time(due),
        "hour": f"{due:%H:%M}",
        "done": each.status == "completed",
        "done_date": as_document_time(each.completed_at) if each.completed_at else None,
        "user_ids": [owner.id for owner in each.owners],
        "users": [user(owner) for owner in each.owners],
        "deal_id": each.deal.id,
        "deal": _named(each.deal),
        **_dates(each),
    }


def webhook(registration: Registration) -> JsonObject:
    """Return a registered webhook."""
    return {
        "uuid": registration.id,
        "event_type": registration.event_name,
        "http_method": "POST",
        "url": registration.url,
        "status": registration.status,
        "source": "CRM",
        "name": registration.name,
        "created_via": "api",
        "platform_account_id": ACCOUNT,
        "event_identifiers": [],
        "include_relations": ["CONTACT_FUNNEL", "COMPANY"],
        "created_at": as_document_time(registration.created_at),
        "updated_at": as_document_time(registration.updated_at),
    }


def _named(record: Record) -> JsonObject:
    return {"_id": record.id, "id": record.id, "name": record.name}


def _dates(record: Record) -> JsonObject:
    return {"created_at": as_document_time(record.created_at), "updated_at": as_document_time(record.updated_at)}


def _stage(each: Stage) -> JsonObject:
    return {**plain(each), "nickname": each.nickname}


def _histories(each: Deal) -> list[Json]:
    ends = [*(as_document_time(since) for _, since in each.stays[1:]), None]
    return [
        {
            "_id": f"{each.id[:20]}{number:04x}",
            "id": f"{each.id[:20]}{number:04x}",
            "deal_stage_id": of.id,
            "start_date": as_document_time(since),
            "end_date": end,
        }
        for number, ((of, since), end) in enumerate(zip(each.stays, ends, strict=True))
    ]


def _contact_of_deal(each: Contact) -> JsonObject:
    return {
        "name": each.name,
        "title": each.job_title,
        "notes": None,
        "emails": [{"email": email} for email in each.emails],
        "phones": [{"phone": phone, "type": "work"} for phone in each.phones],
        "birthday": _birthday(each.birthday),
        "facebook": None,
        "linkedin": None,
        "skype": None,
    }


def _birthday(text: str | None) -> Json:
    if text is None:
        return None
    year, month, day = map(int, text.split("-"))
    return {"day": day, "month": month, "year": year or None}


def _custom(record: Record, custom: dict[str, Json], fields: Sequence[CustomField]) -> list[Json]:
    return [
        {"custom_field_id": each.id, "value": custom[each.id], "custom_field": field(each), **_dates(record)}
        for each in fields
        if each.id in custom
    ]
