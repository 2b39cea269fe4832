"""What API v1 holds of an entity, in the words that webhooks use for it. API v2 uses them itself.

v1 writes ``amount_montly``, tells of a status by ``win`` and ``hold``, calls a contact's job ``title``, and of a task
has ``subject``, ``notes``, ``done``, ``date`` with ``hour``, and ``user_ids``; ids stand under ``_id`` or ``id``.
What v1 leaves out is left out.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from bridge.model import Json, JsonObject

Translate: TypeAlias = Callable[[JsonObject], JsonObject]

_DEAL_SAME: Final = (
    "amount_unique",
    "amount_total",
    "prediction_date",
    "rating",
    "closed_at",
    "deal_products",
)
_DEAL_RELATIONS: Final = ("user", "deal_stage", "deal_pipeline", "deal_source", "campaign", "deal_lost_reason")
_CONTACT_SAME: Final = ("emails", "phones", "birthday", "legal_bases")
_BASIC: Final = ("name", "created_at", "updated_at")


def deal(told: JsonObject) -> JsonObject:
    """Return a deal in the nested dialect, with ids of its organization and contacts."""
    found = _taken(told, *_BASIC, *_DEAL_SAME)
    found |= {field: _with_id(told[field]) for field in _DEAL_RELATIONS if field in told}
    if "amount_montly" in told or "amount_monthly" in told:
        found["amount_monthly"] = told.get("amount_montly", told.get("amount_monthly"))
    if "win" in told:
        found["status"] = _status(told)
    if isinstance(fields := told.get("deal_custom_fields"), list):
        found["deal_custom_fields"] = [_custom_field(field) for field in fields if isinstance(field, dict)]
    if "organization" in told:
        found["organization_id"] = _id(told["organization"])
    if isinstance(contacts := told.get("contacts"), list):
        found["contact_ids"] = [_id(contact) for contact in contacts if _id(contact)]
    return found


def task(told: JsonObject) -> JsonObject:
    """Return a task."""
    found = _taken(told, *_BASIC, "type", "deal_id")
    names = {"subject": "name", "notes": "description", "user_ids": "owner_ids", "done_date": "completed_at"}
    found |= {ours: told[theirs] for theirs, ours in names.items() if theirs in told}
    if "done" in told:
        found["status"] = "completed" if told["done"] else "open"
    if "date" in told:
        found["due_date"] = _due(told["date"], told.get("hour"))
    if "deal" in told:
        found.setdefault("deal_id", _id(told["deal"]))
    if isinstance(users := told.get("users"), list):
        found.setdefault("owner_ids", [_id(user) for user in users if _id(user)])
    return found


def contact(told: JsonObject) -> JsonObject:
    """Return a contact."""
    found = _taken(told, *_BASIC, *_CONTACT_SAME, "organization_id")
    if "title" in told:
        found["job_title"] = told["title"]
    if "organization" in told:
        found.setdefault("organization_id", _id(told["organization"]))
    return found


def organization(told: JsonObject) -> JsonObject:
    """Return an organization."""
    found = _taken(told, *_BASIC, "url", "description")
    if "resume" in told:
        found.setdefault("description", told["resume"])
    if "user" in told:
        found["owner_id"] = _id(told["user"])
    return found


def _known_by_name(told: JsonObject) -> JsonObject:
    """Return what is known by its name: a user, a stage, a pipeline, a lost reason."""
    return _taken(
        told, *_BASIC, "email", "active", "nickname", "order", "deal_pipeline_id", "description", "label", "for"
    )


FROM_V1: Final[Mapping[str, Translate]] = {
    "deal": deal,
    "task": task,
    "contact": contact,
    "organization": organization,
}


def from_v1(kind: str, told: JsonObject) -> JsonObject:
    """Return an entity of a kind in the words of webhooks."""
    return FROM_V1.get(kind, _known_by_name)(told)


def _taken(told: JsonObject, *fields: str) -> JsonObject:
    return {"id": _id(told), **{field: told[field] for field in fields if field in told}}


def _id(told: Json) -> Json:
    return (told.get("id") or told.get("_id")) if isinstance(told, dict) else None


def _with_id(told: Json) -> Json:
    """Return a relation under one name of its id; one that is unset as webhooks write it."""
    if not isinstance(told, dict) or not told:
        return {}
    return {"id": _id(told), **{name: value for name, value in told.items() if name != "_id"}}


def _status(told: JsonObject) -> str:
    if told["win"] is not None:
        return "won" if told["win"] else "lost"
    return "paused" if told.get("hold") else "ongoing"


def _custom_field(field: JsonObject) -> JsonObject:
    defined = field.get("custom_field")
    known = _with_id(defined) if isinstance(defined, dict) else {"id": field.get("custom_field_id")}
    return {"value": field.get("value"), "custom_field": known}


def _due(day: Json, hour: Json) -> Json:
    """Return a day and an hour of Brasília as one moment; a day alone as it is."""
    if not isinstance(day, str) or not isinstance(hour, str) or not hour:
        return day
    return f"{day[:10]}T{hour[:5]}:00.000-03:00"
