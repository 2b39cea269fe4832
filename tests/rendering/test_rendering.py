import json
import os
from pathlib import Path

import pytest

from bridge.errors import RenderError
from bridge.model import Json
from bridge.rendering import (
    Reference,
    Rendering,
    TemplateFailedError,
    TemplateNotFoundError,
    TemplateSyntaxProblem,
    UnknownRegionError,
)
from bridge.targets.slack import Slack
from tests.rendering.conftest import Render

ESCAPES = {"text": Slack.escapes["text"], "blocks": Slack.escapes["blocks"]}


def test_a_text_is_filled_with_the_entity_by_its_kind(render: Render) -> None:
    assert render("{{ deal.name }} ({{ deal.deal_stage.name }})") == "Loja <!channel> & Cia (Proposta)"


def test_a_known_field_without_a_value_prints_as_nothing(render: Render) -> None:
    assert render("[{{ deal.user.name }}{{ deal.prediction_date }}{{ deal.campaign.name }}]") == "[]"


def test_a_misspelt_field_tells_what_was_meant_and_where(render: Render) -> None:
    with pytest.raises(
        TemplateFailedError, match=r'^line 2: deal has no field "nmae"; did you mean "name"\?$'
    ) as caught:
        render("first\n{{ deal.nmae }}")
    assert (caught.value.line, caught.value.message.partition(";")[0]) == (2, 'deal has no field "nmae"')


def test_a_name_that_nobody_knows_is_an_error(render: Render) -> None:
    with pytest.raises(TemplateFailedError, match='there is no name "task"'):
        render("{{ task.name }}")


def test_a_misspelt_field_of_previous_and_of_a_nested_object_is_an_error(render: Render) -> None:
    with pytest.raises(TemplateFailedError, match="previous deal has no field"):
        render("{{ previous.nmae }}")
    with pytest.raises(TemplateFailedError, match='the object has no field "nmae"'):
        render("{{ deal.user.nmae }}")


def test_a_field_named_like_a_method_of_dict_is_the_field(render: Render) -> None:
    # The document as sent may hold anything; its own fields always win.
    assert render("{{ document.items }} {{ document['items'] }}") == "1, 2 1, 2"


def test_an_object_is_false_when_all_of_it_is_empty(render: Render) -> None:
    assert render("{% if deal.user %}yes{% else %}no{% endif %}") == "no"
    assert render("{% if deal.deal_stage %}yes{% else %}no{% endif %}") == "yes"


def test_a_file_is_found_below_the_folder_and_loses_the_blank_lines_around_it(
    rendering: Rendering, folder: Path, context: dict[str, object]
) -> None:
    (folder / "slack").mkdir()
    (folder / "slack/lost.md.j2").write_text("\n{# why #}\n\n{{ deal.name }}\n\n")
    assert rendering.file("slack/lost.md.j2").render(context) == "Loja <!channel> & Cia"
    assert rendering.files() == (folder / "slack/lost.md.j2",)


def test_files_that_a_file_includes_and_imports_are_known_too(
    rendering: Rendering, folder: Path, context: dict[str, object]
) -> None:
    (folder / "main.j2").write_text('{% from "macros.j2" import bold %}{% include "part.j2" %}{{ bold(deal.name) }}')
    (folder / "part.j2").write_text("{{ deal.amount_total }}: ")
    (folder / "macros.j2").write_text("{% macro bold(text) %}*{{ text }}*{% endmacro %}")
    template = rendering.file("main.j2", Slack.escapes["text"])
    assert template.render(context) == "11050.5: *Loja &lt;!channel&gt; &amp; Cia*"
    assert [path.name for path in rendering.files()] == ["macros.j2", "main.j2", "part.j2"]
    assert Reference(("deal", "amount_total"), 1, "part.j2") in template.references()


def test_a_file_that_is_not_there_suggests_the_nearest(rendering: Rendering, folder: Path) -> None:
    (folder / "deal_lost.md.j2").write_text("x")
    with pytest.raises(TemplateNotFoundError, match=r'no template "deal_los.md.j2"; did you mean "deal_lost.md.j2"\?'):
        rendering.file("deal_los.md.j2")
    with pytest.raises(TemplateNotFoundError):
        rendering.text('{% include "nope.j2" %}')
    with pytest.raises(TemplateNotFoundError):
        rendering.file("../../etc/passwd")


def test_a_file_that_includes_itself_fails_and_does_not_hang(
    rendering: Rendering, folder: Path, context: dict[str, object]
) -> None:
    (folder / "self.j2").write_text('{% include "self.j2" %}')
    with pytest.raises(TemplateFailedError, match="calls itself without end"):
        rendering.file("self.j2").render(context)


def test_an_error_in_an_included_file_names_that_file_and_line(
    rendering: Rendering, folder: Path, context: dict[str, object]
) -> None:
    (folder / "main.j2").write_text('one\ntwo {% include "part.j2" %}')
    (folder / "part.j2").write_text("\n\n{{ deal.nmae }}")
    with pytest.raises(TemplateFailedError, match=r"^part\.j2:3: deal has no field"):
        rendering.file("main.j2").render(context)


def test_a_file_that_is_not_utf8_is_a_problem_of_that_file(rendering: Rendering, folder: Path) -> None:
    (folder / "latin.j2").write_bytes("ação".encode("latin-1"))
    with pytest.raises(TemplateSyntaxProblem, match=r"latin\.j2:1: the file is not UTF-8"):
        rendering.file("latin.j2")


def test_a_pipe_is_no_template_and_told_as_what_it_is(rendering: Rendering, folder: Path) -> None:
    os.mkfifo(folder / "pipe.j2")
    with pytest.raises(TemplateSyntaxProblem, match=r"pipe\.j2:1: the file cannot be read: it is no file"):
        rendering.file("pipe.j2")


