from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.document import (
    LABEL,
    custom_value,
    differences,
    is_empty,
    lookup,
    same,
    slot,
    slug,
    unfilled,
    unknown_segment,
)
from bridge.model import Json, JsonObject
from tests.routing.building import documents, json_values

DEAL: JsonObject = {
    "name": "Padaria",
    "deal_stage": {"name": "Proposta", "order": 3},
    "emails": [{"email": "a@x.example"}, {"email": None}, {}, {"email": "b@x.example"}],
    "deal_products": [{"tags": ["x", "y"]}, {"tags": ["z"]}],
    "deal_custom_fields": [{"value": "SP", "custom_field": {"id": "625848", "label": "Unidade"}}],
    "custom": {"Unidade": "SP", "Qual a sua idade?": "42", "cnpj-41d5": "123", "Ex. de nome": "n", "Vazio": None},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Padaria"),
        ("deal_stage.name", "Proposta"),
        ("deal_stage", {"name": "Proposta", "order": 3}),
        ("absent", None),
        ("deal_stage.absent", None),
        ("name.more", None),
        ("absent.more", None),
        ("", None),
        ("emails.email", ["a@x.example", "b@x.example"]),
        ("emails.absent", []),
        ("deal_products.tags", ["x", "y", "z"]),
        ("custom.Unidade", "SP"),
        ("custom.unidade", "SP"),
        ("custom.Qual a sua idade?", "42"),
        ("custom.qual-a-sua-idade", "42"),
        ("custom.Ex. de nome", "n"),
        ("custom.CNPJ", "123"),
        ("custom.cnpj-41d5", "123"),
        ("custom.625848", "SP"),
        ("custom.Nenhum", None),
        ("custom.???", None),
        ("custom", DEAL["custom"]),
    ],
)
def test_a_path_reads_what_stands_there(path: str, value: Json) -> None:
    assert lookup(DEAL, path) == value


@pytest.mark.parametrize("document", [None, "text", 1, [], {}, {"custom": "text"}, {"custom": None}])
def test_a_custom_field_of_a_document_without_any_is_absent(document: Json) -> None:
    assert lookup(document, "custom.Unidade") is None
    assert custom_value(document, "Unidade") is None


def test_a_document_that_is_a_list_is_read_through() -> None:
    assert lookup([{"a": 1}, {"a": 2}], "a") == [1, 2]


def test_a_slug_that_could_mean_two_fields_means_none() -> None:
    assert custom_value({"custom": {"cnpj-41d5": "1", "cnpj-7a3b": "2"}}, "cnpj") is None
    assert custom_value({"custom": {"CNPJ": "1", "cnpj!": "2"}}, "cnpj") is None


def test_a_word_of_four_letters_is_no_suffix() -> None:
    assert custom_value({"custom": {"tipo-cafe": "arábica"}}, "tipo") is None


@pytest.mark.parametrize(
    "definitions",
    [None, "text", [None], [{"custom_field": None}], [{"custom_field": {"id": "9", "label": 5}}], [{"value": 1}]],
)
def test_an_id_is_looked_for_in_whatever_stands_there(definitions: Json) -> None:
    assert custom_value({"custom": {"A": 1}, "deal_custom_fields": definitions}, "9") is None


@pytest.mark.parametrize("value", [None, "", [], {}, {"a": None}, {"a": {"b": ""}, "c": []}])
def test_emptiness_is_one_thing(value: Json) -> None:
    assert is_empty(value)


