"""Entities of API v1, as the facts of public clients show them, in the words of webhooks."""

from typing import Any

import pytest

from bridge.rdstation import SHAPES, normalise
from bridge.rdstation.api.translation import from_v1

DEAL: dict[str, Any] = {
    "_id": "d1",
    "id": "d1",
    "name": "Loja",
    "amount_montly": 10.0,
    "amount_unique": 20.0,
    "amount_total": 30.0,
    "prediction_date": None,
    "created_at": "2026-11-20T10:00:00.000-03:00",
    "updated_at": "2026-11-24T10:00:00.000-03:00",
    "rating": 3,
    "closed_at": "2026-11-24T10:00:00.000-03:00",
    "win": False,
    "hold": None,
    "user": {"_id": "u1", "id": "u1", "name": "Hian", "email": "hian@example.com"},
    "deal_stage": {"_id": "s1", "deal_pipeline_id": "p1", "name": "Proposta", "nickname": "P"},
    "deal_pipeline": {"id": "p1", "name": "Funil"},
    "deal_source": None,
    "deal_lost_reason": {"_id": "l1", "name": "Preço"},
    "deal_custom_fields": [
        {"value": "SP", "custom_field_id": "f1", "custom_field": {"_id": "f1", "label": "Unidade"}},
        {"value": "x", "custom_field_id": "f2"},
        None,
    ],
    "deal_products": [],
    "organization": {"_id": "o1", "name": "Loja Ltda"},
    "contacts": [{"id": "c1", "name": "Bia"}, {"name": "nobody"}],
}


def test_a_deal_speaks_the_nested_dialect_and_is_whole_when_normalised() -> None:
    told: dict[str, Any] = from_v1("deal", DEAL)
    assert told["status"] == "lost"
    assert told["amount_monthly"] == 10.0
    assert told["deal_stage"]["id"] == "s1"
    assert told["deal_source"] == {}
    assert (told["organization_id"], told["contact_ids"]) == ("o1", ["c1"])
    assert told["deal_custom_fields"][0]["custom_field"] == {"id": "f1", "label": "Unidade"}
    whole = normalise("deal", told, None)
    assert whole.keys() >= SHAPES["deal"].keys()
    assert whole["custom"] == {"Unidade": "SP", "f2": "x"}
    assert whole["deal_lost_reason"] == {"id": "l1", "name": "Preço"}


@pytest.mark.parametrize(
    ("win", "hold", "status"),
    [(None, None, "ongoing"), (None, True, "paused"), (True, None, "won"), (False, True, "lost")],
)
def test_win_and_hold_are_a_status(win: Any, hold: Any, status: str) -> None:
    assert from_v1("deal", {"id": "d1", "win": win, "hold": hold})["status"] == status


def test_what_v1_leaves_out_is_left_out() -> None:
    for kind in ("deal", "task", "contact", "organization", "user"):
        assert from_v1(kind, {"_id": "1"}) == {"id": "1"}


def test_a_task_has_the_names_of_webhooks() -> None:
    told: dict[str, Any] = {
        "_id": "t1",
        "subject": "Ligar",
        "notes": "de manhã",
        "type": "call",
        "done": False,
        "date": "2026-11-27T00:00:00.000-03:00",
        "hour": "14:30",
        "deal_id": "d1",
        "user_ids": ["u1"],
    }
    assert from_v1("task", told) == {
        "id": "t1",
        "name": "Ligar",
        "description": "de manhã",
        "type": "call",
        "status": "open",
        "due_date": "2026-11-27T14:30:00.000-03:00",
        "deal_id": "d1",
        "owner_ids": ["u1"],
    }
    assert from_v1("task", {"id": "t", "done": True, "date": "2026-11-27", "hour": None}) == {
        "id": "t",
        "status": "completed",
        "due_date": "2026-11-27",
    }
    nested = from_v1("task", {"id": "t", "deal": {"_id": "d1"}, "users": [{"id": "u1"}, {}]})
    assert nested == {"id": "t", "deal_id": "d1", "owner_ids": ["u1"]}


def test_a_contact_and_an_organization() -> None:
    contact: dict[str, Any] = {"id": "c1", "name": "Bia", "title": "CEO", "emails": [], "organization": {"id": "o1"}}
    assert from_v1("contact", contact) == {
        "id": "c1",
        "name": "Bia",
        "emails": [],
        "job_title": "CEO",
        "organization_id": "o1",
    }
    organization: dict[str, Any] = {"id": "o1", "name": "Loja", "resume": "vende", "user": {"id": "u1"}}
    assert from_v1("organization", organization) == {
        "id": "o1",
        "name": "Loja",
        "description": "vende",
        "owner_id": "u1",
    }


def test_a_person_and_a_stage_are_known_by_their_names() -> None:
    assert from_v1("user", {"_id": "u1", "name": "Hian", "email": "h@example.com", "x": 1}) == {
        "id": "u1",
        "name": "Hian",
        "email": "h@example.com",
    }
