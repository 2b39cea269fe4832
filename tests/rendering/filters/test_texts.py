import pytest

from bridge.rendering import TemplateFailedError
from tests.rendering.conftest import Render

OVER_TEXTS = ("capitalize", "indent", "lower", "striptags", "title", "trim", "truncate", "upper", "urlencode")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 'pão de AÇÚCAR' | capitalize }}", "Pão de açúcar"),
        ("{{ 'PÃO' | lower }}", "pão"),
        ("{{ 'pão de queijo' | title }}", "Pão De Queijo"),
        ("{{ 'pão' | upper }}", "PÃO"),
        ("[{{ '  a ' | trim }}]", "[a]"),
        ("{{ 'a-b-c' | replace('-', '+') }}", "a+b+c"),
        ("{{ 'um texto longo demais' | truncate(10) }}", "um texto…"),
        ("{{ 'umapalavralonga' | truncate(5) }}", "umap…"),
        ("{{ 'curto' | truncate(5) }}", "curto"),
        ("{{ 'um texto longo' | truncate(9, ' (…)') }}", "um (…)"),
        ("{{ 'a\nb\n\nc' | indent(2) }}", "a\n  b\n\n  c"),
        ("{{ '<p>Olá <b>mundo</b></p>' | striptags }}", "Olá mundo"),
        ("{{ '<p>um</p><p>dois<br>três &amp; meio</p>' | striptags }}", "um\ndois\ntrês & meio"),
        ("{{ 'a b&c/ç' | urlencode }}", "a%20b%26c%2F%C3%A7"),
        ("{{ {'a': [1, none, 'ç']} | tojson }}", '{"a": [1, null, "ç"]}'),
        ("{{ none | tojson }}", "null"),
        ("{{ 1.5 | string ~ '!' }}", "1.5!"),
        ("{{ 3 | upper }}", "3"),
        ("{{ none | default('x') }}{{ '' | default('x') }}{{ [] | default('x') }}", "xxx"),
        ("{{ 0 | default('x') }}{{ false | default('x') }}", "0false"),
        ("{{ deal.nope | default('x') }}{{ nope | default('y') }}", "xy"),
        ("{{ deal.user | default('ninguém') }}", "ninguém"),
    ],
)
def test_text_filters(render: Render, source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize("name", [*OVER_TEXTS, "replace('a', 'b')"])
def test_nothing_stays_nothing(render: Render, name: str) -> None:
    assert render(f"[{{{{ none | {name} }}}}{{{{ ('x' if false) | {name} }}}}]") == "[]"


@pytest.mark.parametrize("name", [*OVER_TEXTS, "replace('a', 'b')"])
@pytest.mark.parametrize("value", [["a"], {"a": 1}, True])
def test_what_is_no_text_is_an_error_and_not_its_python_spelling(render: Render, name: str, value: object) -> None:
    with pytest.raises(TemplateFailedError, match=r"wants a text, not (a list|an object|true or false)"):
        render(f"{{{{ value | {name} }}}}", value=value)


@pytest.mark.parametrize("name", [*OVER_TEXTS, "replace('a', 'b')", "tojson", "string"])
def test_an_undefined_field_is_an_error(render: Render, name: str) -> None:
    with pytest.raises(TemplateFailedError, match='deal has no field "nope"'):
        render(f"{{{{ deal.nope | {name} }}}}")


def test_indent_is_bounded(render: Render) -> None:
    with pytest.raises(TemplateFailedError, match="indent takes 0 to 40 columns"):
        render("{{ 'a' | indent(41) }}")
