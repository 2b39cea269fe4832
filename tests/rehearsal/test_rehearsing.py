"""Every template is rendered with every sample that reaches it: what is a mistake, what may fail, and what is fine."""

from typing import Any

import pytest

from bridge.model import Change
from bridge.rehearsal import check
from bridge.routing.fanout import FanOut
from bridge.routing.fanout import fan_out as really
from bridge.routing.route import Route
from tests.rehearsal.conftest import Checking
from tests.support.clock import ManualClock


def route(text: str, on: str = "deal.lost", more: str = "", to: str = "screen") -> str:
    return f"""\
routes:
  - name: shown
    on: {on}
{more}
    deliver:
      - {{to: {to}, {text}}}
"""


def text(template: str) -> str:
    return f"text: '{template}'"


@pytest.mark.parametrize(
    "template",
    [
        "{{ deal.name }}",
        "{{ deal.campaign.name }}, {{ deal.amount_total | money }}, {{ deal.prediction_date | date }}",
        '{{ deal.campaign.name | default("-") }}{% if deal.campaign.name %}{{ deal.campaign.name.upper() }}{% endif %}',
        "{{ deal.amount_total * 2 }} {{ deal.name.upper() }} {{ deal.status.upper() }}",
        '{{ deal | field("Unidade") }} {{ deal | link }} {{ changes | diff }}',
        "{{ previous.amount_total | money }} {{ event.first_sight }} {{ now + days(3) }}",
        "{% for product in deal.deal_products %}{{ product.whatever }}{% endfor %}",
        "{% for each in changes %}{{ each.path }}: {{ each.before }}{% endfor %}",
    ],
)
def test_what_holds_for_every_event_is_fine(rules: Checking, template: str) -> None:
    assert rules.warnings(route(text(template))) == []


def test_a_name_that_only_rendering_reads_is_found(rules: Checking) -> None:
    [told] = rules.problems(route(text("{% set d = deal %}{{ d.nmae }}")))
    assert told == (
        'nmae » template-fails: "text" of entry 1 of route "shown" fails with the sample deal.lost: '
        'deal has no field "nmae"; did you mean "name"?'
    )


def test_a_mistake_in_a_branch_is_found_by_the_state_that_takes_it(rules: Checking) -> None:
    template = '{% set d = deal %}{% if d.status == "won" %}{{ d.valor }}{% endif %}'
    [told] = rules.problems(route(text(template), "crm_deal_updated"))
    assert "fails with the sample deal.won: deal has no field" in told


def test_a_mistake_behind_a_missing_value_is_one_too(rules: Checking) -> None:
    template = "{% set d = deal %}{% if not d.campaign.name %}{{ d.valor }}{% endif %}"
    [told] = rules.problems(route(text(template)))
    assert "template-fails" in told
    assert 'the sample deal.lost without "campaign"' not in told  # of the whole deal nobody knows which field is read
    assert "without what may be missing" in told


def test_a_branch_that_no_match_lets_through_is_not_looked_into(rules: Checking) -> None:
    template = '{% set d = deal %}{% if d.status == "won" %}{{ d.valor }}{% endif %}'
    assert rules.warnings(route(text(template), "deal.lost")) == []


def test_a_name_of_another_kind_is_a_mistake_where_the_route_hears_of_several(rules: Checking) -> None:
    [told] = rules.problems(route(text("{{ deal.name }}"), "[deal.lost, task.created]"))
    assert 'fails with the sample crm_task_created: there is no name "deal"' in told


def test_a_value_that_may_be_missing_is_a_warning_that_names_it(rules: Checking) -> None:
    [told] = rules.warnings(route(text("{{ deal.name }}: {{ deal.campaign.name.upper() }}")))
    assert told == (
        'upper() » template-may-fail: "text" of entry 1 of route "shown" fails with the sample deal.lost without '
        '"campaign": nothing has no "upper"; give it a value with `| default(…)`, or ask first with `{% if … %}`'
    )


