import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.config import load
from bridge.model import Delivery, DeliveryState, Event
from bridge.options import InvalidConfigurationError
from bridge.routing.router import in_order
from bridge.ruleset import Ruleset
from tests.support.deals import Deal, sample
from tests.support.rules import HEAD, Rules

NOW = datetime(2026, 11, 24, 12, 5, tzinfo=UTC)

LOST = """\
routes:
  - name: deal-lost
    on: deal.lost
    deliver:
      - {to: sales, text: "{{ deal.name }} perdida"}
"""


def deliveries(ruleset: Ruleset, *bodies: object) -> list[Delivery]:
    """Route webhooks as if they had arrived one after the other."""
    source = ruleset.sources["crm"]
    events = []
    for index, body in enumerate(bodies):
        raw = json.dumps(body).encode()
        envelope = source.read(raw)
        events.append(Event(f"evt_{index}", "crm", envelope.name, envelope.entity, envelope.dedup_key, raw, NOW))
    return [delivery for routed in in_order(ruleset.router.decide, events, {}) for delivery in routed.deliveries]


def test_a_sound_file_becomes_a_ruleset_that_routes(rules: Rules) -> None:
    rules.write(LOST)
    ruleset = rules.load().ruleset
    assert set(ruleset.sources) == {"crm"}
    assert set(ruleset.targets) == {"sales", "billing", "screen"}
    assert [route.name for route in ruleset.routes] == ["deal-lost"]
    deal = Deal(name="Loja Ação")
    (delivery,) = deliveries(ruleset, deal.created(), deal.lost())
    assert (delivery.target, delivery.key) == ("sales", "deal:6650f1")
    assert delivery.content == {"text": "Loja Ação perdida"}


def test_the_target_makes_data_inert(rules: Rules) -> None:
    rules.write(LOST)
    deal = Deal(name="<!channel> & <b>")
    (delivery,) = deliveries(rules.load().ruleset, deal.created(), deal.lost())
    assert delivery.content is not None
    assert "<!channel>" not in str(delivery.content["text"])


def test_defaults_are_brazilian_unless_the_file_says_otherwise(rules: Rules) -> None:
    text = LOST.replace("{{ deal.name }} perdida", "{{ deal.amount_total | money }} às {{ now.hour }}h")
    american = "defaults: {locale: en-US, timezone: America/New_York, currency: USD}\n"
    for written, shown in ((text, "R$ 11.050,50 às 9h"), (american + text, "$11,050.50 às 7h")):
        rules.write(written)
        deal = Deal()
        (delivery,) = deliveries(rules.load().ruleset, deal.created(), deal.lost())
        assert delivery.content == {"text": shown}


def test_a_template_file_fills_the_main_field(rules: Rules) -> None:
    rules.template("slack/lost.md.j2", "{% include 'owner.j2' %}: {{ deal.name }}\n")
    rules.template("owner.j2", "{{ deal.user.name }}")
    rules.write(LOST.replace('text: "{{ deal.name }} perdida"', "template: slack/lost.md.j2"))
    deal = Deal(user={"id": "u", "name": "Ana"})
    (delivery,) = deliveries(rules.load().ruleset, deal.created(), deal.lost())
    assert delivery.content == {"text": "Ana: Loja Ação"}


def test_native_types_survive_in_structures_and_become_text_in_texts(rules: Rules) -> None:
    rules.write("""\
        routes:
          - name: won
            on: deal.won
            deliver:
              - {to: billing, body: {total: "{{ deal.amount_total }}", lines: ["{{ deal.rating }}"], fixed: 3}}
              - {to: sales, text: "{{ deal.amount_total }}"}
        """)
    deal = Deal(rating=4)
    stamp = "2026-11-24T09:03:00.000-03:00"
    body, text = deliveries(rules.load().ruleset, deal.created(), deal.updated(status="won", closed_at=stamp))
    assert body.content == {"body": {"total": 11050.5, "lines": [4], "fixed": 3}}
    assert text.content == {"text": "11050.5"}


def test_rendered_content_is_held_against_the_action_model_again(rules: Rules) -> None:
    rules.write(
        LOST.replace('{to: sales, text: "{{ deal.name }} perdida"}', '{to: billing, method: "{{ deal.name }}"}')
    )
    deal = Deal(name="Padaria")
    (delivery,) = deliveries(rules.load().ruleset, deal.created(), deal.lost())
    assert delivery.state is DeliveryState.DEAD
    assert delivery.content is None
    assert '"method" must be a method of HTTP' in str(delivery.reason)


# Keys


def test_a_bare_kind_as_key_is_the_entity_itself(rules: Rules) -> None:
    rules.write(LOST.replace("text:", "key: deal, thread: deal, text:"))
    deal = Deal()
    (delivery,) = deliveries(rules.load().ruleset, deal.created(), deal.lost())
    assert delivery.key == "deal:6650f1"
    assert delivery.content == {"text": "Loja Ação perdida", "thread": "deal:6650f1"}


