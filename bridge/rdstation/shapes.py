"""The full shape of each entity: every path that the CRM's samples, its page and captured payloads show.

The deal is in the words of its nested dialect, with what only the flat one knows (``organization_id``,
``contact_ids``); the page's ``amount_annual`` and the samples' ``amount_total`` are both there, and equal.
"""

from collections.abc import Mapping

from bridge.model import JsonObject

_DATES: JsonObject = {"created_at": None, "updated_at": None}
_NAMED: JsonObject = {"id": None, "name": None}

DEAL: JsonObject = {
    **_NAMED,
    "amount_monthly": None,
    "amount_unique": None,
    "amount_total": None,
    "amount_annual": None,
    "prediction_date": None,
    **_DATES,
    "rating": None,
    "status": None,
    "closed_at": None,
    "user": {**_NAMED, "email": None, "avatar_url": None},
    "deal_stage": {**_NAMED, "nickname": None, **_DATES, "order": None},
    "deal_pipeline": _NAMED,
    "deal_source": _NAMED,
    "campaign": _NAMED,
    "deal_lost_reason": _NAMED,
    "deal_custom_fields": [],
    "deal_products": [],
    "organization_id": None,
    "contact_ids": [],
    "custom": {},
}

TASK: JsonObject = {
    **_NAMED,
    "description": None,
    "type": None,
    "status": None,
    "due_date": None,
    "created_by_id": None,
    "completed_at": None,
    "completed_by_id": None,
    "deal_id": None,
    "owner_ids": [],
    **_DATES,
}

CONTACT: JsonObject = {
    **_NAMED,
    "job_title": None,
    "emails": [{"email": None}],
    "phones": [{"phone": None, "type": None}],
    "birthday": None,
    "social_profiles": [],
    "organization_id": None,
    "custom_fields": {},
    "legal_bases": [],
    **_DATES,
    "custom": {},
}

ORGANIZATION: JsonObject = {
    **_NAMED,
    "description": None,
    "url": None,
    "address": {"line": None, "latitude": None, "longitude": None},
    "segment_ids": [],
    "owner_id": None,
    "follower_ids": [],
    "custom_fields": {},
    **_DATES,
    "custom": {},
}

PRODUCT: JsonObject = {
    **_NAMED,
    "description": None,
    "visible": None,
    "price": None,
    "custom_fields": {},
    **_DATES,
    "custom": {},
}

SHAPES: Mapping[str, JsonObject] = {
    "deal": DEAL,
    "task": TASK,
    "contact": CONTACT,
    "organization": ORGANIZATION,
    "product": PRODUCT,
    "campaign": {**_NAMED, "description": None, **_DATES},
    "source": {**_NAMED, **_DATES},
    "lost_reason": {**_NAMED, "description": None, **_DATES},
}
"""Per kind, an empty document in full shape; lists show the shape of their items where it is known."""