def test_a_value_that_match_asks_for_is_not_missing(rules: Checking) -> None:
    asked = "    match: {campaign.name: {exists: true}}"
    assert rules.warnings(route(text("{{ deal.campaign.name.upper() }}"), more=asked)) == []


def test_a_value_that_match_does_not_ask_for_may_be_missing_beside_one_that_it_does(rules: Checking) -> None:
    asked = "    match: {campaign.name: {exists: true}}"
    [told] = rules.warnings(
        route(text("{{ deal.campaign.name.upper() }}{{ deal.deal_source.name.upper() }}"), more=asked)
    )
    assert 'without "deal_source"' in told


def test_a_value_that_is_asked_for_does_not_hide_another(rules: Checking) -> None:
    template = "{% if deal.campaign.name %}{{ deal.deal_source.name.upper() }}{% endif %}"
    [told] = rules.warnings(route(text(template)))
    assert 'without "deal_source"' in told


def test_a_value_that_is_missing_at_first_sight_is_a_warning(rules: Checking) -> None:
    [told] = rules.warnings(route(text("{{ deal.amount_total - previous.amount_total }}"), "crm_deal_updated"))
    assert "the sample crm_deal_updated at first sight" in told


@pytest.mark.parametrize(
    ("on", "template", "more"),
    [
        ("deal.lost", "{{ changes[0].path }}", ""),
        ("deal.lost", "{{ 1 / 0 if event.first_sight }}", ""),
        ("crm_deal_updated", "{{ deal.amount_total - previous.amount_total }}", ""),
        ("deal.lost", "{% for it in items %}{{ it.previous.rating * 2 }}{% endfor %}", '    digest: {at: "18:00"}'),
    ],
)
def test_whatever_looks_back_is_rehearsed_at_first_sight(on: str, template: str, more: str, rules: Checking) -> None:
    checked = rules.check(route(text(template), on, more))
    assert any("at first sight" in str(each) for each in (*checked.problems, *checked.warnings))


