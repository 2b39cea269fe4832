"""Whatever is answered, the rules load without a word, and every moment becomes a message that people can read."""

import re
from functools import cache
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from bridge.cli.starter.answers import OFFERED, USUAL
from bridge.cli.starter.languages import LANGUAGES
from bridge.cli.starter.moments import headline, kind_of, lines, members, route_name
from bridge.cli.starter.rules import example, rules
from bridge.model import DeliveryState
from bridge.options import read_yaml, variables_in
from bridge.rdstation import KINDS, TRIGGERS
from bridge.routing.router import in_order
from bridge.ruleset import Ruleset
from tests.support.changes import NOW, crm, event_of
from tests.support.starting import EACH, ENVIRON, answers, ruleset_of

SOURCE = crm()
SETS = [*((each,) for each in OFFERED), *combinations(USUAL, 2), OFFERED]


@cache
def everything(language: str, target: str) -> Ruleset:
    """Return the rules that tell of every trigger there is."""
    with TemporaryDirectory() as folder:
        return ruleset_of(rules(answers(language, target, moments=tuple(TRIGGERS))), Path(folder))


def told(ruleset: Ruleset, moment: str, **document: Any) -> dict[str, Any]:
    """Return, per route, the content that the sample of a moment comes to, with some fields set."""
    bodies = SOURCE.story(moment, NOW)
    for body in bodies:
        body["document"].update(document)  # type: ignore[union-attr]
    events = [event_of(SOURCE, body, number) for number, body in enumerate(bodies, 1)]
    *_, routed = in_order(ruleset.router.decide, events, {})
    assert all(delivery.state is DeliveryState.PENDING for delivery in routed.deliveries), routed.deliveries
    return {delivery.route: delivery.content for delivery in routed.deliveries}


@pytest.mark.parametrize(("language", "target"), EACH)
@pytest.mark.parametrize("moments", SETS, ids=",".join)
def test_rules_load_without_a_word(language: str, target: str, moments: tuple[str, ...], tmp_path: Path) -> None:
    given = answers(language, target, moments=moments)
    ruleset = ruleset_of(rules(given), tmp_path)
    assert [route.name for route in ruleset.routes] == [route_name(each, given.words) for each in moments]


@pytest.mark.parametrize(("language", "target"), EACH)
@pytest.mark.parametrize("kind", KINDS)
def test_every_commented_line_of_the_language_loads_too(language: str, target: str, kind: str, tmp_path: Path) -> None:
    written = rules(answers(language, target, moments=(f"{kind}.created",)))
    text = re.sub(
        r"^( +)# ( *(?:match:|secrets:|auth:|thread:|\w+(?:\.\w+)?: [\[{]).*)$", r"\1\2", written, flags=re.MULTILINE
    )
    assert re.findall(r"^ +# (?:match|secrets|auth|thread):", text, re.MULTILINE) == []
    ruleset = ruleset_of(text, tmp_path)
    assert ruleset.routes[0].match is not None
    assert ("thread: deal" in text) == (target == "slack" and kind == "deal")


@pytest.mark.parametrize(("language", "target"), EACH)
@pytest.mark.parametrize("moment", TRIGGERS)
def test_every_moment_becomes_a_message(language: str, target: str, moment: str) -> None:
    content = told(everything(language, target), moment)[route_name(moment, LANGUAGES[language])]
    if target == "http":
        assert content["body"]["event"] == moment
        assert content["body"]["name"]
        assert all(value is not None for name, value in content["body"].items() if name.startswith("previous_"))
    else:
        first, *rest = content["text"].splitlines()
        assert headline(moment, LANGUAGES[language]) in first
        assert first.partition(": ")[2] or first.partition(":* ")[2]
        assert "None" not in content["text"]
        assert all(rest)


def test_a_lost_deal_in_slack_reads_like_this() -> None:
    content = told(everything("pt-BR", "slack"), "deal.lost", id="6f2d77d4a11d4271900cc4c2")
    assert content["negociacao-perdida"]["text"].replace("\N{NO-BREAK SPACE}", " ") == (
        "❌ *Negociação perdida:* "
        "<https://crm.rdstation.com/app/deals/6f2d77d4a11d4271900cc4c2|Padaria Estrela: plano anual>\n"
        "*Motivo de perda:* Preço acima do orçamento\n"
        "*Valor total:* R$ 11.050,50\n"
        "*Etapa:* Proposta enviada\n"
        "*Funil:* Funil Padrão\n"
        "*Responsável:* Marina Duarte"
    )


