"""Figures over many changes."""

import pytest

from bridge.rendering import TemplateFailedError
from tests.rendering.conftest import Render

LOSSES = """[
  {"deal": {"reason": {"name": "Preço"}, "amount": 100.1, "custom": {"Unidade": "Sul"}}},
  {"deal": {"reason": {"name": none}, "amount": none, "custom": {}}},
  {"deal": {"reason": {"name": "Prazo"}, "amount": 500, "custom": {"Unidade": "Norte"}}},
  {"deal": {"reason": none, "amount": 50, "custom": {"Unidade": ""}}},
  {"deal": {"reason": {"name": "Preço"}, "amount": 100.2, "custom": {"Unidade": "Sul"}}}
]"""


def rows(render: Render, call: str, *members: str) -> list[str]:
    told = " ".join(f"{{{{ row.{member} }}}}" for member in members)
    return render(f"{{% for row in {LOSSES} | ranked({call}) %}}{told};{{% endfor %}}").split(";")[:-1]


def test_the_most_frequent_come_first_and_absent_values_have_a_name(render: Render) -> None:
    assert rows(render, "'deal.reason.name', absent='(sem motivo)'", "label", "count", "value") == [
        "Preço 2 2",
        "(sem motivo) 2 2",
        "Prazo 1 1",
    ]


def test_sums_come_in_their_order_and_lose_no_cent(render: Render) -> None:
    assert rows(render, "'deal.reason.name', total='deal.amount'", "label", "count", "value") == [
        "Prazo 1 500",
        "Preço 2 200.3",
        "— 2 50",
    ]


def test_a_row_knows_its_share(render: Render) -> None:
    assert rows(render, "'deal.reason.name'", "share") == ["0.4", "0.4", "0.2"]


def test_where_all_is_nothing_no_share_is_divided(render: Render) -> None:
    assert render("{{ ([{'n': 'a', 'v': 0}] | ranked('n', total='v') | first).share }}") == "0"


def test_what_was_there_before_stands_beside(render: Render) -> None:
    lost = [{"deal": {"reason": {"name": name}}} for name in ("Prazo", "Prazo", "Outro")]
    assert rows(render, f"'deal.reason.name', former={lost}", "label", "value", "former") == [
        "Preço 2 0",
        "— 2 0",
        "Prazo 1 2",
        "Outro 0 1",
    ]


def test_what_was_only_there_before_comes_last_even_after_losses(render: Render) -> None:
    call = "ranked('n', total='v', former=[{'n': 'b', 'v': 1}])"
    assert render(f"{{{{ [{{'n': 'a', 'v': -5}}] | {call} | join(attribute='label') }}}}") == "a, b"


def test_without_a_former_period_there_is_nothing_to_compare_with(render: Render) -> None:
    assert rows(render, "'deal.reason.name', former=none", "former") == ["", "", ""]
    assert rows(render, "'deal.reason.name', former=[]", "former") == ["0", "0", "0"]


def test_a_custom_field_is_read_by_its_label_and_may_be_absent(render: Render) -> None:
    assert rows(render, "'deal.custom.Unidade', absent='?'", "label", "count") == ["Sul 2", "? 2", "Norte 1"]


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("'deal.raeson.name'", 'the object has no field "raeson"; did you mean "reason"?'),
        ("'deal.reason.name', total='deal.reason'", "ranked wants a number, not an object"),
    ],
)
def test_what_cannot_be_counted_says_why(render: Render, call: str, reason: str) -> None:
    with pytest.raises(TemplateFailedError) as failed:
        rows(render, call, "label")
    assert reason in str(failed.value)


def test_it_wants_a_list(render: Render) -> None:
    assert render("{{ none | ranked('n') }}") == ""
    with pytest.raises(TemplateFailedError, match="ranked wants a list, not a number"):
        render("{{ 3 | ranked('n') }}")
