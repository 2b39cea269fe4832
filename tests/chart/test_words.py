"""How figures and labels of a chart are written."""

import pytest

from bridge.chart import Chart
from bridge.chart.words import Words, label, shown, title


def words(**given: object) -> Words:
    return Words(Chart.model_validate({"data": {}, **given}))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_numbers_are_written_as_people_of_the_region_do() -> None:
    assert words().figure(1234567.5) == "1.234.567,5"
    assert words(locale="en").figure(1234567.5) == "1,234,567.5"


def test_money_has_its_currency_and_cents_where_amounts_are_small() -> None:
    assert plain(words(unit="money", data={"a": 12.5}).figure(12.5)) == "R$ 12,50"
    assert plain(words(unit="money", data={"a": 12.5, "b": -2000}).figure(12.5)) == "R$ 12"
    former = [{"label": "a", "value": 12.5, "former": 2000}]
    assert plain(words(unit="money", data=former).figure(12.5)) == "R$ 12"
    assert plain(words(unit="money", data={"a": 12.5}, currency="USD", locale="en").figure(12.5)) == "$12.50"


def test_an_axis_is_written_short() -> None:
    money = words(unit="money", data={"a": 12_500})
    assert plain(money.short(12_500)) == "R$ 12,5 mil"
    assert plain(money.short(500)) == "R$ 500"
    assert plain(words().short(2_000_000)) == "2 mi"
    assert words().short(12) == "12"


def test_a_share_is_written_in_percent() -> None:
    assert words().share(0.125) == "12,5%"


def test_words_of_an_unknown_language_are_english() -> None:
    assert words(locale="de").rest == "others"
    assert words(locale="pt-BR").rest == "outros"


def test_rows_beyond_the_most_are_added_up_in_one() -> None:
    figures = {"a": 9, "b": 5, "c": 3, "d": 1}
    given = [{"label": name, "value": value, "former": 1} for name, value in figures.items()]
    chart = Chart.model_validate({"most": 2, "data": given})
    rows = shown(chart, "outros")
    assert [(row.label, row.value, row.former) for row in rows] == [("a", 9, 1), ("outros", 9, 3)]


def test_without_a_former_period_the_rest_has_none_either() -> None:
    rows = shown(Chart.model_validate({"most": 1, "data": {"a": 2, "b": 1}}), "outros")
    assert [(row.label, row.value, row.former) for row in rows] == [("outros", 3, None)]


def test_of_a_line_the_last_rows_are_shown() -> None:
    chart = Chart.model_validate({"kind": "line", "most": 2, "data": {"jan": 1, "fev": 2, "mar": 3}})
    assert [row.label for row in shown(chart, "outros")] == ["fev", "mar"]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("Preço", "Preço"),
        ("linha um\n\tlinha dois", "linha um linha dois"),
        (
            "Cliente decidiu adiar a compra para o próximo ano fiscal",
            "Cliente decidiu adiar a\ncompra para o próximo ano…",
        ),
        ("a" * 30, "a" * 26 + "\n" + "aaaa"),
        ("   ", "—"),
        ("", "—"),
    ],
)
def test_a_label_has_at_most_two_lines(given: str, written: str) -> None:
    assert label(given) == written


def test_a_title_has_at_most_three_lines() -> None:
    assert title("palavra " * 100).count("\n") == 2
