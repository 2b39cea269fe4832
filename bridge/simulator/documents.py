"""What a webhook holds of an entity: deals nested with names, all others flat with ids, as the official samples do."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bridge.model import Action, Json, JsonObject
from bridge.rdstation.timestamps import as_document_time
from bridge.simulator.entities import (
    Campaign,
    Contact,
    CustomField,
    Deal,
    Item,
    LostReason,
    Organization,
    Product,
    Record,
    Source,
    Task,
)

EMPTY: Final[Mapping[str, Json]] = {"text": "", "multiple_choice": []}
"""How a field of a type is empty in flat documents; all others are null."""


def document(action: Action, record: Record, fields: Sequence[CustomField]) -> JsonObject:
    """Return the document of an event; that of a deletion holds only id and name."""
    if action == "deleted":
        return {"id": record.id, "name": record.name}
    return _WRITERS[record.kind](record, [field for field in fields if field.of == record.kind])


def named(record: Record | None) -> JsonObject:
    """Return what a deal tells of something that it points at."""
    return {"id": record.id, "name": record.name} if record else {}


def by_slug(custom: Mapping[str, Json], fields: Sequence[CustomField]) -> JsonObject:
    """Return the values of custom fields as flat documents hold them."""
    return {field.slug: custom.get(field.id, EMPTY.get(field.type)) for field in fields}


def item(sold: Item) -> JsonObject:
    """Return a product of a deal; webhooks are taken to write it as API v1 does, for no page says."""
    return {
        "id": sold.id,
        "product_id": sold.product.id,
        "name": sold.product.name,
        "description": sold.product.description,
        "base_price": sold.product.price,
        "price": sold.price,
        "amount": sold.amount,
        "discount": 0.0,
        "discount_type": "value",
        "recurrence": sold.product.recurrence,
        "total": sold.total,
    }


def _dates(record: Record) -> JsonObject:
    return {"created_at": as_document_time(record.created_at), "updated_at": as_document_time(record.updated_at)}


def _deal(deal: Deal, fields: Sequence[CustomField]) -> JsonObject:
    return {
        "id": deal.id,
        "name": deal.name,
        "amount_monthly": deal.amount_monthly,
        "amount_unique": deal.amount_unique,
        "amount_total": deal.amount_total,
        "prediction_date": deal.prediction_date.isoformat() if deal.prediction_date else None,
        **_dates(deal),
        "rating": deal.rating,
        "status": deal.status,
        "closed_at": as_document_time(deal.closed_at) if deal.closed_at else None,
        "user": {**named(deal.user), "email": deal.user.email, "avatar_url": None},
        "deal_stage": {
            **named(deal.stage),
            "nickname": deal.stage.nickname,
            **_dates(deal.stage),
            "order": deal.stage.order,
        },
        "deal_pipeline": named(deal.pipeline),
        "deal_source": named(deal.source),
        "campaign": named(deal.campaign),
        "deal_lost_reason": named(deal.lost_reason),
        "deal_custom_fields": [
            {"value": deal.custom.get(field.id), "custom_field": _definition(field)} for field in fields
        ],
        "deal_products": [item(sold) for sold in deal.items],
    }


def _definition(field: CustomField) -> JsonObject:
    return {
        "id": field.id,
        "label": field.name,
        "required": False,
        "unique": False,
        "opts": list(field.opts),
        "type": field.type,
    }


def _task(task: Task, _: Sequence[CustomField]) -> JsonObject:
    return {
        "id": task.id,
        "name": task.name,
        "description": task.description,
        "type": task.type,
        "status": task.status,
        "due_date": as_document_time(task.due_date),
        "created_by_id": task.created_by.id if task.created_by else "",
        "completed_at": as_document_time(task.completed_at) if task.completed_at else None,
        "completed_by_id": task.completed_by.id if task.completed_by else None,
        "deal_id": task.deal.id,
        "owner_ids": [owner.id for owner in task.owners],
        **_dates(task),
    }


def _contact(contact: Contact, fields: Sequence[CustomField]) -> JsonObject:
    """Return a contact; until one of its fields is filled, the CRM lists none of them."""
    return {
        "id": contact.id,
        "name": contact.name,
        "job_title": contact.job_title,
        "emails": [{"email": email} for email in contact.emails],
        "phones": [{"phone": phone, "type": "work"} for phone in contact.phones],
        "birthday": contact.birthday,
        "social_profiles": [],
        "organization_id": contact.organization.id if contact.organization else None,
        "custom_fields": by_slug(contact.custom, fields) if contact.custom else {},
        "legal_bases": [],
        **_dates(contact),
    }


def _organization(organization: Organization, fields: Sequence[CustomField]) -> JsonObject:
    return {
        "id": organization.id,
        "name": organization.name,
        "description": organization.description,
        "url": organization.url,
        "address": {"line": organization.line, "latitude": None, "longitude": None},
        "segment_ids": [segment.id for segment in organization.segments],
        "owner_id": organization.owner.id,
        "follower_ids": [follower.id for follower in organization.followers],
        "custom_fields": by_slug(organization.custom, fields),
        **_dates(organization),
    }


def _product(product: Product, fields: Sequence[CustomField]) -> JsonObject:
    return {
        "id": product.id,
        "name": product.name,
        "description": product.description,
        "visible": product.visible,
        "price": product.price,
        "custom_fields": by_slug({}, fields),
        **_dates(product),
    }


def _campaign(campaign: Campaign, _: Sequence[CustomField]) -> JsonObject:
    return {**named(campaign), "description": campaign.description, **_dates(campaign)}


def _plain(record: Source | LostReason, _: Sequence[CustomField]) -> JsonObject:
    return {**named(record), **_dates(record)}


_WRITERS: Final[Mapping[str, Callable[[Any, Sequence[CustomField]], JsonObject]]] = {
    "deal": _deal,
    "task": _task,
    "contact": _contact,
    "organization": _organization,
    "product": _product,
    "campaign": _campaign,
    "source": _plain,
    "lost_reason": _plain,
}
