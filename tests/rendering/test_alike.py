"""Tests of texts that are alike: compiled once, and each says what it would say alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError

from bridge.errors import RenderError
from bridge.rendering import Rendering, TemplateSyntaxProblem
from bridge.rendering.environment import Sandbox
from bridge.rendering.template import Template
from bridge.targets.slack import Slack

CONTEXT: dict[str, Any] = {
    "deal": {"name": "Loja <b> & Cia", "amount": 6000, "nothing": None, "tags": ["a", "<b>", "c"]},
    "previous": {"name": ""},
}
FRAMES = (
    ("", "{{ deal.name }}", ""),
    ("", "{{ deal.name }}", "{{ deal.amount | money }}", "{{ 1 }}", "{{ deal.nope }}"),
    ("{% for tag in deal.tags %}", "{{ tag }}", "{% else %}", "{% endfor %}", ""),
    ("{% if deal.nothing %}", "{% elif deal.amount %}", "{{ 'a' ~ deal.name }}", "{% else %}", "{% endif %}"),
    ("{% macro said(what) %}", "{{ what }}", "{% endmacro %}", "{{ said(deal.name) }}{{ said('<') }}"),
    ("{% set all %}", "{{ deal.name }}", "{% endset %}", "{{ all | upper }}"),
    ("{% filter upper %}", "{{ deal.name }}", "{% endfilter %}", "{# a note #}", ""),
    ("{%- if true -%}", "{%- endif -%}", "{% raw %}", "{{ no }}{% endraw %}", "{{ deal.amount + 1 }}"),
)
WORDS = st.text(st.sampled_from("ab1 \n\t<&*'\"\\{}%é\ud83d\ue000\ue001"), max_size=6)
ESCAPES = (None, Slack.escapes["text"])


def put_together(frame: tuple[str, ...], words: list[str]) -> str:
    return "".join(f"{piece}{word}" for piece, word in zip(frame, words, strict=False))


def told(make: Callable[[], Template]) -> tuple[str, ...]:
    """Return what a text renders to, or all that is told of why it does not."""
    try:
        return ("text", make().render(CONTEXT))
    except TemplateSyntaxProblem as error:
        return ("syntax", str(error.line))
    except TemplateSyntaxError as error:
        return ("syntax", str(error.lineno))
    except RenderError as error:
        return ("failed", str(error))


def rendering() -> Rendering:
    return Rendering(Path("no-files"), "pt-BR", "America/Sao_Paulo", "BRL")


def moulds(made: Rendering) -> int:
    return sum(len(sandbox.moulds) for sandbox in made._sandboxes.values())


@given(
    st.sampled_from(FRAMES),
    st.lists(WORDS, min_size=5, max_size=5),
    st.lists(WORDS, min_size=5, max_size=5),
    st.sampled_from(ESCAPES),
)
def test_a_text_says_what_it_would_say_without_another_like_it(
    frame: tuple[str, ...], first: list[str], second: list[str], escape: Callable[[str], str] | None
) -> None:
    both = rendering()
    told(lambda: both.text(put_together(frame, first), escape))
    source = put_together(frame, second)
    sandbox: Sandbox = rendering()._sandbox(escape)
    assert told(lambda: both.text(source, escape)) == told(lambda: Template(sandbox.from_string(source), "", ()))


def test_texts_that_are_alike_are_compiled_once() -> None:
    made = rendering()
    texts = [made.text(f"{number}:\n{{{{ deal.name }}}} > {number}{{# {number % 1} #}}") for number in range(20)]
    assert [text.render(CONTEXT) for text in texts][::19] == ["0:\nLoja <b> & Cia > 0", "19:\nLoja <b> & Cia > 19"]
    assert moulds(made) == 1


@pytest.mark.parametrize(
    "other",
    ["1 {{ deal.amount }}", "1 {{ deal.name  }}", "{{ deal.name }} 1", "1\n{{ deal.name }}", "1{{ deal.name }}1"],
)
def test_texts_that_differ_in_more_are_not_alike(other: str) -> None:
    made = rendering()
    made.text("1 {{ deal.name }}")
    made.text(other)
    assert moulds(made) == 2


def test_a_mark_in_what_an_author_wrote_is_that_author_s() -> None:
    made = rendering()
    assert [made.text(f"{number} {{{{ '\ue0000\ue001' }}}}").render(CONTEXT) for number in (1, 2)] == [
        "1 \ue0000\ue001",
        "2 \ue0000\ue001",
    ]


def test_an_error_is_told_where_it_is_in_each_text() -> None:
    made = rendering()
    for lines in (1, 1, 3):
        text = made.text("\n" * lines + "x {{ deal.amount.nope() }}", name="text")
        with pytest.raises(RenderError, match=f"line {lines + 1}|text:{lines + 1}"):
            text.render(CONTEXT)
