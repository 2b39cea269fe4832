"""Charts as pictures: their size, what of their colours is there, and that nothing in a label can hurt."""

import builtins
import importlib.util
import sys
from io import BytesIO
from queue import Full
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bridge.chart import Chart, drawn, png, why_not
from bridge.errors import PermanentFailure, TransientFailure

BLUE, RED, GREY = (37, 99, 235), (220, 38, 38), (195, 202, 211)
WIDTH = 1200


def picture(**chart: Any) -> Image.Image:
    image = Image.open(BytesIO(png(Chart.model_validate(chart))))
    assert image.format == "PNG"
    return image.convert("RGB")


def area(image: Image.Image, colour: tuple[int, int, int]) -> int:
    """Return how many pixels have a colour."""
    counted = image.getcolors(image.width * image.height)
    assert counted is not None
    return {found: count for count, found in counted}.get(colour, 0)


def test_bars_are_as_long_as_their_figures_say() -> None:
    whole, less = picture(data={"a": 100, "b": 100}), picture(data={"a": 100, "b": 50})
    assert whole.width == WIDTH
    assert area(less, BLUE) == pytest.approx(0.75 * area(whole, BLUE), rel=0.02)


def test_a_picture_is_as_high_as_its_rows_need_and_no_higher_than_the_most() -> None:
    few, many = (picture(data={str(n): 1 for n in range(rows)}, most=30) for rows in (2, 30))
    assert few.height < many.height < 3000
    assert picture(data={str(n): 1 for n in range(1000)}, most=30).height == many.height


def test_what_is_below_zero_is_red() -> None:
    image = picture(data={"a": -5, "b": 5})
    assert area(image, RED) == pytest.approx(area(image, BLUE), rel=0.05)


def test_the_former_period_stands_beside_in_grey() -> None:
    image = picture(data=[{"label": "a", "value": 4, "former": 2}, {"label": "b", "value": 4}])
    assert area(image, GREY) == pytest.approx(area(image, BLUE) / 4, rel=0.1)


@pytest.mark.parametrize("data", [{"a": 3, "b": -1}, {"a": 0}])
def test_a_pie_that_has_no_whole_is_drawn_as_bars(data: dict[str, float]) -> None:
    assert picture(kind="pie", data=data).tobytes() == picture(kind="bar", data=data).tobytes()


def test_a_pie_shows_its_parts_in_proportion() -> None:
    image = picture(kind="pie", data={"a": 75, "b": 25})
    assert area(image, BLUE) > 2.5 * area(image, (13, 148, 136))


def test_a_line_goes_through_its_figures_and_those_of_the_former_period() -> None:
    rows = [{"label": month, "value": n, "former": n + 2} for n, month in enumerate(("jan", "fev", "mar"))]
    image = picture(kind="line", data=rows)
    assert area(image, BLUE) > 500
    assert area(image, GREY) > 500


def test_a_long_line_bears_fewer_names() -> None:
    days = {f"{day:02}/11/2026": day for day in range(1, 31)}
    assert picture(kind="line", data=days, most=30).height == picture(kind="line", data={"01/11/2026": 1}).height


@pytest.mark.parametrize("kind", ["bar", "line", "pie"])
def test_nothing_to_show_is_said(kind: str) -> None:
    image = picture(kind=kind, title="Perdas", data=[])
    assert area(image, (255, 255, 255)) > 0.9 * image.width * image.height
    assert image.tobytes() != picture(kind=kind, title="Ganhos", data=[]).tobytes()


@pytest.mark.parametrize("kind", ["bar", "line", "pie"])
@pytest.mark.parametrize("text", [r"$\frac{1}{0}$", "$", "a\nb\r\x00\x1b[31m", "🔥", "日本語", "<!channel>", "é" * 999])
def test_no_label_and_no_title_is_more_than_text(kind: str, text: str) -> None:
    assert picture(kind=kind, title=text, data={text: 2, "Preço": 1}).width == WIDTH


def test_a_formula_is_drawn_as_it_is_written() -> None:
    formula, text = picture(data={"$x^2$": 1}), picture(data={"Sx^2S": 1})
    assert area(formula, BLUE) == pytest.approx(area(text, BLUE), rel=0.02)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["bar", "line", "pie"]),
    data=st.lists(st.tuples(st.text(max_size=60), st.floats(-1e15, 1e15)), max_size=20),
    unit=st.sampled_from(["number", "money"]),
)
def test_any_figures_make_a_picture(kind: str, data: list[tuple[str, float]], unit: str) -> None:
    assert picture(kind=kind, data=data, unit=unit, title="x").width == WIDTH


async def test_it_is_drawn_in_a_thread_of_its_own() -> None:
    chart = Chart.model_validate({"data": {"a": 1}})
    assert await drawn(chart) == png(chart)


async def test_it_is_tried_again_when_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise Full

    monkeypatch.setattr("bridge.chart.turns.PENCIL.submit", refuse)
    with pytest.raises(TransientFailure, match="too many charts"):
        await drawn(Chart.model_validate({"data": {"a": 1}}))


def test_where_matplotlib_may_write_nowhere_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> object:
        raise OSError("Matplotlib requires access to a writable cache directory")

    monkeypatch.delitem(sys.modules, "bridge.chart.drawing", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(PermanentFailure, match="cannot be drawn: Matplotlib requires"):
        png(Chart.model_validate({"data": {"a": 1}}))


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_not() is None
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert why_not() is not None
    with pytest.raises(PermanentFailure, match=r"matplotlib, which is not installed; pip install .bridge\[charts\]"):
        png(Chart.model_validate({"data": {"a": 1}}))
