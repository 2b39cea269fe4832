"""The page of templates says what templates can do: every table is held against the code, every example is rendered."""

import ast
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest
from jinja2.filters import FILTERS
from jinja2.parser import _statement_keywords as statement_keywords
from jinja2.runtime import LoopContext, Macro

from bridge.component.discovery import target_types
from bridge.config import load
from bridge.config.actions import texts_of
from bridge.model import Json
from bridge.options import InvalidConfigurationError
from bridge.rdstation import KINDS
from bridge.rendering import EVENT_SHAPE, Rendering, TemplateFailedError, budget
from bridge.rendering.compiling import SOURCE
from bridge.rendering.context import FUNCTIONS, GATHERED, NAMES
from bridge.rendering.environment import MEMBERS, Sandbox, members_of
from tests.docs.fragments import FRAME, ROUTE
from tests.docs.pages import ROOT, blocks, code, codes, rows
from tests.support.changes import NOW, change_of, crm, webhook

PAGE = ROOT / "docs/reference/templates.md"
TEMPLATES = ("{{", "{%", "{#")
VERDICTS = frozenset({"`true`", "`false`"})
"""What an example of a test gives; a row without one defines a test."""
FILTER_SECTIONS = (
    "Money, numbers, dates and telephones",
    "The entity and its changes",
    "Texts",
    "Numbers",
    "Lists and objects",
    "Figures of many",
)
TEXT_SECTIONS = (
    *FILTER_SECTIONS,
    *("Whitespace", "What is empty", "Loops", "Macros, include and import", "Functions"),
)
DATA = "Ana/<João>\n& Cia"
"""What the table of escapes shows the fate of."""

DEAL, BEFORE = (json.loads(block.text) for block in blocks(PAGE) if block.language == "json")
"""The deal of the examples, and what differed before."""


def _is_template(row: tuple[str, ...]) -> bool:
    return any(mark in row[0] for mark in TEMPLATES)


def examples(heading: str) -> list[tuple[str, ...]]:
    """Return the rows below a heading that begin with a template."""
    return [row for row in rows(PAGE, heading) if _is_template(row)]


def definitions(*headings: str) -> list[tuple[str, ...]]:
    """Return the rows below headings that begin with something else."""
    return [row for heading in headings for row in rows(PAGE, heading) if not _is_template(row)]


def lines(cell: str) -> str:
    """Return what a cell shows, with line breaks; ``nothing`` without backticks is the empty text."""
    return "" if cell == "nothing" else code(cell).replace("⏎", "\n")


