"""Data is escaped exactly once, wherever a template joins it to what its author wrote."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import JsonObject
from bridge.rendering import Rendering, TemplateSyntaxProblem
from bridge.targets.slack import Slack

ESCAPE = Slack.escapes["text"]
RENDERING = Rendering(Path("no-files"), "pt-BR", "America/Sao_Paulo", "BRL")

DATA = st.text(st.sampled_from("<>&!@#|'\"{}%*_ \nabç") | st.characters(codec="utf-8"), max_size=40)
"""Names as nobody should be called."""


def rendered(source: str, data: object, escape: object = ESCAPE) -> str:
    return RENDERING.text(source, ESCAPE if escape is ESCAPE else None).render({"data": data})


PLAIN_WAYS = [
    "{{ data }}",
    "{% set x %}{{ data }}{% endset %}{{ x }}",
    "{% set x = data %}{{ x }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(data) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(m(data)) }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ data }}{% endcall %}",
    "{% filter string %}{{ data }}{% endfilter %}",
    "{% for item in [data] %}{{ item }}{% endfor %}",
    "{% with x = data %}{{ x }}{% endwith %}",
    "{{ '' ~ data }}",
    "{{ '' + data }}",
    "{{ [data] | first }}",
    "{{ {'a': data}.a }}",
    "{{ data | default('x') if data else data }}",
    "{{ data if true else '' }}",
    "{{ data or '' }}",
    "{{ [data] | map('string') | first }}",
]


@pytest.mark.parametrize("source", PLAIN_WAYS)
@given(data=DATA)
def test_data_is_escaped_once_on_every_way_to_the_text(source: str, data: str) -> None:
    assert rendered(source, data) == ESCAPE(data)


FILTER_BLOCKS = [
    "{% filter trim %}{{ data }}{% endfilter %}",
    "{% filter default(data) %}{% endfilter %}",
    "{% filter string | default(data) %}{{ '' }}{% endfilter %}",
    "{% filter join(data) %}{% if false %}x{% endif %}ab{% endfilter %}",
    "{% filter truncate(1, end=data) %}abcdef{% endfilter %}",
    "{% filter striptags %}{{ data }}{% endfilter %}",
    "{% filter upper %}{% filter default(data) %}{% endfilter %}{% endfilter %}",
]


@pytest.mark.parametrize("source", FILTER_BLOCKS)
def test_what_a_filter_block_gives_is_escaped_as_any_value_is(source: str) -> None:
    text = rendered(source, "<!channel> & <http://evil|x>")
    assert "<" not in text
    assert "&lt;!channel&gt;" in text.lower() or "&amp;" in text


def test_what_the_author_wrote_in_a_filter_block_stays_as_it_is() -> None:
    assert rendered("{% filter upper %}<b>{{ data }}</b>{% endfilter %}", "a & b") == "<B>A &AMP; B</B>"


def test_a_filter_block_prints_what_is_no_text_as_any_value_is_printed() -> None:
    assert rendered("{% filter length %}{{ data }}{% endfilter %}", "abc", None) == "3"
    assert rendered("{% filter length %}{{ data }}{% endfilter %}", "abc") == "3"


def test_a_set_block_takes_no_filter_but_its_name_does() -> None:
    with pytest.raises(TemplateSyntaxProblem, match="behind the name"):
        rendered("{% set x | striptags %}{{ data }}{% endset %}{{ x }}", "")
    assert rendered("{% set x %}{{ data }}{% endset %}{{ x | striptags }}", "<b> & c") == ESCAPE("<b> & c")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<{{ data }}>", "<{}>"),
        ("{{ '<b>' ~ data ~ '</b>' }}", "<b>{}</b>"),
        ("{{ '<b>' + data }}", "<b>{}"),
        ("{{ data + '<b>' }}", "{}<b>"),
        ("{{ ['<b>', data] | join('<i>') }}", "<b><i>{}"),
        ("{{ ['b', data] | join('<i>') }}", "b<i>{}"),
        ("{% set x %}<{{ data }}{% endset %}{{ x ~ data }}", "<{}{}"),
        ("{% set x %}<{{ data }}{% endset %}{{ x + data }}", "<{}{}"),
        ("{% set x %}<{{ data }}{% endset %}{{ [x, data] | join }}", "<{}, {}"),
        ("{% set x %}<{{ data }}{% endset %}{{ data ~ x }}", "{}<{}"),
        ("{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(data) ~ m(data) }}", "<{}><{}>"),
        ("{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(data) + data }}", "<{}>{}"),
        ("{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m('<i>') }}", "<<i>>"),
        ("{{ '<!here>' if data is string }} {{ data }}", "<!here> {}"),
        ("{{ {'a': '<b>'}['a'] }}{{ data }}", "<b>{}"),
        ("{{ '<x>' | replace('x', data) }}", "<{}>"),
        ("{{ '<!>' | upper ~ data }}", "<!>{}"),
        ("{% set x %}<\n<{% endset %}{{ x | indent(2) }}{{ data }}", "<\n  <{}"),
    ],
)
@given(data=DATA.filter(bool))
def test_what_the_author_wrote_stays_as_it_is(source: str, expected: str, data: str) -> None:
    assert rendered(source, data) == expected.replace("{}", ESCAPE(data))


@given(data=DATA)
def test_text_filters_never_set_data_free(data: str) -> None:
    source = (
        "{{ data | upper }}{{ data | trim }}{{ data | replace('a', 'b') }}{{ data | truncate(9) }}"
        "{{ data | striptags }}"
        "{{ data | indent }}{{ data | tojson }}{{ data | title }}{{ [data, data] | join }}{{ [data] }}{{ {'a': data} }}"
        "{{ data | date }}{{ data | money }}{{ data | phone }}{{ data | ago }}{{ data[1:] }}{{ data[0] if data }}"
        "{{ data.lower() }}{{ data.split() | join(' ') }}{{ data | list | join }}{{ data | reverse | join }}"
    )
    text = rendered(source, data)
    assert not set("<>") & set(text)
    assert not re.search(r"&(?!(amp|lt|gt);)", text.replace("&AMP;", "").replace("&LT;", "").replace("&GT;", ""))


@given(data=DATA)
def test_without_an_escape_data_stays_as_it_is(data: str) -> None:
    assert rendered("{{ data }}{{ data ~ '<' }}", data, None) == f"{data}{data}<"


def test_each_escape_has_its_own_way() -> None:
    shout = RENDERING.text("{% set x %}!{{ data }}{% endset %}{{ x ~ data ~ '?' }}", str.upper)
    assert shout.render({"data": "abc"}) == "!ABCABC?"
    assert RENDERING.text("{{ data }}", ESCAPE).render({"data": "a&b"}) == "a&amp;b"
    assert RENDERING.text("{{ data }}", str.upper).render({"data": "a&b"}) == "A&B"


@given(data=DATA)
def test_a_leaf_of_one_expression_is_escaped_once_and_keeps_the_literals(data: str) -> None:
    content: JsonObject = {"blocks": ["{{ data }}", "{{ '<b>' ~ data }}", "{{ [data, '<b>'] }}", "{{ {'k': data} }}"]}
    rendered_content = RENDERING.structure(content, {"blocks": ESCAPE}).render({"data": data})
    safe = ESCAPE(data)
    assert rendered_content == {"blocks": [safe, f"<b>{safe}", [safe, "<b>"], {"k": safe}]}
