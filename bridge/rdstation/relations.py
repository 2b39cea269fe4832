"""What templates reach from an entity: whose ids its webhooks bring, and what of that is told by the CRM's API alone.

No deal event of the nested dialect holds contacts or an organization; the flat dialect has ids where the other has
names; tasks, contacts and organizations have nothing but ids.
"""

from collections.abc import Mapping
from typing import Final

from bridge.component.source import Relation
from bridge.model import JsonObject

_NAMED: Final[JsonObject] = {"id": None, "name": None}
_COMPLETED: Final[Mapping[str, str]] = {
    "user": "user",
    "deal_stage": "deal_stage",
    "deal_pipeline": "deal_pipeline",
    "deal_lost_reason": "lost_reason",
    "deal_source": "source",
    "campaign": "campaign",
}
"""Fields of a deal that hold a part of something, with its kind."""

RELATIONS: Final[Mapping[str, Mapping[str, Relation]]] = {
    "deal": {
        "contacts": Relation("contact", "contact_ids", many=True),
        "organization": Relation("organization", "organization_id"),
        **{field: Relation(kind, f"{field}.id", completes=True) for field, kind in _COMPLETED.items()},
    },
    "task": {
        "deal": Relation("deal", "deal_id"),
        "owners": Relation("user", "owner_ids", many=True),
    },
    "contact": {"organization": Relation("organization", "organization_id")},
    "organization": {"owner": Relation("user", "owner_id")},
}
"""Per kind, what is reached from it by which name."""

RELATED_SHAPES: Final[Mapping[str, JsonObject]] = {
    "user": {**_NAMED, "email": None},
    "deal_stage": {**_NAMED, "nickname": None, "order": None},
    "deal_pipeline": _NAMED,
}
"""The kinds that no event is about."""
