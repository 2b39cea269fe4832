"""What templates see of related entities: what was found, and where nothing was, emptiness of full shape."""

from typing import Any

import pytest

from bridge.model import Entity, Reach, Related
from bridge.rendering import Rendering
from tests.support.changes import NOW, change_of, crm, webhook

DEAL, TASK = Entity("deal", "6650f1"), Entity("task", "6650f1")


def rendered(source: str, body: Any, related: Related, rendering: Rendering) -> str:
    return rendering.text(source).render(rendering.context(change_of([body]), crm(), NOW, related))


@pytest.fixture
def rendering(tmp_path: Any) -> Rendering:
    return Rendering(tmp_path, "pt-BR", "America/Sao_Paulo", "BRL")


def test_one_and_many_are_reached_by_their_names(rendering: Rendering) -> None:
    related: Related = {
        Reach("crm", TASK, "deal"): {"name": "Loja", "user": {"name": "Bia"}},
        Reach("crm", TASK, "owners"): [{"name": "Hian", "email": "h@example.com"}, {"name": "Bia"}],
    }
    text = "{{ task.deal.name }} ({{ task.deal.user.name }}): {{ task.owners | map(attribute='name') | join(', ') }}"
    assert rendered(text, webhook("task", deal_id="d1"), related, rendering) == "Loja (Bia): Hian, Bia"


def test_a_related_deal_has_its_page(rendering: Rendering) -> None:
    related: Related = {Reach("crm", TASK, "deal"): {"id": "d1", "name": "Loja"}}
    body = webhook("task", deal_id="d1")
    assert rendered("{{ task.deal | link }}", body, related, rendering) == "https://crm.rdstation.com/app/deals/d1"


def test_what_was_not_found_is_empty_and_never_an_error(rendering: Rendering) -> None:
    text = (
        "{{ task.deal.name | default('sem negociação') }}/{{ task.deal.deal_stage.name }}/{{ task.owners }}"
        "{% if task.deal %}has{% endif %}"
    )
    assert rendered(text, webhook("task", deal_id="d1"), {}, rendering) == "sem negociação//"
    none: Related = {Reach("crm", TASK, "deal"): None}
    assert rendered(text, webhook("task", deal_id="d1"), none, rendering) == "sem negociação//"


def test_a_part_gets_what_it_lacks_and_keeps_what_it_has(rendering: Rendering) -> None:
    related: Related = {Reach("crm", DEAL, "user"): {"id": "u1", "name": "Hian", "email": "h@example.com", "x": 1}}
    body = webhook("deal", owner_id="u1")
    assert rendered("{{ deal.user.name }} {{ deal.user.email }}", body, related, rendering) == "Hian h@example.com"
    named = webhook("deal", user={"id": "u1", "name": "Bia", "email": None})
    assert rendered("{{ deal.user.name }} {{ deal.user.email }}", named, related, rendering) == "Bia h@example.com"
    assert rendered("{{ deal.user.name }}", webhook("deal", owner_id="u1"), {}, rendering) == ""


def test_every_field_that_a_template_reads_of_anything_is_mentioned(rendering: Rendering) -> None:
    looped = "{% for item in items %}{{ item.task.owners }}{% endfor %}"
    macro = "{% macro card(it) %}{{ it.contacts }}{% endmacro %}{{ card(deal) }}"
    assert {"task", "owners"} <= rendering.text(looped).mentions()
    assert "contacts" in rendering.text(macro).mentions()
    assert "organization" in rendering.expression("deal.organization.name == 'x'").mentions()
    structure = rendering.structure({"a": ["{{ deal.contacts }}", 1], "b": "x"}, {})
    assert structure.mentions() == {"contacts"}
