from pathlib import Path

import pytest
from jinja2.meta import find_undeclared_variables

from bridge.rendering import Reference, Rendering, known_names

RENDERING = Rendering(Path("no-files"), "pt-BR", "America/Sao_Paulo", "BRL")


SOURCES = [
    ("{{ deal.nmae }}", ["deal.nmae"]),
    ("{{ previous.deal_stage.name | upper }}", ["previous.deal_stage.name"]),
    ("{{ deal['deal_stage']['name'] }}", ["deal.deal_stage.name"]),
    ("{{ deal.custom['Qual a sua idade?'] }}", ["deal.custom.Qual a sua idade?"]),
    ("{{ contact.emails[0].email }}", ["contact.emails.email"]),
    ("{{ contact.emails[0:2] }}", ["contact.emails"]),
    ("{{ deal.user.email.endswith('@acme.com') }}", ["deal.user.email"]),
    ("{{ deal.custom.get('Unidade') }}", ["deal.custom"]),
    ("{{ deal.custom.get(task.id).foo }}", ["deal.custom", "task.id"]),
    ("{{ deal[task.name] }}", ["deal", "task.name"]),
    ("{{ (deal.tags | first).name }}", ["deal.tags"]),
    ("{{ now + days(3) }}", ["now"]),
    ("{% if deal.x and not task.y %}{{ event.name }}{% endif %}", ["deal.x", "event.name", "task.y"]),
    ("{% for p in deal.products %}{{ p.name }}{{ loop.index }}{% endfor %}", ["deal.products"]),
    ("{% set x = deal.a %}{{ x.b }}", ["deal.a"]),
    ("{% set x %}{{ deal.a }}{% endset %}{{ x }}", ["deal.a"]),
    ("{% macro m(a) %}{{ a.b }}{{ deal.c }}{% endmacro %}{{ m(deal.d) }}", ["deal.c", "deal.d"]),
    ("{% with y = deal.e %}{{ y.f }}{% endwith %}", ["deal.e"]),
    ("{{ {'deal': 1}.deal }}", []),
    ("{{ deal is defined }}", ["deal"]),
    ("{{ range(3) | list }}", []),
    ("plain", []),
]


@pytest.mark.parametrize(("source", "paths"), SOURCES)
def test_every_chain_that_starts_at_a_free_name_is_found(source: str, paths: list[str]) -> None:
    assert sorted({".".join(reference.path) for reference in RENDERING.text(source).references()}) == paths


def test_a_reference_knows_its_line() -> None:
    references = RENDERING.text("one\n{{ deal.a }}\n\n{% if\n deal.b %}{% endif %}").references()
    assert [(".".join(reference.path), reference.line) for reference in references] == [("deal.a", 2), ("deal.b", 5)]


SCOPES = [
    *(source for source, _ in SOURCES),
    "{% for a in b %}{{ a }}{% else %}{{ a }}{% endfor %}{{ a }}",
    "{% for a in b if a.c == d %}{{ loop.index }}{% endfor %}{{ loop }}",
    "{% set a = a %}{{ a }}",
    "{% if x %}{% set y = 1 %}{% endif %}{{ y }}",
    "{% macro m(a, b=c) %}{{ a }}{{ caller() }}{{ kwargs }}{% endmacro %}{% call(e) m(1) %}{{ e }}{{ f }}{% endcall %}",
    "{% set ns = namespace(a=1) %}{% for x in xs %}{% set ns.a = ns.a + x %}{% endfor %}{{ ns.a }}",
    "{% import 'no.j2' as lib %}{{ lib.x(deal) }}{% from 'no.j2' import y with context %}{{ y(z) }}",
    "{% filter upper %}{{ a }}{% endfilter %}{% with a = 1, b = a %}{{ b }}{% endwith %}",
    "{{ [a, b][c] ~ {d: e}.f | default(g, true) if h is defined else i }}",
]


@pytest.mark.parametrize("source", SCOPES)
def test_the_free_names_are_those_that_jinja_finds(source: str) -> None:
    sandbox = RENDERING._sandbox(None)
    sandbox.from_string(sandbox.parse(source))
    assert sandbox.free[None] == find_undeclared_variables(sandbox.parse(source))


def test_an_expression_has_references_too() -> None:
    references = RENDERING.expression("deal.nmae == 1 and\n event.name").references()
    assert [(reference.path, reference.line) for reference in references] == [
        (("deal", "nmae"), 1),
        (("event", "name"), 2),
    ]


def test_the_names_that_templates_know_are_those_of_the_context_and_the_kinds() -> None:
    assert known_names({"deal"}) == {
        *("event", "document", "previous", "changes", "now", "source"),
        *("days", "hours", "minutes", "range", "namespace", "deal"),
    }


def test_a_file_is_compiled_once_however_often_it_is_included(folder: Path, rendering: Rendering) -> None:
    for number in range(40):
        twice = f"{{% include '{number + 1}.j2' %}}" * 2
        (folder / f"{number}.j2").write_text(f"{{{{ deal.name }}}}{twice}")
    (folder / "40.j2").write_text("{% include '0.j2' %}{{ deal.name }}")
    used = rendering.file("0.j2").references()
    assert used == tuple(Reference(("deal", "name"), 1, f"{number}.j2") for number in range(41))
    assert rendering.text("{% include '39.j2' %}").references() == (*used[39:], *used[:39])
    assert len(rendering.files()) == 41