@pytest.mark.parametrize(("deal_id", "key"), [("d1", "deal:d1"), (None, "task:t1"), ("", "task:t1")])
def test_a_bare_kind_of_another_entity_follows_the_reference(rules: Rules, deal_id: str | None, key: str) -> None:
    rules.write("""\
        routes:
          - name: task
            on: [task.created, deal.lost]
            deliver:
              - {to: sales, text: "x", key: deal, thread: deal}
        """)
    body = sample("crm_task_created")
    body["document"] |= {"id": "t1", "deal_id": deal_id}
    (delivery,) = deliveries(rules.load().ruleset, body)
    assert delivery.key == key
    assert delivery.content == {"text": "x", "thread": key}
    deal = Deal()
    assert deliveries(rules.load().ruleset, deal.created(), deal.lost())[0].key == "deal:6650f1"


def test_a_key_may_be_a_template_or_any_other_text(rules: Rules) -> None:
    rules.write(LOST.replace("text:", 'key: "owner:{{ deal.user.id }}", thread: losses, text:'))
    deal = Deal(user={"id": "u7", "name": "Ana"})
    (delivery,) = deliveries(rules.load().ruleset, deal.created(), deal.lost())
    assert delivery.key == "owner:u7"
    assert delivery.content == {"text": "Loja Ação perdida", "thread": "losses"}


def test_messages_of_one_thread_go_in_its_order_unless_a_key_says_otherwise(rules: Rules) -> None:
    rules.write(LOST.replace("text:", "thread: losses, text:"))
    deal = Deal()
    (delivery,) = deliveries(rules.load().ruleset, deal.created(), deal.lost())
    assert delivery.key == "losses"


# What routes listen to


def test_a_trigger_a_name_and_a_pattern_say_which_events_are_heard(rules: Rules) -> None:
    rules.write(
        LOST.replace("on: deal.lost", 'on: [task.completed, crm_contact_created, "crm_product_*"]').replace(
            "deal.name", "event.name"
        )
    )
    (route,) = rules.load().ruleset.routes
    assert route.events == {
        *("crm_task_created", "crm_task_updated", "crm_contact_created"),
        *("crm_product_created", "crm_product_updated", "crm_product_deleted"),
    }


def test_match_and_when_both_decide(rules: Rules) -> None:
    rules.write(
        LOST.replace("    deliver", "    match: {amount_total: {gte: 100}}\n    when: deal.rating == 5\n    deliver")
    )
    ruleset = rules.load().ruleset
    for amount, rating, count in ((200, 5, 1), (50, 5, 0), (200, 4, 0)):
        deal = Deal(amount_total=amount, rating=rating)
        assert len(deliveries(ruleset, deal.created(), deal.lost())) == count


def test_names_of_any_kind_that_is_heard_may_be_used(rules: Rules) -> None:
    rules.write(
        LOST.replace("deal.lost", "[deal.lost, task.created]").replace(
            "{{ deal.name }}", "{{ deal.name if deal is defined else task.name }}"
        )
    )
    body = sample("crm_task_created")
    body["document"]["name"] = "Ligar"
    (delivery,) = deliveries(rules.load().ruleset, body)
    assert delivery.content == {"text": "Ligar perdida"}


# Values from outside


def test_references_are_replaced_in_options_and_nowhere_else(rules: Rules) -> None:
    rules.environ = {"TOKEN": "xoxb-2", "WORKERS": "7"}
    rules.write(
        LOST.replace("{{ deal.name }}", "${TOKEN} {{ deal.name }}").replace("to: sales", "to: more"),
        head="""\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  more: {type: slack, token: "${TOKEN}", channel: "${CHANNEL:-C1}", concurrency: "${WORKERS}"}
""",
    )
    ruleset = rules.load().ruleset
    options = ruleset.targets["more"].options
    assert options.token.reveal() == "xoxb-2"
    assert (options.channel, options.concurrency) == ("C1", 7)
    deal = Deal()
    (delivery,) = deliveries(ruleset, deal.created(), deal.lost())
    assert delivery.content == {"text": "${TOKEN} Loja Ação perdida"}