@pytest.mark.parametrize(("template", "looks"), [("{{ deal.name }}", False), ("{{ previous.name }}", True)])
def test_what_does_not_look_back_is_rendered_but_once(
    template: str, *, looks: bool, rules: Checking, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[Change] = []

    def fan_out(route: Route, change: Change, *rest: Any) -> FanOut:
        played.append(change)
        return really(route, change, *rest)

    monkeypatch.setattr("bridge.rehearsal.rehearsing.fan_out", fan_out)
    assert rules.warnings(route(text(template), "crm_deal_updated")) == []
    assert any(change.previous is None for change in played) is looks


def test_a_deletion_of_what_was_never_seen_knows_little(rules: Checking) -> None:
    [told] = rules.warnings(route(text("{{ deal.amount_total * 2 }}"), "deal.deleted"))
    assert "template-may-fail" in told
    assert "the sample crm_deal_deleted: only numbers can be multiplied" in told


def test_a_list_may_be_longer_than_that_of_a_sample(rules: Checking) -> None:
    [told] = rules.warnings(route(text("{{ contact.phones[4].phone }}"), "contact.created"))
    assert "template-may-fail" in told
    assert "the list has no item 4" in told


def test_a_custom_field_that_a_deal_has_not_is_a_warning_where_the_template_insists(rules: Checking) -> None:
    [told] = rules.warnings(route(text("{{ deal.custom.Unidade }}")))
    assert 'without "custom.Unidade": the object has no field "Unidade"' in told


def test_what_the_crm_sends_beyond_its_page_may_be_missing(rules: Checking) -> None:
    [told] = rules.warnings(route(text("{{ document.novo_campo }}")))
    assert "template-may-fail" in told
    assert 'document has no field "novo_campo"' in told


def test_a_leaf_of_a_structure_is_told_at_its_own_place(rules: Checking) -> None:
    body = 'body: {a: {b: [1, "{{ deal.amount_total + deal.name }}"]}}'
    [told] = rules.problems(route(body, to="billing"))
    assert told.startswith('deal.amount_total + deal.name » template-fails: item 2 of "b" of "a" of "body" of entry 1 ')


def test_content_that_the_target_refuses_is_found(rules: Checking) -> None:
    [told] = rules.problems(route(text('{% if deal.status == "won" %}x{% endif %}'), to="sales"))
    assert told.endswith('"text" is empty, and Slack refuses a message without text')


def test_an_address_of_a_custom_field_is_nobodys_mistake(rules: Checking) -> None:
    url = "url: \"{{ deal | field('Callback') }}\", body: {}"
    assert rules.warnings(route(url, to="billing", more="    match: {custom.Callback: {exists: true}}")) == []


def test_a_template_file_is_told_at_its_own_place_and_once(rules: Checking) -> None:
    path = rules.template("a.md.j2", "Oi\n{% set d = deal %}\n  {{ d.foo }}\n")
    two = route("template: a.md.j2") + "  - {name: other, on: deal.won, deliver: [{to: screen, template: a.md.j2}]}\n"
    [problem] = rules.check(two).problems
    assert (problem.place.file, problem.place.line, problem.place.column) == (str(path), 3, 8)
    assert '"template" of entry 1 of route "shown"' in problem.message


def test_a_block_of_several_lines_is_told_in_its_line(rules: Checking) -> None:
    rules.write(
        """\
        routes:
          - name: shown
            on: deal.lost
            deliver:
              - to: screen
                text: |
                  {% set d = deal %}
                  {{ d.name }}
                  {{ d.foo }}
        """
    )
    [problem] = check(rules.path, {}, ManualClock()).problems
    line = rules.path.read_text(encoding="utf-8").splitlines()[problem.place.line - 1]
    assert line[problem.place.column - 1 :].startswith("foo")


def test_a_key_is_rehearsed_too(rules: Checking) -> None:
    [told] = rules.warnings(route('text: x, key: "{{ deal.campaign.name.upper() }}"'))
    assert told.startswith('upper() » template-may-fail: "key" of entry 1 of route "shown"')


@pytest.mark.parametrize(
    ("template", "more", "fails"),
    [
        ("{{ (former | first).deal.name }}", "", True),
        ("{{ (former | first).deal.name if former else 0 }}", "", False),
        ("{{ (items | first).deal.name }}", "", False),
        ("{{ (items | first).deal.name }}", ", empty: true", True),
        ("{{ (items | first).deal.name if items else 0 }}", ", empty: true", False),
    ],
)
def test_a_digest_is_rehearsed_as_the_first_one_and_as_one_of_nothing(
    rules: Checking, template: str, more: str, *, fails: bool
) -> None:
    digest = f'    digest: {{at: "18:00"{more}}}'
    checked = rules.check(route(text(template), more=digest))
    assert any(told.code.startswith("template-") for told in (*checked.problems, *checked.warnings)) is fails


def test_a_digest_is_rehearsed_with_an_item(rules: Checking) -> None:
    digest = '    digest: {at: "18:00", by: "{{ deal.user.email.lower() }}"}'
    loop = "{{ group }} {{ now | date }}{% for item in items %}{{ item.deal.nmae }}{% endfor %}"
    problems = rules.problems(route(text(loop), more=digest))
    assert [told.split(" fails with ")[0] for told in problems] == [
        'nmae » template-fails: "text" of entry 1 of route "shown"'
    ]
    [told] = rules.warnings(route(text("x"), more=digest))
    assert told.startswith('lower() » template-may-fail: "by" of "digest" of route "shown" fails with ')


def test_when_is_rehearsed_though_no_sample_meets_it(rules: Checking) -> None:
    when = "    when: \"deal.user.email.endswith('@acme.example')\""
    [told] = rules.warnings(route(text("x"), more=when))
    assert told.startswith("endswith")
    assert told.endswith("let `match` ask for it first: `{exists: true}`")


def test_a_when_that_gives_no_verdict_is_a_mistake(rules: Checking) -> None:
    [told] = rules.problems(route(text("x"), more='    when: "deal.amount_total"'))
    assert "the condition gives a number, not true or false" in told


def test_a_mistake_behind_a_when_that_no_sample_meets_is_a_warning(rules: Checking) -> None:
    when = '    when: "deal.rating > 100"'
    of_when, of_text = rules.warnings(route(text("{% set d = deal %}{{ d.nmae }}"), more=when))
    assert '"when" of route "shown" fails with the sample deal.lost without what may be missing' in of_when
    assert 'nmae » template-may-fail: "text" of entry 1' in of_text


def test_what_when_asks_for_it_vouches_for_and_for_nothing_else(rules: Checking) -> None:
    when = "    when: \"deal.campaign.name == 'Nenhuma'\""
    assert rules.warnings(route(text("{{ deal.campaign.name.upper() }}"), more=when)) == []
    [told] = rules.warnings(route(text("{{ deal.deal_source.name.upper() }}"), more=when))
    assert 'without "deal_source"' in told


@pytest.mark.parametrize(
    "match",
    [
        "{amount_total: {gte: 90000}}",
        "{deal_stage.name: {from: Proposta, to: Fechamento}}",
        "{deal_stage.order: increased, rating: {in: [2, 3]}}",
        "{custom.Unidade: {in: [Recife]}, name: {starts_with: Loja, contains: de, ends_with: bairro}}",
        "{any: [{rating: 1}, {rating: 2}], not: {amount_total: {lt: 5}}}",
        '{prediction_date: {gt: "2027-01-01", lt: "2027-02-01"}}',
        "{deal_products.name: Plano raro}",
        r"{name: {matches: '^[A-Z]{3}\d{9}$'}}",
        "{name: {starts_with: Loja, matches: '(Norte|Sul) [0-9]+', ends_with: Ltda}}",
        "{any: [{name: {matches: ^Padaria}}, {name: {matches: '[0-9]{14}'}}]}",
    ],
)
def test_a_sample_is_adapted_to_what_match_asks_for(rules: Checking, match: str) -> None:
    mistake = text("{% set d = deal %}{{ d.nmae }}")
    [told] = rules.problems(route(mistake, "crm_deal_updated", f"    match: {match}"))
    assert "fails with the sample" in told


def test_each_way_through_any_is_rehearsed(rules: Checking) -> None:
    match = "    match: {any: [{status: won}, {amount_total: 777}]}"
    template = "{% set d = deal %}{% if d.amount_total == 777 %}{{ d.nmae }}{% endif %}"
    [told] = rules.problems(route(text(template), "crm_deal_updated", match))
    assert "adapted to what is asked for" in told


def test_where_no_sample_can_be_made_to_match_a_mistake_is_a_warning(rules: Checking) -> None:
    match = r"    match: {name: {matches: '^\p{Greek}{3}$'}}"
    [told] = rules.warnings(route(text("{% set d = deal %}{{ d.nmae }}"), more=match))
    assert "template-may-fail" in told
    assert ", which the route may not match: " in told
    assert rules.warnings(route(text("{{ deal.campaign.name.upper() }}"), more=match)) == []


def test_events_of_bridge_itself_are_rehearsed(rules: Checking) -> None:
    [told] = rules.problems(route(text("{% set t = target %}{{ t.nmae }}"), "bridge.target_paused"))
    assert "fails with the sample bridge.target_paused: target has no field" in told


def test_a_when_that_tells_kinds_apart_vouches_for_the_name(rules: Checking) -> None:
    when = '    when: "deal is defined and deal.amount_total > 0"'
    assert rules.warnings(route(text("{{ deal.name }}"), "[deal.lost, task.created]", when)) == []
