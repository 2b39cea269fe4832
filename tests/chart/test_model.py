"""What may be given as the figures of a chart."""

import pytest
from pydantic import ValidationError

from bridge.chart import Chart, Point

ROWS = [Point(label="Preço", value=3), Point(label="Prazo", value=1.5)]


@pytest.mark.parametrize(
    "given",
    [
        {"Preço": 3, "Prazo": 1.5},
        [["Preço", 3], ["Prazo", 1.5]],
        [("Preço", 3), ("Prazo", 1.5)],
        [{"label": "Preço", "value": 3, "count": 9}, {"label": "Prazo", "value": 1.5, "share": 0.2}],
    ],
)
def test_figures_come_as_an_object_as_pairs_or_as_rows(given: object) -> None:
    assert Chart.model_validate({"data": given}).data == ROWS


def test_a_row_may_bring_the_figure_of_the_former_period() -> None:
    [row] = Chart.model_validate({"data": [{"label": "Preço", "value": 3, "former": 4}]}).data
    assert row.former == 4


def test_a_label_may_be_missing_or_a_number() -> None:
    labels = [row.label for row in Chart.model_validate({"data": [[None, 1], [2026, 2]]}).data]
    assert labels == ["", "2026"]


@pytest.mark.parametrize(
    "given",
    [
        {"data": "Preço"},
        {"data": [["Preço", "três"]]},
        {"data": [["Preço", float("nan")]]},
        {"data": [["Preço", float("inf")]]},
        {"data": [["Preço"]]},
        {"data": [["", 1]] * 1001},
        {"data": [], "kind": "radar"},
        {"data": [], "most": 31},
        {"data": [], "locale": "xx"},
        {"data": [], "locale": "not a locale"},
        {"data": [], "currency": "XXXX"},
        {"data": [], "colour": "red"},
        {"title": "Perdas"},
    ],
)
def test_what_is_no_chart_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        Chart.model_validate(given)
