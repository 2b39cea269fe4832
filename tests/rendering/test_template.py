from pathlib import Path

import pytest

from bridge.rendering import Rendering, TemplateFailedError, TemplateSyntaxProblem

RENDERING = Rendering(Path("no-files"), "pt-BR", "America/Sao_Paulo", "BRL")
CONTEXT = {"deal": {"amount": 6000, "name": "Loja", "user": {"email": "a@acme.com"}, "nothing": None}}


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ("deal.amount > 5000", True),
        ("deal.user.email.endswith('@acme.com') and deal.amount < 10", False),
        ("not deal.nothing", True),
        ("deal.name in ['Loja', 'Casa']", True),
        ("deal.name is defined", True),
        ("deal.nope is defined", False),
    ],
)
def test_a_condition_gives_its_verdict(source: str, verdict: bool) -> None:  # noqa: FBT001 (a parameter of the table)
    assert RENDERING.expression(source).test(CONTEXT) is verdict
    assert RENDERING.expression(source).source == source


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("deal.name", "gives a text, not true or false"),
        ("deal.amount", "gives a number, not true or false"),
        ("deal.nothing", "gives nothing, not true or false"),
        ("deal.user", "gives an object, not true or false"),
        ("deal.nope", 'has no field "nope"'),
        ("deal.nope == 1", 'has no field "nope"'),
        ("deal.amount > deal.name", "`>` cannot compare a number with a text"),
        ("deal.name if false", "gives nothing, not true or false"),
    ],
)
def test_a_condition_that_is_no_boolean_is_an_error(source: str, message: str) -> None:
    with pytest.raises(TemplateFailedError, match=message):
        RENDERING.expression(source).test(CONTEXT)


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("{{ deal.name }}", 1, "leave out the braces"),
        ("deal.name ==", 1, "unexpected 'end of template'"),
        ("deal.name deal", 1, "more follows"),
        ("deal.name and\n deal.x | nope", 2, "No filter named 'nope'"),
        ("", 1, "unexpected"),
    ],
)
def test_a_condition_that_does_not_compile_tells_its_line(source: str, line: int, message: str) -> None:
    with pytest.raises(TemplateSyntaxProblem, match=message) as caught:
        RENDERING.expression(source, "when")
    assert (caught.value.line, caught.value.name) == (line, "when")


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("a\n{{ b", 2),
        ("{% if x %}\n\n", 1),
        ("{{ 'a }}", 1),
        ("\n\n{% nope %}", 3),
        ("{{ x | }}", 1),
        ("{% endif %}", 1),
    ],
)
def test_a_text_that_does_not_compile_tells_its_line(source: str, line: int) -> None:
    with pytest.raises(TemplateSyntaxProblem) as caught:
        RENDERING.text(source, name="text")
    assert caught.value.line == line
    assert str(caught.value).startswith(f"text:{line}: ")


@pytest.mark.parametrize("source", [f"{{{{ {'9' * 5000} }}}}", "{% set x | default(name) %}{% endset %}{{ x }}"])
def test_whatever_keeps_a_text_from_compiling_is_a_problem_of_that_text(source: str) -> None:
    with pytest.raises(TemplateSyntaxProblem) as caught:
        RENDERING.text(source, name="text")
    assert str(caught.value).startswith("text:1: ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (11050.5, "11050.5"),
        ([], ""),
        (["a", None, 2], "a, , 2"),
        ({"a": "ç"}, '{"a": "ç"}'),
        ([{"a": 1}], '[{"a": 1}]'),
    ],
)
def test_values_print_as_people_and_programs_read_them(value: object, text: str) -> None:
    assert RENDERING.text("{{ value }}").render({"value": value}) == text


def test_an_inline_if_without_an_else_gives_nothing() -> None:
    assert RENDERING.text("[{{ 'x' if false }}]").render({}) == "[]"
    assert RENDERING.structure({"a": "{{ 'x' if false }}"}, {}).render({}) == {"a": None}


@pytest.mark.parametrize("source", [r'{{ "\ud83d\ude00" }}', r'{{ "\ud800" ~ 1 }}', "{{ half }}"])
def test_half_a_character_is_an_error_of_the_text_that_gives_it(source: str) -> None:
    context = {"half": "\udcff"}
    for render in (RENDERING.text(source).render, RENDERING.structure({"a": source + "."}, {}).render):
        with pytest.raises(TemplateFailedError, match="half a character"):
            render(context)


def test_an_error_that_quotes_half_a_character_can_be_stored_and_is_not_endless() -> None:
    with pytest.raises(TemplateFailedError) as caught:
        RENDERING.text("{{ 1 | money(code) }}").render({"code": "\ud800" + "x" * 5000})
    assert str(caught.value).encode()
    assert "\\ud800xxx" in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("source", ["{{ cnpj | int }}", "{{ [1, [cnpj | int]] }}", "{{ {'a': -(cnpj | int)} }}"])
def test_a_number_that_json_cannot_hold_fails_its_own_leaf_and_can_be_a_text(source: str) -> None:
    context = {"cnpj": "99999999999999999999"}
    with pytest.raises(TemplateFailedError, match=r"^body\.cnpj:1: it gives a number of more than 64 bits") as caught:
        RENDERING.structure({"body": {"name": "x", "cnpj": source}}, {}).render(context)
    assert "`string`" in str(caught.value)
    told = RENDERING.structure({"body": {"cnpj": "{{ cnpj | int | string }}"}}, {}).render(context)
    assert told == {"body": {"cnpj": "99999999999999999999"}}


def test_half_a_character_anywhere_in_a_value_fails_its_leaf() -> None:
    with pytest.raises(TemplateFailedError, match=r"^body:1: it cannot be written as JSON"):
        RENDERING.structure({"body": "{{ [half] }}"}, {}).render({"half": "\ud800"})


@pytest.mark.parametrize("source", ["{{ now.tzinfo }}", "{{ range }}", "{{ 10 ** 99 * 1.0 * 10.0 ** 300 }}"])
def test_what_is_no_data_never_becomes_a_leaf(source: str) -> None:
    with pytest.raises(TemplateFailedError):
        RENDERING.structure({"a": source}, {}).render({"now": None})
