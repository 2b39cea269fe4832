"""The CRM's entities and events: eight kinds, three actions, 24 names.

The official webhook page documents 23 of them; the CRM's API v2 also offers ``crm_task_deleted``.
"""

from collections.abc import Mapping

from bridge.model import Action

KINDS: tuple[str, ...] = ("deal", "task", "contact", "organization", "product", "campaign", "source", "lost_reason")

ACTIONS: tuple[Action, ...] = ("created", "updated", "deleted")


def event_name(kind: str, action: Action) -> str:
    """Return the CRM's name for what happened to a kind of entity: ``crm_deal_created``."""
    return f"crm_{kind}_{action}"


MEANINGS: Mapping[str, tuple[str, Action]] = {
    event_name(kind, action): (kind, action) for kind in KINDS for action in ACTIONS
}
"""Every event name with the kind of entity it is about and what happened to it."""

EVENTS: Mapping[str, str] = {name: kind for name, (kind, _) in MEANINGS.items()}
"""Every event name with the kind of entity it is about."""

REFERENCES: Mapping[str, Mapping[str, str]] = {
    "deal": {
        "organization": "organization_id",
        "campaign": "campaign.id",
        "source": "deal_source.id",
        "lost_reason": "deal_lost_reason.id",
    },
    "task": {"deal": "deal_id"},
    "contact": {"organization": "organization_id"},
}
"""Per kind, the kinds it points at and by which path."""

QUIET: frozenset[str] = frozenset({"updated_at", "deal_custom_fields", "custom_fields"})
"""Fields that never count as a change: one moves with every edit, the others repeat ``custom``."""

DATED_BY: Mapping[str, tuple[str, str]] = {"deal": ("status", "closed_at"), "task": ("status", "completed_at")}
"""Per kind, the path whose change the document dates, and the field that dates it."""

CHOICES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "deal": {"status": frozenset({"ongoing", "won", "lost", "paused"})},
    "task": {
        "status": frozenset({"open", "completed", "canceled"}),
        "type": frozenset({"call", "email", "meeting", "task", "visit", "lunch", "whatsapp"}),
    },
}
"""Per kind, the fields that hold one of a few texts, and these texts."""

_DATED = frozenset({"id", "name", "created_at", "updated_at"})
_AMOUNTS = frozenset({"amount_total", "amount_annual", "amount_unique", "amount_monthly"})

CERTAIN: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(KINDS, _DATED),
    "deal": _DATED | _AMOUNTS | {"status", "user.id", "deal_stage.id", "deal_pipeline.id"},
    "task": _DATED | {"status", "type"},
}
"""Per kind, the fields that each event but a deletion fills: an amount of nothing is 0, and whose deal it is, known."""