def test_a_refusal_that_would_repeat_a_secret_is_cut_short(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(value: str) -> None:
        raise ValueError(f"is no address: {value}")

    monkeypatch.setattr("bridge.targets.http.options.check_address", refuse)
    rules.environ = {"ADDRESS": "https://example.com/s3cret"}
    rules.write(LOST, head=HEAD.replace("https://billing.example.com", "${ADDRESS}"))
    assert rules.problems() == ['6:30: bad-value: "url" of target "billing" is not accepted']


@pytest.mark.parametrize("part", ["targets", "sources"])
def test_a_broken_component_hides_no_problem_of_the_routes(rules: Rules, part: str) -> None:
    broken = "  more: {type: slack, token: x}\n"
    head = (
        HEAD.replace("targets:\n", f"targets:\n{broken}") if part == "targets" else HEAD.replace("_crm}", "_crm, x: 1}")
    )
    rules.write(LOST.replace("deal.name", "deal.nmae").replace("to: sales", "to: more"), head=head)
    assert [problem.split(": ")[1] for problem in rules.problems()] == [
        "bad-value" if part == "targets" else "unknown-key",
        "unknown-target" if part == "sources" else "unknown-field",
        *(["unknown-field"] if part == "sources" else []),
    ]


def test_a_source_of_unknown_type_leaves_what_it_would_know_unjudged(rules: Rules) -> None:
    rules.write(
        LOST.replace("deal.lost", "lead.born").replace("deal.name", "lead.anything"),
        head=HEAD.replace("rdstation_crm", "elsewhere"),
    )
    assert rules.problems() == [
        '3:15: unknown-type: there is no type of source called "elsewhere"; known: rdstation_crm'
    ]


def test_a_broken_on_leaves_every_kind_possible(rules: Rules) -> None:
    rules.write(LOST.replace("deal.lost", "[deal.lost, task.complted]").replace("deal.name", "task.name"))
    assert [problem.split(": ")[1] for problem in rules.problems()] == ["unknown-event"]


# Warnings


def test_a_target_that_no_route_uses_is_worth_a_warning(rules: Rules) -> None:
    rules.write(LOST)
    assert [str(warning).removeprefix(str(rules.path)) for warning in rules.load().warnings] == [
        ':6:3: unused-target: no route delivers to target "billing"; remove it, or use it',
        ':7:3: unused-target: no route delivers to target "screen"; remove it, or use it',
    ]


def test_what_a_target_can_never_do_is_worth_a_warning(rules: Rules) -> None:
    rules.write(
        LOST.replace("text:", "thread: deal, text:"),
        head=HEAD.replace("token: xoxb-1, channel: C0123SALES", 'webhook_url: "https://hooks.slack.com/x"'),
    )
    warnings = [warning for warning in rules.load().warnings if warning.code == "no-effect"]
    assert [(warning.place.line, warning.place.column) for warning in warnings] == [(12, 9)]
    assert warnings[0].message.startswith('entry 1 of route "deal-lost": a Slack webhook cannot post in threads')


# Files


def test_the_revision_is_that_of_the_bytes_of_all_files(rules: Rules) -> None:
    template = rules.template("lost.j2", "{{ deal.name }}")
    rules.template("unused.j2", "x")
    rules.write(LOST.replace('text: "{{ deal.name }} perdida"', "template: lost.j2"))
    first = rules.load().ruleset.revision
    assert len(first) == 12
    assert rules.load().ruleset.revision == first
    rules.template("unused.j2", "y")
    assert rules.load().ruleset.revision == first
    template.write_text("{{ deal.name }}!")
    second = rules.load().ruleset.revision
    assert second != first
    rules.path.write_text(rules.path.read_text() + "# edited\n")
    assert rules.load().ruleset.revision not in {first, second}


def test_a_file_that_a_template_includes_counts_for_the_revision(rules: Rules) -> None:
    inner = rules.template("inner.j2", "x")
    rules.template("slack/outer.j2", "{% include 'inner.j2' %}")
    rules.write(LOST.replace('text: "{{ deal.name }} perdida"', "template: slack/outer.j2"))
    first = rules.load().ruleset.revision
    inner.write_text("y")
    assert rules.load().ruleset.revision != first


def test_a_file_that_cannot_be_read_is_a_problem_like_any_other(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        load(tmp_path / "gone.yaml", {})
    (problem,) = caught.value.problems
    assert problem.code == "unreadable-file"
    assert problem.message == "the file cannot be read: No such file or directory"


def test_a_file_at_which_bridge_fails_is_refused_with_the_place_of_the_defect(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("hush")

    rules.write(LOST)
    monkeypatch.setattr("bridge.config.loading.vocabulary", fail)
    with pytest.raises(InvalidConfigurationError) as caught:
        rules.load()
    (problem,) = caught.value.problems
    assert (problem.code, problem.place.file) == ("bridge-defect", str(rules.path))
    assert "ZeroDivisionError in test_loading.py, line " in problem.message
    assert "hush" not in str(problem)


def test_a_file_that_is_too_large_is_not_read(rules: Rules) -> None:
    rules.write("# " + "x" * 1024 * 1024)
    assert rules.problems() == ["1:1: too-large: the file is larger than 1 MiB"]


@pytest.mark.parametrize("part", ["template: dump.j2", "text: \"{% include 'dump.j2' %}\""])
def test_a_template_file_that_is_too_large_is_not_read(rules: Rules, part: str) -> None:
    dump = rules.template("dump.j2", "")
    os.truncate(dump, 16 * 2**20)
    rules.write(f"routes: [{{name: a, on: deal.lost, deliver: [{{to: screen, {part}}}]}}]\n")
    assert rules.problems() == [f"{dump}:1:1: template-syntax: the file cannot be read: File too large"]


def test_the_shipped_rules_are_sound() -> None:
    loaded = load(Path(__file__).parents[2] / "routes.yaml", {})
    assert loaded.warnings == ()
    assert len(loaded.ruleset.routes) >= 5
