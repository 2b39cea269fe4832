"""How the figures and labels of a chart are written: in its language, short enough for their place."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Final

from babel import Locale
from babel.numbers import (
    format_compact_currency,
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
)

from bridge.chart.model import Chart, Point

WIDTH: Final = 26
"""Characters of a line of a label."""
TITLE: Final = 60
"""Characters of a line of the title."""
WHOLE: Final = 1000
"""Money is written without its cents where some amount is as large as this; figures of an axis are shortened."""
LONGEST: Final = 1000
"""Characters of a label or title that are looked at; fewer have room."""
NAMELESS: Final = "—"
SPACES: Final = str.maketrans({"\u00a0": " ", "\u202f": " "})
"""Babel's spaces, which nobody can type into a search."""
WORDS: Final = {
    "pt": ("outros", "este período", "período anterior", "nada a mostrar"),
    "es": ("otros", "este período", "período anterior", "nada que mostrar"),
    "en": ("others", "this period", "former period", "nothing to show"),
}


class Words:
    """Writes the figures of one chart."""

    def __init__(self, chart: Chart) -> None:
        """Take the chart for its language, its currency, and how large its figures are."""
        self._locale = Locale.parse(chart.locale.replace("-", "_"))
        self._currency = chart.currency if chart.unit == "money" else None
        figures = [figure for row in chart.data for figure in (row.value, row.former) if figure is not None]
        self._whole = any(abs(figure) >= WHOLE for figure in figures)
        said = WORDS.get(self._locale.language, WORDS["en"])
        self.rest, self.now, self.before, self.nothing = said

    def figure(self, value: float) -> str:
        """Return a figure in full."""
        return self._figure(value).translate(SPACES)

    def _figure(self, value: float) -> str:
        if self._currency is None:
            return format_decimal(value, locale=self._locale)
        pattern = "¤ #,##0" if self._whole else None
        return format_currency(value, self._currency, pattern, self._locale, currency_digits=not self._whole)

    def short(self, value: float) -> str:
        """Return a figure for an axis: ``R$ 12 mil``."""
        if abs(value) < WHOLE:
            return self.figure(value)
        if self._currency is None:
            return format_compact_decimal(value, locale=self._locale, fraction_digits=1)
        return format_compact_currency(value, self._currency, locale=self._locale, fraction_digits=1)

    def share(self, value: float) -> str:
        """Return a part of 1 in percent."""
        return format_percent(value, "#,##0.#%", self._locale)


def shown(chart: Chart, rest: str) -> Sequence[Point]:
    """Return the rows that a chart shows: the first of them and one for all others; of a line the last."""
    rows = chart.data
    if len(rows) <= chart.most:
        return rows
    if chart.kind == "line":
        return rows[-chart.most :]
    kept, others = rows[: chart.most - 1], rows[chart.most - 1 :]
    formers = [point.former for point in others if point.former is not None]
    added = Point(label=rest, value=sum(point.value for point in others), former=sum(formers) if formers else None)
    return [*kept, added]


def label(text: str) -> str:
    """Return a label in at most two lines."""
    return _lines(text, WIDTH, 2) or NAMELESS


def title(text: str) -> str:
    """Return a title in lines that fit the width of the picture."""
    return _lines(text, TITLE, 3)


def _lines(text: str, width: int, most: int) -> str:
    words = " ".join(text[:LONGEST].split())
    return "\n".join(wrap(words, width, max_lines=most, placeholder="…"))


def lines(chart: Chart) -> list[str]:
    """Return a chart in words: its title, and a line for each row that it shows."""
    words = Words(chart)
    told = [f"{row.label.strip() or NAMELESS}: {_figures(row, words)}" for row in shown(chart, words.rest)]
    return [*filter(None, [chart.title.strip()]), *(told or [words.nothing])]


def described(chart: Chart) -> str:
    """Return a chart as one sentence, for who cannot see it."""
    return "; ".join(" ".join(line.split()) for line in lines(chart))


def _figures(row: Point, words: Words) -> str:
    figure = words.figure(row.value)
    return figure if row.former is None else f"{figure} ({words.before}: {words.figure(row.former)})"
