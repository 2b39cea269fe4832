from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.document import differences, lookup
from bridge.model import JsonObject
from bridge.rdstation import KINDS, QUIET, SHAPES, normalise
from tests.routing.building import json_values

PAYLOADS = Path(__file__).parents[1] / "payloads" / "rdstation"


def document(name: str) -> dict[str, Any]:
    return orjson.loads((PAYLOADS / f"{name}.json").read_bytes())["document"]  # type: ignore[no-any-return] # payloads hold objects


def deal(last: JsonObject | None = None, **fields: Any) -> JsonObject:
    return normalise("deal", fields, last)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_of_nothing_has_the_full_shape(kind: str) -> None:
    empty = normalise(kind, {}, None)
    assert empty.keys() == SHAPES[kind].keys()
    assert empty.keys() == normalise(kind, {"id": "1", "name": "A"}, None).keys()
    assert lookup(empty, "id") is None


SHARED = (
    *("user.id", "deal_stage.id", "deal_pipeline.id", "deal_source.id", "campaign.id", "deal_lost_reason.id"),
    *(
        "amount_total",
        "amount_annual",
        "amount_unique",
        "amount_monthly",
        "prediction_date",
        "status",
        "name",
        "rating",
    ),
    *("closed_at", "created_at", "updated_at", "custom.whatsapp", "custom.unidade", "custom.qual-a-sua-idade"),
)
"""What both dialects say of a deal."""


def test_both_dialects_of_a_deal_come_to_one_shape() -> None:
    nested = normalise("deal", document("crm_deal_updated__ongoing"), None)
    flat = normalise("deal", document("crm_deal_updated__v2_dialect"), None)
    assert flat.keys() == nested.keys()
    for path in SHARED:
        assert lookup(flat, path) == lookup(nested, path), path


def test_a_flat_deal_after_a_nested_one_differs_only_in_what_the_nested_dialect_never_says() -> None:
    nested = normalise("deal", document("crm_deal_updated__ongoing"), None)
    flat = normalise("deal", document("crm_deal_updated__v2_dialect"), nested)
    assert differences(nested, flat, QUIET) == {
        "organization_id": (None, "67eac0256282af00182eae63"),
        "contact_ids": (None, ["67eac31f6282af00162eae80"]),
    }


def test_a_nested_deal_after_a_flat_one_keeps_what_only_the_flat_dialect_says() -> None:
    flat = normalise("deal", document("crm_deal_updated__v2_dialect"), None)
    nested = normalise("deal", document("crm_deal_updated__ongoing"), flat)
    assert nested["contact_ids"] == ["67eac31f6282af00162eae80"]
    assert lookup(nested, "deal_stage.name") == "Proposta"


def test_a_name_is_lent_only_to_the_same_id() -> None:
    last = deal(deal_stage={"id": "1", "name": "Proposta", "order": 3}, user={"id": "u", "name": "Ana"})
    assert lookup(deal(last, stage_id="1"), "deal_stage.name") == "Proposta"
    assert lookup(deal(last, stage_id="2"), "deal_stage.name") is None
    assert lookup(deal(last, deal_stage={"id": "1", "name": None}), "deal_stage.name") is None
    assert lookup(deal(last, owner_id=None), "user") == {"id": None, "name": None, "email": None, "avatar_url": None}


@pytest.mark.parametrize("empty", [{}, None, "", []])
def test_an_unset_relation_has_its_full_empty_shape(empty: Any) -> None:
    last = deal(campaign={"id": "1", "name": "Páscoa"})
    assert deal(last, campaign=empty)["campaign"] == {"id": None, "name": None}


def test_a_relation_that_is_no_object_is_kept_as_it_came() -> None:
    assert deal(user="Ana")["user"] == "Ana"
    assert deal({"user": "Ana"}, user={"id": "1"})["user"] == {
        "id": "1",
        "name": None,
        "email": None,
        "avatar_url": None,
    }


def test_what_a_document_leaves_out_the_last_one_lends() -> None:
    last = deal(name="A", rating=4, custom_fields={"unidade": "SP"})
    later = deal(last, id="1", rating=None)
    assert (later["name"], later["rating"], later["custom"]) == ("A", None, {"unidade": "SP"})


