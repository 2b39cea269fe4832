"""Believable entities for the samples of triggers, in Portuguese as their users' own are."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TypeAlias

from bridge.model import Json

Example: TypeAlias = dict[str, Json | timedelta]
"""Fields of a document; a span of time stands for a moment, counted from when the sample is sent."""

_NOW = timedelta()
_OPEN: Example = {"status": "ongoing", "closed_at": None, "deal_lost_reason": {}}

EXAMPLES: Mapping[str, Example] = {
    "deal": {
        "name": "Padaria Estrela: plano anual",
        "amount_monthly": 450.0,
        "amount_unique": 10600.5,
        "amount_total": 11050.5,
        "created_at": timedelta(days=-19),
        "rating": 4,
        "user": {
            "id": "622e7fb2f678470c001576f4",
            "name": "Marina Duarte",
            "email": "marina.duarte@empresa.example",
            "avatar_url": None,
        },
        "deal_stage": {
            "id": "622e4cee412e87000d2f52a8",
            "name": "Proposta enviada",
            "nickname": "PE",
            "created_at": "2022-03-13T16:58:38.951-03:00",
            "updated_at": "2022-03-13T16:58:38.951-03:00",
            "order": 3,
        },
        "deal_source": {"id": "660d97d931bc1f001f76f339", "name": "Indicação"},
        "campaign": {"id": "67e698da77ca600014198b58", "name": "Páscoa 2026"},
    },
    "task": {
        "name": "Ligar para confirmar a proposta",
        "description": "Falar com a Ana sobre o prazo de implantação",
        "type": "call",
        "status": "open",
        "due_date": timedelta(hours=3),
        "completed_at": None,
        "completed_by_id": None,
        "created_at": timedelta(days=-2),
    },
    "contact": {
        "name": "Ana Beatriz Lima",
        "job_title": "Gerente de compras",
        "emails": [{"email": "ana.lima@padariaestrela.example"}],
        "phones": [{"phone": "+5511912345678", "type": "mobile"}],
        "created_at": timedelta(days=-19),
    },
    "organization": {
        "name": "Padaria Estrela",
        "url": "https://padariaestrela.example",
        "address": {"line": "Rua das Flores, 120, São Paulo", "latitude": None, "longitude": None},
        "created_at": timedelta(days=-19),
    },
    "product": {"name": "Plano anual", "description": "Licença por doze meses", "visible": True, "price": 450.0},
    "campaign": {"name": "Páscoa 2026", "description": "Oferta para padarias e confeitarias"},
    "source": {"name": "Indicação"},
    "lost_reason": {"name": "Preço acima do orçamento"},
}
"""Per kind, what differs from the documented sample of its update."""

_LOST: Example = {
    "status": "lost",
    "closed_at": _NOW,
    "deal_lost_reason": {"id": "67e6950e6555a5001984c936", "name": "Preço acima do orçamento"},
}

MOVES: Mapping[str, tuple[Example, Example]] = {
    "deal.won": (_OPEN, {"status": "won", "closed_at": _NOW}),
    "deal.lost": (_OPEN, _LOST),
    "deal.paused": (_OPEN, {"status": "paused"}),
    "deal.reopened": (_LOST, _OPEN),
    "deal.stage_changed": (
        _OPEN,
        {
            "deal_stage": {
                "id": "622e4cee412e87000d2f52a9",
                "name": "Negociação",
                "nickname": "NE",
                "created_at": "2022-03-13T16:58:38.951-03:00",
                "updated_at": "2022-03-13T16:58:38.951-03:00",
                "order": 4,
            }
        },
    ),
    "deal.owner_changed": (
        _OPEN,
        {
            "user": {
                "id": "611abc212df3bf001334f429",
                "name": "Rafael Nogueira",
                "email": "rafael.nogueira@empresa.example",
                "avatar_url": None,
            }
        },
    ),
    "deal.amount_changed": (_OPEN, {"amount_monthly": 600.0, "amount_total": 11200.5}),
    "task.completed": (
        {},
        {"status": "completed", "completed_at": _NOW, "completed_by_id": "5c954731d8fb6100335a00b6"},
    ),
    "task.canceled": ({}, {"status": "canceled"}),
    "task.rescheduled": ({}, {"due_date": timedelta(days=2)}),
}
"""Per trigger that compares with the last state: what the entity was, and what it became."""

REST: Mapping[str, Example] = {
    "deal": {
        "prediction_date": "2026-12-18",
        "closed_at": _NOW,
        "user": {
            "id": "622e7fb2f678470c001576f4",
            "name": "Marina Duarte",
            "email": "marina.duarte@empresa.example",
            "avatar_url": "https://empresa.example/marina.png",
        },
        "deal_lost_reason": {"id": "67e6950e6555a5001984c936", "name": "Preço acima do orçamento"},
        "deal_products": [
            {"id": "67e6a12577ca600017198b77", "name": "Plano anual", "amount": 1, "price": 450.0, "total": 450.0}
        ],
        "organization_id": "67eac0256282af00182eae63",
        "contact_ids": ["67eac31f6282af00162eae80"],
    },
    "task": {
        "created_by_id": "5c954731d8fb6100335a00b6",
        "completed_at": _NOW,
        "completed_by_id": "5c954731d8fb6100335a00b6",
    },
    "contact": {
        "birthday": "1988-04-21",
        "social_profiles": [{"type": "linkedin", "username": "ana-lima"}],
        "legal_bases": [{"category": "communications", "type": "consent", "status": "granted"}],
    },
    "organization": {
        "description": "Padaria e confeitaria",
        "address": {"line": "Rua das Flores, 120, São Paulo", "latitude": -23.55, "longitude": -46.63},
    },
    "lost_reason": {"description": "O cliente esperava um desconto maior"},
}
"""Per kind, what both the documented sample and the example leave empty."""