@dataclass(frozen=True, slots=True)
class Shown:
    """The rendering that the page speaks of, with its files, and the names of its examples."""

    rendering: Rendering
    names: Mapping[str, object]

    def text(self, source: str, escape: Callable[[str], str] | None = None) -> str:
        return self.rendering.text(source, escape).render(self.names)

    def value(self, expression: str) -> Json:
        return self.rendering.expression(expression).value(self.names)

    @property
    def sandbox(self) -> Sandbox:
        return self.rendering._sandbox(None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of rules with the template files that the page shows."""
    made = tmp_path_factory.mktemp("rules")
    for block in blocks(PAGE):
        if block.language == "jinja":
            path = made / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
    (made / "templates/file").write_text("{% macro name() %}{% endmacro %}", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def shown(folder: Path) -> Shown:
    rendering = Rendering(folder / "templates", "pt-BR", "America/Sao_Paulo", "BRL")
    deal = rendering.context(change_of([webhook("deal", **DEAL | BEFORE), webhook("deal", **DEAL)]), crm(), NOW)
    task = rendering.context(change_of([webhook("task", name="Ligar", deal_id=DEAL["id"])]), crm(), NOW)
    return Shown(rendering, {**deal, "task": task["task"]})


def pairs(heading: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in examples(heading)]


def expressions(*headings: str) -> list[tuple[str, str]]:
    """Return each expression of the rows below headings, with what the row says that it gives."""
    return [
        (expression, row[1])
        for heading in headings
        for row in rows(PAGE, heading)
        if heading != "Tests" or row[1] in VERDICTS
        for expression in codes(row[0])
    ]


@pytest.mark.parametrize(("template", "gives"), [pair for heading in TEXT_SECTIONS for pair in pairs(heading)])
def test_an_example_gives_what_the_page_says(shown: Shown, template: str, gives: str) -> None:
    assert shown.text(lines(template)) == lines(gives)


@pytest.mark.parametrize(("expression", "gives"), expressions("Expressions", "Tests"))
def test_an_expression_gives_what_the_page_says(shown: Shown, expression: str, gives: str) -> None:
    assert shown.value(expression) == json.loads(code(gives))


@pytest.mark.parametrize(("expression", "prints"), expressions("How values print"))
def test_a_value_prints_as_the_page_says(shown: Shown, expression: str, prints: str) -> None:
    assert shown.text(f"{{{{ {expression} }}}}") == lines(prints)


def test_there_are_examples_to_check() -> None:
    assert all(len(pairs(heading)) > 2 for heading in TEXT_SECTIONS)
    assert len(expressions("Expressions")) > 30
    assert len(expressions("Tests")) > 30


def test_the_file_that_the_page_shows_gives_the_message_that_it_shows(shown: Shown) -> None:
    expected = next(block.text for block in blocks(PAGE) if block.language == "text")
    still = {name: DEAL[name] for name in ("name", "user", "campaign")}
    stages = [{"id": DEAL["id"], **still, "deal_stage": stage} for stage in (BEFORE["deal_stage"], DEAL["deal_stage"])]
    moved = change_of([webhook("deal", **stages[0]), webhook("deal", **stages[1], updated_at=DEAL["updated_at"])])
    template = shown.rendering.file("slack/deal_moved.md.j2")
    assert template.render(shown.rendering.context(moved, crm(), NOW)) + "\n" == expected


# What there is


def test_the_page_has_every_name_and_no_other() -> None:
    documented = {name for row in rows(PAGE, "Names") for name in codes(row[0])}
    assert documented == NAMES | set(KINDS)


def test_the_page_has_every_name_of_a_digest_and_no_other(shown: Shown) -> None:
    documented = [code(row[0]) for row in rows(PAGE, "In a digest")]
    assert documented == list(shown.rendering.gathered([], "", NOW, None))
    assert set(documented) == GATHERED


def test_the_page_has_every_member_of_the_event(shown: Shown) -> None:
    documented = [code(row[0]) for row in rows(PAGE, "event")]
    event = shown.names["event"]
    assert isinstance(event, dict)
    assert documented == list(EVENT_SHAPE) == list(event)


def test_the_page_has_every_member_of_a_change(shown: Shown) -> None:
    changes = shown.names["changes"]
    assert isinstance(changes, list)
    assert [code(row[0]) for row in rows(PAGE, "changes")] == list(changes[0])


def test_the_page_has_every_member_of_a_row(shown: Shown) -> None:
    [row] = cast("list[dict[str, Json]]", shown.value('[{"n": "a"}] | ranked("n")'))
    assert [code(member[0]) for member in rows(PAGE, "Rows")] == list(row)


@pytest.mark.parametrize("kind", KINDS)
def test_of_the_kinds_an_event_has_its_own_alone(shown: Shown, kind: str) -> None:
    names = shown.rendering.context(change_of([webhook(kind)]), crm(), NOW)
    assert set(names) == NAMES | {kind}


def test_a_route_of_several_kinds_can_ask_which_one_it_has(shown: Shown) -> None:
    template = "{{ task.name if task is defined else deal.name }}"
    assert f"`{template}`" in PAGE.read_text("utf-8")
    names = {name: value for name, value in shown.names.items() if name != "task"}
    assert shown.text(template) == "Ligar"
    assert shown.rendering.text(template).render(names) == DEAL["name"]


TYPES: Mapping[str, type] = {
    "a text": str,
    "an object": dict,
    "a list": list,
    "a moment, a date": type(NOW),
    "a duration": timedelta,
    "`loop`": LoopContext,
    "a macro": Macro,
}


def test_the_page_has_every_member_of_every_type() -> None:
    documented = {row[0]: frozenset(codes(row[1])) for row in rows(PAGE, "Members")}
    assert documented == {name: members_of(kind) for name, kind in TYPES.items()}
    assert set(documented.values()) == {names for _, names in MEMBERS}


def test_the_page_has_every_statement_that_compiles_and_no_other(shown: Shown) -> None:
    statements = [statement for row in rows(PAGE, "Statements") for statement in codes(row[0])]
    for statement in statements:
        shown.rendering.text(statement)
    left_out = "".join(row[0] for row in rows(PAGE, "What is left out"))
    known = statement_keywords | {"call", "filter"}
    assert set(re.findall(r"{% (\w+)", "".join(statements))) - known == {
        *("raw", "elif", "else"),
        *(f"end{name}" for name in ("if", "for", "set", "with", "macro", "call", "filter", "raw")),
    }
    assert {name for name in known if f"{{% {name} " not in "".join(statements)} == {"extends", "block", "autoescape"}
    assert {name for name in ("extends", "block", "autoescape") if f"{{% {name} " in left_out} == {
        *("extends", "block", "autoescape")
    }


# Filters, tests and functions


@dataclass(frozen=True, slots=True)
class Signature:
    """A name with its parameters: each required one, and each other with its default; None if it takes anything."""

    name: str
    required: tuple[str, ...] | None
    defaults: Mapping[str, object]


def documented_signature(written: str) -> Signature:
    """Read ``truncate(length=80, end="…")`` or a bare name."""
    found = re.fullmatch(r"([^(]+)(?:\((.*)\))?", written)
    assert found, written
    name, parameters = found.groups(default="")
    if parameters == "…":
        return Signature(name, None, {})
    call = ast.parse(f"f({parameters})", mode="eval").body
    assert isinstance(call, ast.Call)
    required = tuple(argument.id for argument in call.args if isinstance(argument, ast.Name))
    return Signature(name, required, {word.arg or "": _literal(word.value) for word in call.keywords})


def _literal(node: ast.expr) -> object:
    if isinstance(node, ast.Name):
        return {"none": None, "true": True, "false": False}[node.id]
    return ast.literal_eval(node)


def signature_of(name: str, function: Any, original: Callable[..., Any] | None) -> Signature:
    """Read a function's; where it hands everything to one of Jinja's, that one's."""
    parameters = list(inspect.signature(function).parameters.values())
    if original is not None and any(each.kind is each.VAR_POSITIONAL for each in parameters):
        parameters = list(inspect.signature(original).parameters.values())
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return Signature(name, None, {})
    own = [each for each in parameters if each.name not in {"environment", "context", "env"}]
    if original is not None:
        own = own[1:]  # what stands before the bar
    required = tuple(each.name for each in own if each.default is each.empty)
    return Signature(name, required, {each.name: each.default for each in own if each.default is not each.empty})


def test_the_page_has_every_filter_with_its_parameters_and_no_other(shown: Shown) -> None:
    documented = [documented_signature(code(row[0])) for row in definitions(*FILTER_SECTIONS)]
    known = {name: signature_of(name, made, FILTERS.get(name, made)) for name, made in shown.sandbox.filters.items()}
    assert {each.name: each for each in documented} == known
    assert len(documented) == len(known)


@pytest.mark.parametrize("heading", FILTER_SECTIONS)
def test_every_filter_has_an_example(heading: str) -> None:
    shown = " ".join(code(template) for template, _ in pairs(heading))
    used = set(re.findall(r"\| (\w+)", shown))
    assert {documented_signature(code(row[0])).name for row in definitions(heading)} - used == set()


def test_the_page_has_every_test_with_its_parameters_and_no_other(shown: Shown) -> None:
    documented = [documented_signature(piece) for row in rows(PAGE, "Tests") for piece in _tests_of(row)]
    tests: Mapping[str, Any] = shown.sandbox.tests
    known = {name: len(inspect.signature(test).parameters) - 1 for name, test in tests.items()}
    assert {each.name: len(each.required or ()) for each in documented} == known
    assert len(documented) == len(known)


def _tests_of(row: tuple[str, ...]) -> list[str]:
    return [] if row[1] in VERDICTS else codes(row[0])


def test_every_test_has_an_example(shown: Shown) -> None:
    used = " ".join(expression for expression, _ in expressions("Tests"))
    missing = {name for name in shown.sandbox.tests if not re.search(rf'is (not )?{name}\b|select\("{name}"', used)}
    assert missing == set()


def test_the_page_has_every_function_with_its_parameters_and_no_other(shown: Shown) -> None:
    documented = {each.name: each for row in definitions("Functions") for each in [documented_signature(code(row[0]))]}
    known = {name: signature_of(name, made, None) for name, made in shown.sandbox.globals.items()}
    assert documented == known
    assert documented.keys() == FUNCTIONS


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("number", "{{{{ 1 | number({}) }}}}"),
        ("percent", "{{{{ 1 | percent({}) }}}}"),
        ("round", "{{{{ 1.5 | round({}) }}}}"),
        ("indent", "{{{{ 'a' | indent({}) }}}}"),
        ("date", "{{{{ now | date('/' * {}) }}}}"),
    ],
)
def test_a_parameter_is_bounded_as_the_page_says(shown: Shown, name: str, template: str) -> None:
    row = next(row for row in definitions(*FILTER_SECTIONS) if code(row[0]).startswith(f"{name}("))
    found = re.search(r"(?:0 to|at most) (\d+)", row[1])
    assert found
    most = int(found[1])
    shown.text(template.format(most))
    with pytest.raises(TemplateFailedError):
        shown.text(template.format(most + 1))