@pytest.mark.parametrize(
    ("sent", "total"),
    [
        ({"amount_total": 5}, 5),
        ({"amount_annual": 5}, 5),
        ({"total_price": 5}, 5),
        ({"amount_total": None, "amount_annual": 5}, 5),
        ({"amount_total": 0, "amount_annual": 5}, 0),
        ({}, None),
    ],
)
def test_the_total_is_one_amount_under_both_its_names(sent: JsonObject, total: float | None) -> None:
    found = deal(None, **sent)
    assert (found["amount_total"], found["amount_annual"]) == (total, total)


def test_the_nested_words_win_over_the_flat_ones() -> None:
    nested = {"id": "1", "name": "Proposta"}
    for sent in ({"deal_stage": nested, "stage_id": "2"}, {"stage_id": "2", "deal_stage": nested}):
        assert lookup(deal(None, **sent), "deal_stage.id") == "1"


def field(value: Any, label: Any = "Unidade", id_: Any = "9") -> dict[str, Any]:
    return {"value": value, "custom_field": {"id": id_, "label": label}}


def test_custom_fields_are_found_by_label_slug_and_id() -> None:
    found = normalise("deal", document("crm_deal_updated__ongoing"), None)
    for name in ("Unidade", "unidade", "6258480fd71568001128705a"):
        assert lookup(found, f"custom.{name}") == ["São Paulo"]
    assert lookup(found, "custom.Qual a sua idade?") == "42"
    assert "custom_fields" not in found
    assert found["deal_custom_fields"] == document("crm_deal_updated__ongoing")["deal_custom_fields"]


def test_two_fields_of_one_label_keep_both_values() -> None:
    found = deal(deal_custom_fields=[field("SP"), field("RJ", id_="10")])
    assert found["custom"] == {"Unidade": "SP", "10": "RJ"}


@pytest.mark.parametrize(
    "odd", [None, "text", 5, {}, {"value": 1}, {"custom_field": None}, field(1, None, None), field(1, "", 7)]
)
def test_a_custom_field_without_a_name_is_left_out(odd: Any) -> None:
    assert deal(deal_custom_fields=[odd, field("SP")])["custom"] == {"Unidade": "SP"}


def test_slugs_of_other_entities_stay_as_they_are() -> None:
    contact = normalise("contact", document("crm_contact_updated__birthday_without_year"), None)
    assert contact["custom"] == {"cnpj-41d5": "12.345.678/0001-90", "interesses": ["Plano anual", "Suporte"]}
    assert lookup(contact, "custom.CNPJ") == "12.345.678/0001-90"
    later = normalise("contact", {"custom_fields": {"cnpj-41d5": "1", "cnpj": "2"}}, contact)
    assert later["custom"] == {"cnpj-41d5": "1", "cnpj": "2"}


def test_an_address_that_is_gone_has_its_empty_shape() -> None:
    found = normalise("organization", document("crm_organization_updated__no_address"), None)
    assert found["address"] == {"line": None, "latitude": None, "longitude": None}


def test_fields_that_no_shape_knows_are_kept() -> None:
    assert deal(deal_stage={"id": "1", "color": "red"}, hold=True)["hold"] is True
    assert lookup(deal(deal_stage={"id": "1", "color": "red"}), "deal_stage.color") == "red"


def test_products_are_kept_as_they_came() -> None:
    found = normalise("deal", document("crm_deal_updated__products"), None)
    assert lookup(found, "deal_products.name") == ["Plano anual", "Implantação"]


FIELDS = st.sampled_from(
    [*SHAPES["deal"], "custom_fields", "stage_id", "owner_id", "total_price", "address", "emails", "x"]
)
SENT = st.dictionaries(FIELDS, json_values(), max_size=6)


@given(st.sampled_from(KINDS), SENT, st.none() | SENT)
def test_no_document_can_break_it_and_none_is_changed(kind: str, sent: JsonObject, last: JsonObject | None) -> None:
    before = deepcopy((sent, last))
    found = normalise(kind, sent, last)
    assert found.keys() >= SHAPES[kind].keys()
    assert (sent, last) == before


@given(st.sampled_from(KINDS), SENT)
def test_a_document_told_again_is_no_change(kind: str, sent: JsonObject) -> None:
    once = normalise(kind, sent, None)
    assert differences(once, normalise(kind, sent, once), QUIET) == {}