@pytest.mark.parametrize("value", [0, 0.0, False, " ", "x", [None], [{}], {"a": 0}, {"a": None, "b": "x"}])
def test_zero_false_and_blanks_are_not_empty(value: Json) -> None:
    assert not is_empty(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Qual a sua idade?", "qual-a-sua-idade"),
        ("Fonte da Página", "fonte-da-pagina"),
        ("  AÇÃO__nº 2 ", "acao-no-2"),
        ("cnpj-41d5", "cnpj-41d5"),
        ("日本", ""),
    ],
)
def test_a_slug_is_lower_case_without_accents(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_of_an_endless_label_only_the_beginning_is_looked_at_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.document._slug", lambda text: f"slug of {len(text)}")
    assert slug("a" + "\u0301\u0327" * 40_000) == f"slug of {LABEL}"


@given(st.text() | st.text("ﬃ-a", min_size=LABEL))
def test_a_slug_is_its_own_slug(text: str) -> None:
    assert slug(slug(text)) == slug(text)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": (1, 2)}),
        ({"a": None}, {"a": ""}, {}),
        ({"a": {}}, {"a": None}, {}),
        ({"a": {"b": None}}, {}, {}),
        ({}, {"a": []}, {}),
        ({"a": ""}, {"a": 0}, {"a": (None, 0)}),
        ({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, {"a.b": (1, 2), "a.c": (None, 3)}),
        ({"a": {}}, {"a": {"id": "1", "name": "x"}}, {"a.id": (None, "1"), "a.name": (None, "x")}),
        ({"a": {"id": "1"}}, {"a": None}, {"a.id": ("1", None)}),
        ({"a": {"id": "1"}}, {"a": "text"}, {"a": ({"id": "1"}, "text")}),
        ({"a": [1, 2]}, {"a": [2, 1]}, {"a": ([1, 2], [2, 1])}),
        ({"a": [{"b": None}]}, {"a": [{"b": ""}]}, {}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, {"a": ([{"b": 1}], [{"b": 2}])}),
        ({"a": [1]}, {"a": [1, 2]}, {"a": ([1], [1, 2])}),
        ({"a": "x"}, {}, {"a": ("x", None)}),
        ({"custom": {"Ex. nome": "a"}}, {"custom": {"Ex. nome": "b"}}, {"custom.Ex. nome": ("a", "b")}),
    ],
)
def test_differences_name_each_path_that_changed(before: JsonObject, after: JsonObject, expected: Any) -> None:
    assert differences(before, after) == expected


def test_quiet_fields_are_no_difference_on_either_side() -> None:
    assert differences({"quiet": 1, "gone": 2, "a": 1}, {"quiet": 3, "a": 2}, frozenset({"quiet", "gone"})) == {
        "a": (1, 2)
    }


@given(documents())
def test_a_document_does_not_differ_from_itself(document: JsonObject) -> None:
    assert differences(document, deepcopy(document)) == {}


@given(documents(), documents())
def test_there_are_differences_exactly_when_documents_are_not_the_same(before: JsonObject, after: JsonObject) -> None:
    assert bool(differences(before, after)) != same(before, after)


@given(documents(), documents())
def test_differences_backwards_are_the_same_ones_swapped(before: JsonObject, after: JsonObject) -> None:
    backwards = {path: (old, new) for path, (new, old) in differences(after, before).items()}
    assert differences(before, after) == backwards


@given(json_values(), st.text(max_size=12))
def test_any_path_of_any_value_can_be_read(value: Json, path: str) -> None:
    lookup(value, path)
    lookup(value, f"custom.{path}")
    lookup({"custom": value, "deal_custom_fields": value}, f"custom.{path}")


SHAPE: JsonObject = {
    "name": None,
    "user": {"id": None, "email": None},
    "emails": [{"email": None}],
    "ids": [],
    "custom": {},
}


@pytest.mark.parametrize(
    "path", ["name", "user", "user.email", "emails", "emails.email", "ids", "ids.any.thing", "custom", "custom.A. b"]
)
def test_a_shape_knows_its_paths_and_all_behind_an_open_end(path: str) -> None:
    assert unknown_segment(SHAPE, path) is None


@pytest.mark.parametrize(
    ("path", "segment", "known"),
    [
        ("nmae", "nmae", ["custom", "emails", "ids", "name", "user"]),
        ("user.mail", "mail", ["email", "id"]),
        ("emails.mail", "mail", ["email"]),
        ("name.first", "first", []),
        ("", "", ["custom", "emails", "ids", "name", "user"]),
    ],
)
def test_the_first_unknown_segment_comes_with_what_was_known_there(path: str, segment: str, known: list[str]) -> None:
    assert unknown_segment(SHAPE, path) == (segment, known)


def test_a_place_is_found_made_and_filled() -> None:
    document: JsonObject = {"name": None, "items": [{"id": 1}]}
    slot(document, "stage.name").fill("A")
    slot(document, "name.first").fill("Ana")
    slot(document, "items.0.id").fill(2)
    assert document == {"name": {"first": "Ana"}, "items": [{"id": 2}], "stage": {"name": "A"}}
    assert (slot(document, "items.0.id").value, slot(document, "nothing").value) == (2, None)


@pytest.mark.parametrize(("path", "segment"), [("items.1", "1"), ("items.x.id", "x"), ("name.first", "first")])
def test_a_place_that_leads_nowhere_names_the_segment(path: str, segment: str) -> None:
    with pytest.raises(LookupError) as caught:
        slot({"items": [1], "name": "Ana"}, path)
    assert caught.value.args == (segment,)


def test_of_a_shape_in_which_nothing_is_known_the_keys_are_left() -> None:
    shape: JsonObject = {"name": None, "user": {"id": None}, "emails": [{"email": None}]}
    assert unfilled(shape) == {"name": None, "user": {"id": None}, "emails": []}
