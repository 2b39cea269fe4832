from bridge.rendering import Rendering
from tests.rendering.conftest import Render
from tests.support.changes import NOW, change_of, crm, webhook


def test_the_names_are_those_of_the_language(context: dict[str, object]) -> None:
    assert set(context) == {"event", "document", "previous", "changes", "now", "source", "deal"}


def test_event_tells_what_happened_and_when(render: Render) -> None:
    assert render("{{ event.name }} {{ event.action }} {{ event.kind }} {{ event.entity_id }} {{ event.source }}") == (
        "crm_deal_updated updated deal 6650f1 crm"
    )
    assert render("{{ event.received_at | datetime }} {{ event.occurred_at | datetime }} {{ event.first_sight }}") == (
        "24/11/2026 09:00 24/11/2026 08:59 false"
    )
    assert render("{{ source }}") == "crm"


def test_previous_holds_the_last_state_and_changes_the_differences(render: Render) -> None:
    assert render("{{ previous.amount_total }} {{ 'seen' if previous }}") == "9000.0 seen"
    each = "{% for change in changes %}{{ change.path }}: {{ change.before }} → {{ change.after }}\n{% endfor %}"
    assert "amount_total: 9000.0 → 11050.5\n" in render(each)


def test_at_first_sight_previous_is_false_and_its_fields_are_empty(rendering: Rendering) -> None:
    context = rendering.context(change_of([webhook("deal", name="Loja")]), crm(), NOW)
    template = rendering.text("[{{ previous.deal_stage.name }}]{{ 'new' if not previous }}{{ changes }}")
    assert template.render(context) == "[]new"


def test_at_first_sight_the_lists_of_previous_have_no_items(rendering: Rendering) -> None:
    contact = webhook("contact", "created", name="Ana", emails=[{"email": "ana@acme.example"}])
    context = rendering.context(change_of([contact]), crm(), NOW)
    asked = "{{ 'none' if not previous.emails }} {{ previous.emails | length }} {{ contact.emails | length }}"
    assert rendering.text(asked).render(context) == "none 0 1"


def test_for_a_source_of_the_crm_its_name_means_the_entity(rendering: Rendering) -> None:
    context = rendering.context(change_of([webhook("source", name="Indicação")]), crm(), NOW)
    assert rendering.text("{{ source.name }} {{ event.source }}").render(context) == "Indicação crm"


def test_document_is_as_sent_and_the_entity_in_full_shape(render: Render) -> None:
    assert (
        render("{{ document.amount_total }}{{ document.campaign is defined }}{{ deal.campaign.name }}")
        == "11050.5false"
    )