# Escaping and types


def test_the_page_has_every_key_that_escapes(shown: Shown) -> None:
    documented = {(code(row[0]), code(row[1])): row[2] for row in rows(PAGE, "Escaping") if len(row) == 4}
    escapes = {
        (kind, field): escape for kind, target in target_types().items() for field, escape in target.escapes.items()
    }
    assert documented.keys() == escapes.keys()
    for place, arrives in documented.items():
        template = shown.rendering.text("{{ data }}", escapes[place])
        assert template.render({"data": DATA}) == lines(arrives), place


@pytest.mark.parametrize(("template", "gives"), pairs("Escaping"))
def test_in_slack_an_example_gives_what_the_page_says(shown: Shown, template: str, gives: str) -> None:
    assert shown.text(lines(template), target_types()["slack"].escapes["text"]) == lines(gives)


def test_an_address_that_is_data_stays_whole_where_it_is_all_of_the_url(shown: Shown) -> None:
    escapes, address = target_types()["http"].escapes, "https://hooks.example.com/a?b=c"
    for url, sends in (
        ("{{ data }}", address),
        ("https://a.example/{{ data }}", "https://a.example/" + quote(address, safe="")),
    ):
        assert shown.rendering.structure({"url": url}, escapes).render({"data": address}) == {"url": sends}


