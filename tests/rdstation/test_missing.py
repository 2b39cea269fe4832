"""What the API tells, as the webhooks that were missed: what is news, and what is only written in another way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from bridge.component.source import Found
from bridge.model import Entity, EntityState, Event, JsonObject, Origin, found_key
from bridge.rdstation import normalise
from bridge.sources.rdstation_crm import RdStationCrm, RdStationCrmOptions

SOURCE = RdStationCrm("crm", RdStationCrmOptions())
SINCE = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WEBHOOK: JsonObject = {
    "id": "d1",
    "name": "Loja",
    "status": "ongoing",
    "amount_total": 10,
    "closed_at": None,
    "created_at": "2026-11-01T09:00:00.000-03:00",
    "updated_at": "2026-11-24T08:00:00.000-03:00",
    "user": {"id": "u1", "name": "Bia", "email": "bia@example.com"},
    "deal_stage": {"id": "s1", "name": "Proposta", "nickname": "P", "order": 2},
    "deal_pipeline": {"id": "p1", "name": "Vendas"},
    "deal_lost_reason": {},
    "deal_products": [],
}
FLAT: JsonObject = {
    "id": "d1",
    "name": "Loja",
    "status": "lost",
    "total_price": 10,
    "closed_at": "2026-11-24T12:30:00.000Z",
    "created_at": "2026-11-01T12:00:00.000Z",
    "updated_at": "2026-11-24T12:30:00.000Z",
    "owner_id": "u1",
    "stage_id": "s2",
    "pipeline_id": "p1",
    "lost_reason_id": "r1",
    "organization_id": "o1",
    "contact_ids": ["c1"],
}
NAMES = {"deal_stage": {"s2": "Fechamento"}, "lost_reason": {"r1": "Preço"}, "user": {"u1": "Bia"}}


def known(document: JsonObject = WEBHOOK, **more: Any) -> EntityState:
    version = int(datetime.fromisoformat(str(document["updated_at"])).timestamp() * 1e6)
    return EntityState("crm", Entity("deal", "d1"), normalise("deal", document, None), version, "evt_0", **more)


def missed(document: JsonObject, last: EntityState | None, kind: str = "deal") -> list[Any]:
    return list(SOURCE.missed(Found(kind, document, SINCE, NAMES), last))


def test_a_loss_is_told_as_a_webhook_tells_it() -> None:
    [body] = missed(FLAT, known())
    document = body["document"]
    assert body["event_name"] == "crm_deal_updated"
    assert document["deal_lost_reason"] == {"id": "r1", "name": "Preço"}
    assert document["deal_stage"] == {"id": "s2", "name": "Fechamento"}
    assert document["closed_at"] == document["updated_at"] == "2026-11-24T09:30:00.000-03:00"
    assert document.keys().isdisjoint({"organization_id", "contact_ids", "deal_products"})
    assert missed(FLAT, known()) == [body], "found twice, it is the same"


@pytest.mark.parametrize(
    "change",
    [
        {"updated_at": "2026-11-24T11:00:00.000Z"},
        {"updated_at": "2026-11-24T10:59:00.000Z"},
        {"status": "ongoing", "closed_at": "", "stage_id": "s1", "lost_reason_id": None},
        {"updated_at": None},
        {"updated_at": "2026-11-24T11:59:59.000Z"},
    ],
    ids=["the same edit", "an older one", "another way of writing", "no time", "before the gap"],
)
def test_what_is_known_is_no_news(change: JsonObject) -> None:
    assert missed({**FLAT, **change}, known()) == []


def test_a_deal_that_was_made_in_the_gap_is_created() -> None:
    [body] = missed({**FLAT, "created_at": "2026-11-24T12:10:00.000Z"}, None)
    assert body["event_name"] == "crm_deal_created"
    [body] = missed(FLAT, None)
    assert body["event_name"] == "crm_deal_updated", "one that is older was there before"


def test_a_deal_that_was_lost_twice_was_reopened_in_between() -> None:
    lost = {"status": "lost", "closed_at": "2026-11-23T08:00:00.000-03:00"}
    opened, body = missed(FLAT, known({**WEBHOOK, **lost}))
    assert (opened["document"]["status"], opened["document"]["closed_at"]) == ("ongoing", None)
    assert opened["document"]["updated_at"] < body["document"]["updated_at"]
    assert opened["transaction_uuid"] != body["transaction_uuid"]


@pytest.mark.parametrize(
    ("closed", "dated"), [("2026-11-24T12:05:00.000Z", ["status"]), ("2026-11-23T12:00:00.000Z", [])]
)
def test_at_first_sight_only_what_was_closed_in_the_gap_is_fresh(closed: str, dated: list[str]) -> None:
    [body] = missed({**FLAT, "closed_at": closed, "updated_at": "2026-11-24T15:00:00.000Z"}, None)
    raw = orjson.dumps(body)
    read = SOURCE.read(raw)
    keys = {Origin.REPAIRED: found_key(Origin.REPAIRED, read.dedup_key), Origin.WEBHOOK: read.dedup_key}
    for origin, key in keys.items():
        event = Event("evt_1", "crm", read.name, read.entity, key, raw, SINCE + timedelta(hours=9))
        assert event.origin is origin
        fresh = SOURCE.interpret(event, None).dated
        assert sorted(fresh or ()) == (dated if origin is Origin.REPAIRED else [])


def test_no_webhook_passes_for_one_that_was_found() -> None:
    forged = {"event_name": "crm_deal_updated", "document": {"id": "repaired:1"}, "transaction_uuid": "repaired:2"}
    read = SOURCE.read(orjson.dumps(forged))
    assert Event("evt_1", "crm", read.name, read.entity, read.dedup_key, b"", SINCE).origin is Origin.WEBHOOK


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("task", {"status": "open", "due_date": "2026-12-01T10:00:00.000-03:00"}, {"status": "completed"}),
        ("contact", {"name": "Bia", "emails": [{"email": "a@example.com"}]}, {"emails": [{"email": "b@example.com"}]}),
        ("organization", {"name": "Loja"}, {"name": "Loja Nova"}),
    ],
)
def test_of_other_kinds_what_differs_is_news_too(kind: str, before: JsonObject, after: JsonObject) -> None:
    old: JsonObject = {"id": "x", "updated_at": "2026-11-24T08:00:00.000-03:00", **before}
    version = int(datetime.fromisoformat(str(old["updated_at"])).timestamp() * 1e6)
    last = EntityState("crm", Entity(kind, "x"), normalise(kind, old, None), version, "evt_0")
    new = {**old, "updated_at": "2026-11-24T12:30:00.000Z"}
    assert missed(new, last, kind) == []
    [body] = missed({**new, **after}, last, kind)
    assert body["event_name"] == f"crm_{kind}_updated"