def test_a_leaf_that_is_one_expression_keeps_its_type(rendering: Rendering, context: dict[str, object]) -> None:
    body: Json = {
        "total": "{{ deal.amount_total }}",
        "tags": "{{ document.tags }}",
        "stage": "{{ deal.deal_stage.order }}",
        "owner": "{{ deal.user.name }}",
        "big": "{{ deal.amount_total > 5000 }}",
        "text": "total: {{ deal.amount_total }}",
        "fixed": [1, True, None, "as it is"],
        "when": "{{ now }}",
        "nested": {"before": "{{ previous.amount_total }}"},
    }
    rendered = rendering.structure({"body": body}, {}).render(context)
    assert rendered["body"] == {
        "total": 11050.5,
        "tags": ["a", "<b>"],
        "stage": 3,
        "owner": None,
        "big": True,
        "text": "total: 11050.5",
        "fixed": [1, True, None, "as it is"],
        "when": "2026-11-24T09:00:00-03:00",
        "nested": {"before": 9000.0},
    }
    json.dumps(rendered, allow_nan=False)


def test_a_leaf_of_a_field_with_an_escape_is_inert_text_or_keeps_its_type(
    rendering: Rendering, context: dict[str, object]
) -> None:
    block: Json = {"text": "{{ deal.name }}", "n": "{{ deal.amount_total }}", "all": "{{ document.tags }}"}
    blocks: Json = [block, "{{ none }}"]
    rendered = rendering.structure({"blocks": blocks}, ESCAPES).render(context)
    assert rendered["blocks"] == [
        {"text": "Loja &lt;!channel&gt; &amp; Cia", "n": 11050.5, "all": ["a", "&lt;b&gt;"]},
        "",
    ]


def test_escaping_belongs_to_the_top_level_field_alone(rendering: Rendering, context: dict[str, object]) -> None:
    rendered = rendering.structure({"text": "{{ deal.name }}", "thread": "{{ deal.name }}"}, ESCAPES).render(context)
    assert rendered == {"text": "Loja &lt;!channel&gt; &amp; Cia", "thread": "Loja <!channel> & Cia"}


def test_a_field_that_takes_text_gets_text_of_a_sole_expression(
    rendering: Rendering, context: dict[str, object]
) -> None:
    content = {"text": "{{ deal.amount_total }}", "other": "{{ deal.amount_total }}"}
    rendered = rendering.structure(content, {}, texts=frozenset({"text"})).render(context)
    assert rendered == {"text": "11050.5", "other": 11050.5}


def test_a_file_fills_a_field_with_its_escape(rendering: Rendering, folder: Path, context: dict[str, object]) -> None:
    (folder / "lost.j2").write_text("*{{ deal.name }}*")
    structure = rendering.structure({"thread": "x"}, ESCAPES, {"text": "lost.j2"})
    assert structure.render(context) == {"thread": "x", "text": "*Loja &lt;!channel&gt; &amp; Cia*"}


def test_content_that_the_target_refuses_is_a_render_error(rendering: Rendering, context: dict[str, object]) -> None:
    def refuse(content: object) -> None:
        raise ValueError(f"refused {content}")

    structure = rendering.structure({"text": "hi"}, {}, check=refuse)
    with pytest.raises(RenderError, match="refused"):
        structure.render(context)


def test_what_is_the_same_is_compiled_once(rendering: Rendering) -> None:
    assert rendering.text("{{ deal.x }}!") is rendering.text("{{ deal.x }}!")
    one, two = (rendering.structure({"body": "{{ deal.x }}"}, {}) for _ in range(2))
    assert one.parts["body"] is two.parts["body"]


def test_where_it_stands_and_how_it_is_escaped_is_part_of_it(rendering: Rendering) -> None:
    texts = [rendering.text("{{ deal.x }}!", escape, name) for escape in (None, str.upper) for name in ("a", "b")]
    assert len({id(text) for text in texts}) == len(texts)
    context = {"deal": {"x": "x"}}
    assert [text.render(context) for text in texts] == ["x!", "x!", "X!", "X!"]


def test_references_of_a_structure_cover_every_leaf(rendering: Rendering) -> None:
    structure = rendering.structure({"a": "{{ deal.x }}", "b": [{"c": "{{ task.y }} and {{ now }}"}]}, {})
    assert {reference.path for reference in structure.references()} == {("deal", "x"), ("task", "y"), ("now",)}


@pytest.mark.parametrize(
    ("setting", "region"),
    [
        ("locale", ("pt-XX-YY-ZZ", "America/Sao_Paulo", "BRL")),
        ("timezone", ("pt-BR", "America/Sao_Pualo", "BRL")),
        ("currency", ("pt-BR", "America/Sao_Paulo", "BRX")),
    ],
)
def test_a_region_that_does_not_exist_is_told_by_its_setting(
    folder: Path, setting: str, region: tuple[str, str, str]
) -> None:
    with pytest.raises(UnknownRegionError, match=f"there is no {setting}") as caught:
        Rendering(folder, *region)
    assert caught.value.setting == setting


def test_a_region_of_english_writes_numbers_the_english_way(folder: Path, context: dict[str, object]) -> None:
    english = Rendering(folder, "en-US", "America/New_York", "USD")
    source = "{{ deal.amount_total | money }} {{ deal.amount_total | number }} {{ changes | diff(', ') }}"
    assert english.text(source).render(context) == (
        "$11,050.50 11,050.5 Total amount: $9,000.00 → $11,050.50, Status: — → lost"
    )