@pytest.mark.parametrize(("leaf", "sends"), pairs("Values that keep their type"))
def test_a_leaf_sends_what_the_page_says(shown: Shown, leaf: str, sends: str) -> None:
    content = shown.rendering.structure({"body": json.loads(code(leaf))}, {}).render(shown.names)
    assert content == {"body": json.loads(code(sends))}


def test_the_page_has_every_key_that_takes_text_alone() -> None:
    documented = {code(row[0]): set(codes(row[1])) for row in definitions("Values that keep their type")}
    assert documented == {kind: texts_of(target.Action) for kind, target in target_types().items()}


def test_in_the_blocks_of_slack_nothing_becomes_an_empty_text(shown: Shown) -> None:
    content = shown.rendering.structure({"blocks": ["{{ none }}"]}, target_types()["slack"].escapes)
    assert content.render(shown.names) == {"blocks": [""]}


# What can go wrong


def problems_of(template: str, folder: Path) -> list[str]:
    """Return the code of each problem that a route on ``deal.lost`` with this text has."""
    route = {**ROUTE, "deliver": [{"to": "screen", "text": template}]}
    (folder / "routes.yaml").write_text(json.dumps({**FRAME, "routes": [route]}), encoding="utf-8")
    try:
        load(folder / "routes.yaml", {})
    except InvalidConfigurationError as error:
        return [problem.code for problem in error.problems]
    return []


@pytest.mark.parametrize(("template", "problem"), pairs("What `check` finds"))
def test_a_mistake_is_found_under_its_code(folder: Path, template: str, problem: str) -> None:
    assert problems_of(code(template), folder) == codes(problem)


def test_the_page_shows_every_problem_that_a_template_can_have() -> None:
    known = {code(f"`{name}`") for name in ("unknown-template", "template-syntax", "undefined-name", "unknown-filter")}
    assert {name for _, problem in pairs("What `check` finds") for name in codes(problem)} == known | {"unknown-field"}


@pytest.mark.parametrize(("template", "reason"), pairs("What shows later"))
def test_a_mistake_that_no_check_finds_fails_with_the_reason(
    shown: Shown, folder: Path, template: str, reason: str
) -> None:
    assert problems_of(code(template), folder) == []
    with pytest.raises(TemplateFailedError) as failed:
        shown.text(code(template))
    assert failed.value.message == code(reason)


BOUNDS: Mapping[str, float] = {
    "characters of a template or of one file": SOURCE,
    "characters that come out of one text": budget.OUTPUT,
    "characters put together on the way": budget.CHARACTERS,
    "turns of loops, items that filters look at, comparisons, calls of macros, includes": budget.STEPS,
    "numbers of one `range`": budget.RANGE,
    "bits of a whole number that is multiplied or raised to a power": budget.BITS,
    "characters of which `int` makes a number, else it gives its default": budget.DIGITS,
    "characters that `rfind`, `rindex`, `rsplit` and `rpartition` look for": budget.SOUGHT,
    "seconds of processor time": budget.SECONDS,
}


def test_the_page_has_every_limit() -> None:
    assert {row[0]: float(row[1].replace(",", "")) for row in rows(PAGE, "Limits")} == BOUNDS
    constants = {value for name, value in vars(budget).items() if name.isupper() and isinstance(value, int | float)}
    assert constants - {budget.LEAST} <= set(BOUNDS.values())


def test_a_template_that_asks_for_too_much_says_what_the_page_says(shown: Shown) -> None:
    with pytest.raises(TemplateFailedError) as failed:
        shown.text("{% for a in range(9999) %}{% for b in range(99) %}{% endfor %}{% endfor %}")
    assert f"`{failed.value.message}`" in PAGE.read_text("utf-8").replace("\n", " ")


@pytest.mark.parametrize("template", [piece for row in rows(PAGE, "What is left out") for piece in codes(row[0])])
def test_what_is_left_out_is_not_there(folder: Path, shown: Shown, template: str) -> None:
    if problems_of(template, folder) == []:
        with pytest.raises(TemplateFailedError):
            shown.text(template)