def test_a_move_on_the_screen_tells_both_stages() -> None:
    content = told(everything("en", "log"), "deal.stage_changed", id="6f2d")
    assert content["deal-moved-to-another-stage"]["text"].splitlines()[1] == "Stage: Proposta enviada → Negociação"
    assert content["deal-moved-to-another-stage"]["text"].splitlines()[-1].endswith("/app/deals/6f2d")


def test_what_a_service_gets_keeps_its_type() -> None:
    body = told(everything("en", "http"), "deal.amount_changed")["deal-has-another-amount"]["body"]
    assert (body["previous_amount_total"], body["amount_total"]) == (11050.5, 11200.5)


def test_what_is_empty_is_a_dash() -> None:
    content = told(everything("pt-BR", "log"), "deal.lost", deal_lost_reason={}, amount_total=None, user={})
    assert "Motivo de perda: —\n" in content["negociacao-perdida"]["text"]
    assert "Responsável: —\n" in content["negociacao-perdida"]["text"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_routes_are_plain_and_told_apart(language: str) -> None:
    names = [route_name(each, LANGUAGES[language]) for each in TRIGGERS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", name) for name in names)


@pytest.mark.parametrize("moment", TRIGGERS)
def test_messages_and_structures_tell_the_same(moment: str) -> None:
    told_to_people = lines(moment, LANGUAGES["en"], slack=True)
    assert len(told_to_people) <= len(members(moment))


@pytest.mark.parametrize(("minimum", "lost"), [("5000", True), ("11050.5", True), ("11050.51", False)])
def test_a_minimum_holds_for_losses_alone(minimum: str, tmp_path: Path, *, lost: bool) -> None:
    given = answers(moments=("deal.won", "deal.lost"), minimum=minimum)
    ruleset = ruleset_of(rules(given), tmp_path)
    assert bool(told(ruleset, "deal.lost")) == lost
    assert told(ruleset, "deal.won", amount_total=1)


@pytest.mark.parametrize(("language", "target"), EACH)
def test_lines_fit_an_editor(language: str, target: str) -> None:
    given = answers(language, target, moments=tuple(TRIGGERS))
    texts = (rules(given) + example(given)).splitlines()
    assert [line for line in texts if len(line) > 120 and line.lstrip().startswith("#")] == []
    assert [line for line in texts if line != line.rstrip()] == []


@pytest.mark.parametrize(
    "typed",
    [
        *('#vendas "norte"', "a: b # c", "'", "\\n", "{{ deal }}", "- x", "yes", "12:30", "007", "*a", "&a", "!a", "%"),
        *("R$5", "$$", "${x", "a${X}b", "ação 🏆", "[a", "@"),
    ],
)
def test_what_was_typed_arrives_as_it_was_typed(typed: str, tmp_path: Path) -> None:
    place = f"https://example.com/?{typed}"
    ruleset = ruleset_of(rules(answers(target="http", place=place)), tmp_path)
    [target] = ruleset.targets.values()
    assert target.options.url.reveal() == place


@pytest.mark.parametrize(("language", "target"), EACH)
def test_the_example_lists_the_variables_of_the_rules_and_no_other(language: str, target: str) -> None:
    given = answers(language, target)
    named = variables_in(read_yaml(rules(given).encode(), "routes.yaml").data)
    assert set(given.variables) == named <= ENVIRON.keys()
    listed = re.findall(r"^(\w+)=$", example(given), re.MULTILINE)
    assert listed == list(given.variables)


def test_a_variable_of_ones_own_is_listed_too() -> None:
    assert list(answers(target="slack", place="${OUR_CHANNEL}").variables) == ["SLACK_BOT_TOKEN", "OUR_CHANNEL"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_that_the_files_name_are_there(language: str) -> None:
    root = Path(__file__).parents[3]
    written = rules(answers(language))
    named = re.findall(r"docs/[\w/-]+\.md", written)
    assert "docs/reference/rules.md" in named
    assert [name for name in named if not (root / name).exists()] == []


def test_every_kind_has_something_to_tell() -> None:
    assert {kind_of(moment) for moment in TRIGGERS} == set(KINDS)
