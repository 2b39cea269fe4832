"""What people call the CRM's fields and values, for messages that tell what changed.

A key is a path (``deal_stage.name``), or a path with one of its values (``status=lost``); a path whose label is empty
is left out, for it tells a reader nothing. The Portuguese words are those of the CRM's own screens.
"""

from collections.abc import Mapping

_UNTOLD: Mapping[str, str] = dict.fromkeys(
    (
        "amount_annual",  # always equal to amount_total
        *("organization_id", "contact_ids", "deal_id", "segment_ids", "follower_ids"),
        *("owner_id", "owner_ids", "created_by_id", "completed_by_id"),
    ),
    "",
)
"""Bare ids, and what repeats another field."""

_PT: Mapping[str, str] = {
    **_UNTOLD,
    "name": "Nome",
    "status": "Situação",
    "status=ongoing": "em andamento",
    "status=won": "ganha",
    "status=lost": "perdida",
    "status=paused": "pausada",
    "status=open": "aberta",
    "status=completed": "concluída",
    "status=canceled": "cancelada",
    "rating": "Qualificação",
    "amount_total": "Valor total",
    "amount_unique": "Valor único",
    "amount_monthly": "Valor recorrente",
    "prediction_date": "Previsão de fechamento",
    "closed_at": "Fechada em",
    "user.name": "Responsável",
    "deal_stage.name": "Etapa",
    "deal_pipeline.name": "Funil",
    "deal_source.name": "Fonte",
    "campaign.name": "Campanha",
    "deal_lost_reason.name": "Motivo de perda",
    "deal_products": "Produtos",
    "description": "Descrição",
    "type": "Tipo",
    "type=task": "tarefa",
    "type=call": "ligação",
    "type=email": "e-mail",
    "type=meeting": "reunião",
    "type=lunch": "almoço",
    "type=visit": "visita",
    "type=whatsapp": "WhatsApp",
    "due_date": "Prazo",
    "completed_at": "Concluída em",
    "job_title": "Cargo",
    "emails": "E-mails",
    "phones": "Telefones",
    "birthday": "Aniversário",
    "price": "Preço",
    "url": "Site",
    "address": "Endereço",
    "visible": "Visível",
}

_EN: Mapping[str, str] = {
    **_UNTOLD,
    "name": "Name",
    "status": "Status",
    "rating": "Rating",
    "amount_total": "Total amount",
    "amount_unique": "One-time amount",
    "amount_monthly": "Recurring amount",
    "prediction_date": "Expected close",
    "closed_at": "Closed at",
    "user.name": "Owner",
    "deal_stage.name": "Stage",
    "deal_pipeline.name": "Pipeline",
    "deal_source.name": "Source",
    "campaign.name": "Campaign",
    "deal_lost_reason.name": "Lost reason",
    "deal_products": "Products",
    "description": "Description",
    "type": "Type",
    "due_date": "Due",
    "completed_at": "Completed at",
    "job_title": "Job title",
    "emails": "E-mails",
    "phones": "Phones",
    "birthday": "Birthday",
    "price": "Price",
    "url": "Website",
    "address": "Address",
    "visible": "Visible",
}

LABELS: Mapping[str, Mapping[str, str]] = {"pt": _PT, "en": _EN}
"""Per language, what a path or a value is called."""

AMOUNTS: frozenset[str] = frozenset({"amount_total", "amount_unique", "amount_monthly", "price"})
"""Paths whose numbers are money."""
