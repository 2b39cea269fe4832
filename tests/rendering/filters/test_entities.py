from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.model import Json
from bridge.rendering import Rendering, TemplateFailedError
from tests.rendering.conftest import Render
from tests.support.changes import NOW, change_of, crm, webhook

LATER = "2026-11-24T09:00:00.000-03:00"


def _custom(label: str, value: object) -> dict[str, object]:
    return {"value": value, "custom_field": {"id": f"id-{label}", "label": label, "type": "text", "opts": []}}


def _context(kind: str, *documents: dict[str, Any]) -> dict[str, object]:
    bodies = [webhook(kind, **document) for document in documents]
    return RENDERING.context(change_of(bodies), crm(), NOW)


RENDERING = Rendering(Path("no-files"), "pt-BR", "America/Sao_Paulo", "BRL")
FIELDS = {"deal_custom_fields": [_custom("Unidade", ["Recife", "Natal"]), _custom("Qual a sua idade?", None)]}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ deal | field('Unidade') }}", "Recife, Natal"),
        ("{{ deal | field('unidade') }}", "Recife, Natal"),
        ("{{ deal | field('id-Unidade') | first }}", "Recife"),
        ("[{{ deal | field('Qual a sua idade?') }}{{ deal | field('Não existe') }}{{ none | field('x') }}]", "[]"),
        ("[{{ previous | field('Unidade') }}]", "[]"),
    ],
)
def test_field_finds_a_custom_field_by_label_slug_or_id(source: str, text: str) -> None:
    assert RENDERING.text(source).render(_context("deal", FIELDS)) == text


def test_link_is_the_page_in_the_crm() -> None:
    context = _context("task", {"deal_id": "d1"})
    assert RENDERING.text("[{{ task | link }}]").render(context) == "[]"
    assert RENDERING.text("{{ task | link('deal') }}").render(context) == "https://crm.rdstation.com/app/deals/d1"
    assert RENDERING.text("[{{ task | link('deal') }}]").render(_context("task", {})) == "[]"
    assert RENDERING.text("{{ deal | link }}{{ previous | link }}").render(_context("deal", {})) == (
        "https://crm.rdstation.com/app/deals/6650f1" * 2
    )
    assert RENDERING.text("[{{ none | link }}]").render(context) == "[]"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ deal.user | link }}", "link wants the event's own document such as deal, not an object"),
        ("{{ 'x' | link }}", "link wants the event's own document such as deal, not a text"),
        ("{{ deal | link('task') }}", "a deal points at no task"),
        ("{{ deal.nope | link }}", 'deal has no field "nope"'),
        ("{{ 'x' | field('y') }}", "field wants a document such as deal, not a text"),
        ("{{ deal.nope | field('y') }}", 'deal has no field "nope"'),
        ("{{ deal | diff }}", "diff wants changes, not an object"),
        ("{{ [] | diff }}", "diff wants changes, not a list"),
        ("{{ deal.nope | diff }}", 'deal has no field "nope"'),
    ],
)
def test_a_wrong_type_is_an_error_that_says_so(render: Render, source: str, message: str) -> None:
    with pytest.raises(TemplateFailedError, match=message):
        render(source)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"amount_total": 9000.0}, {"amount_total": 11050.5}, "Valor total: R$ 9.000,00 → R$ 11.050,50"),
        (
            {"deal_stage": {"id": "a", "name": "Proposta", "nickname": "P", "order": 3}},
            {"deal_stage": {"id": "b", "name": "Negociação", "nickname": "N", "order": 4}},
            "Etapa: Proposta → Negociação",
        ),
        ({"status": "ongoing"}, {"status": "lost"}, "Situação: em andamento → perdida"),
        ({"rating": 1}, {"rating": 5}, "Qualificação: 1 → 5"),
        ({}, {"prediction_date": "2026-12-31"}, "Previsão de fechamento: — → 31/12/2026"),
        ({"user": {"id": "1", "name": "Ana"}}, {"user": {}}, "Responsável: Ana → —"),
        ({}, FIELDS, "Unidade: — → Recife, Natal"),
        ({"organization_id": "1"}, {"organization_id": "2"}, ""),
        ({"deal_products": []}, {"deal_products": [{"name": "Plano"}]}, "Produtos: — → Plano"),
        ({"rating": 1, "name": "A"}, {"rating": 2, "name": "B"}, "Nome: A → B\nQualificação: 1 → 2"),
    ],
)
def test_diff_tells_what_changed_in_words(before: dict[str, Any], after: dict[str, Any], text: str) -> None:
    context = _context("deal", {"name": "A", **before}, {"name": "A", **before, **after, "updated_at": LATER})
    lines = RENDERING.text("{{ changes | diff }}").render(context).split("\n")
    assert sorted(lines) == sorted(text.split("\n"))


def test_diff_tells_nothing_at_first_sight_and_of_nothing() -> None:
    context = _context("deal", {"name": "A"})
    assert RENDERING.text("[{{ changes | diff }}{{ none | diff }}]").render(context) == "[]"


def test_diff_of_contacts_names_what_their_lists_hold() -> None:
    phones = [{"phone": "+552732123456", "type": "work"}]
    context = _context("contact", {"name": "A"}, {"name": "A", "phones": phones, "updated_at": LATER})
    assert RENDERING.text("{{ changes | diff(' | ') }}").render(context) == "Telefones: — → +552732123456"


def test_diff_spells_out_a_path_that_has_no_label() -> None:
    differences: dict[str, tuple[Json, Json]] = {"shiny.new_thing": (1, True), "custom.Cor": (None, "azul")}
    change = replace(change_of([webhook("deal")]), differences=differences)
    context = RENDERING.context(change, crm(), NOW)
    assert RENDERING.text("{{ changes | diff('; ') }}").render(context) == "Shiny new thing: 1 → true; Cor: — → azul"
