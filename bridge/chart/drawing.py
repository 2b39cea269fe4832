"""The picture itself."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final, TypeAlias

from matplotlib import get_data_path
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bridge.chart.model import Chart, Point
from bridge.chart.words import NAMELESS, Words, label, shown, title

WIDTH: Final = 8.0
DPI: Final = 150
INK, FAINT, LINES = "#1f2933", "#7b8794", "#e4e7eb"
NOW, BEFORE = "#2563eb", "#c3cad3"
BELOW: Final = "#dc2626"
"""What is less than nothing."""
PARTS: Final = ("#2563eb", "#0d9488", "#f59e0b", "#db2777", "#7c3aed", "#65a30d", "#0891b2", "#ea580c", "#9ca3af")
FILES: Final = {"normal": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}
"""A font that matplotlib brings: the picture is the same everywhere, and no other is looked for."""
FEW: Final = 12
"""Points of a line whose figures have room beside them."""
NAMED: Final = 15
"""Points of a line that bear their names; of more, each second or third does."""
ROOM: Final = 80
"""Characters of labels that fit side by side."""

Painter: TypeAlias = Callable[[Axes, Sequence[Point], Words], None]


def draw(chart: Chart) -> bytes:
    """Return a chart as PNG."""
    words = Words(chart)
    rows = shown(chart, words.rest)
    paint = _painter(chart, rows)
    layout = ConstrainedLayoutEngine(w_pad=0.2, h_pad=0.15)
    figure = Figure(figsize=(WIDTH, _height(chart, rows, paint)), dpi=DPI, facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    if chart.title.strip():
        heading = figure.suptitle(_drawable(title(chart.title)), x=0.025, ha="left")
        _style([heading], 13, weight="bold")
    paint(axes, rows, words)
    return _encoded(figure)


def _painter(chart: Chart, rows: Sequence[Point]) -> Painter:
    if not rows:
        return _nothing
    if chart.kind == "line":
        return _line
    whole = all(row.value >= 0 for row in rows) and any(row.value for row in rows)
    return _pie if chart.kind == "pie" and whole else _bars


def _height(chart: Chart, rows: Sequence[Point], paint: Painter) -> float:
    """Return inches."""
    heading = 0.35 * (title(chart.title).count("\n") + 1) + 0.35 if chart.title.strip() else 0.3
    if paint is _bars:
        return heading + 0.5 * len(rows) + (0.7 if _compares(rows) else 0.25)
    if paint is _line:
        return heading + 4.0
    return heading + (max(3.6, 0.3 * len(rows)) if paint is _pie else 1.2)


def _bars(axes: Axes, rows: Sequence[Point], words: Words) -> None:
    """Draw bars to the right, the first row above, each with its figure at its end."""
    compares = _compares(rows)
    places = range(len(rows))
    thick = 0.4 if compares else 0.62
    values = [row.value for row in rows]
    colours = [NOW if value >= 0 else BELOW for value in values]
    axes.barh([place - (0.21 if compares else 0) for place in places], values, thick, color=colours, label=words.now)
    if compares:
        formers = [row.former or 0.0 for row in rows]
        axes.barh([place + 0.21 for place in places], formers, thick, color=BEFORE, label=words.before)
        _legend(axes)
    for place, row in zip(places, rows, strict=True):
        _beside(axes, row.value, place - (0.21 if compares else 0), words.figure(row.value), INK)
        if compares:
            _beside(axes, row.former or 0.0, place + 0.21, words.figure(row.former or 0.0), FAINT)
    axes.set_yticks(places, [_drawable(label(row.label)) for row in rows])
    _style(axes.get_yticklabels(), 10.5)
    axes.set_xticks([])
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.set_ylim(len(rows) - 0.45, -0.55)
    _make_room(axes, [*values, *(row.former or 0.0 for row in rows)])


def _beside(axes: Axes, value: float, place: float, text: str, colour: str) -> None:
    side, away = ("left", 5) if value >= 0 else ("right", -5)
    note = axes.annotate(text, (value, place), (away, 0), textcoords="offset points", ha=side, va="center")
    _style([note], 9.5, colour)


def _make_room(axes: Axes, values: Sequence[float]) -> None:
    """Leave room for the figures beyond the ends of the bars."""
    low, high = min(0.0, *values), max(0.0, *values)
    room = (high - low or 1.0) * 0.2
    axes.set_xlim(low - (room if low < 0 else 0), high + (room if high > 0 or not low else room / 4))


def _line(axes: Axes, rows: Sequence[Point], words: Words) -> None:
    """Draw a line through the figures, each written where they are few."""
    places = range(len(rows))
    if _compares(rows):
        formers = [row.former or 0.0 for row in rows]
        axes.plot(places, formers, color=BEFORE, linewidth=2.5, marker="o", label=words.before)
    axes.plot(places, [row.value for row in rows], color=NOW, linewidth=2.5, marker="o", label=words.now)
    if _compares(rows):
        _legend(axes)
    halo = [withStroke(linewidth=3, foreground="white")]
    for place, row in enumerate(rows) if len(rows) <= FEW else ():
        note = axes.annotate(
            words.short(row.value),
            (place, row.value),
            (0, 8),
            textcoords="offset points",
            ha="center",
            path_effects=halo,
        )
        _style([note], 9)
    named = places[:: 1 + (len(rows) - 1) // NAMED]
    axes.set_xticks(named, [_drawable(label(rows[place].label)) for place in named])
    _style(axes.get_xticklabels(), 9.5)
    _lean(axes)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=all(row.value.is_integer() for row in rows)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.short(value)))
    _style(axes.get_yticklabels(), 9.5, FAINT)
    axes.grid(axis="y", color=LINES)
    axes.margins(x=0.06, y=0.16)
    if axes.get_ylim()[0] > 0:
        axes.set_ylim(bottom=0)


def _lean(axes: Axes) -> None:
    """Let labels that would run into each other lean."""
    texts = axes.get_xticklabels()
    if len(texts) * max(len(line) for text in texts for line in text.get_text().split("\n")) > ROOM:
        for text in texts:
            text.set(rotation=35, ha="right", rotation_mode="anchor")


def _pie(axes: Axes, rows: Sequence[Point], words: Words) -> None:
    """Draw a ring of parts, with their names, figures and shares beside it."""
    whole = sum(row.value for row in rows)
    colours = [PARTS[place % len(PARTS)] for place in range(len(rows))]
    edges = {"width": 0.42, "edgecolor": "white", "linewidth": 1.5}
    wedges = axes.pie([row.value for row in rows], startangle=90, counterclock=False, colors=colours, wedgeprops=edges)[
        0
    ]
    names = [f"{label(row.label)}\n{words.figure(row.value)} · {words.share(row.value / whole)}" for row in rows]
    legend = axes.legend(
        wedges,
        list(map(_drawable, names)),
        loc="center left",
        bbox_to_anchor=(1.02, 0.5),
        frameon=False,
        labelspacing=0.7,
        ncols=1 + (len(rows) > FEW),
    )
    _style(legend.get_texts(), 9.5)


def _nothing(axes: Axes, _: Sequence[Point], words: Words) -> None:
    axes.set_axis_off()
    _style([axes.text(0.5, 0.5, words.nothing, ha="center", va="center", transform=axes.transAxes)], 12, FAINT)


def _legend(axes: Axes) -> None:
    legend = axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, borderaxespad=0.2)
    _style(legend.get_texts(), 9.5, FAINT)


def _compares(rows: Sequence[Point]) -> bool:
    return any(row.former is not None for row in rows)


def _encoded(figure: Figure) -> bytes:
    out = BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _style(texts: Iterable[Text], size: float, colour: str = INK, weight: str = "normal") -> None:
    """Give texts their looks; none of them is a formula, whatever dollar signs it holds."""
    for text in texts:
        text.set(parse_math=False, usetex=False, color=colour, fontproperties=_font(size, weight))


@cache
def _file(weight: str) -> str:
    return str(Path(get_data_path(), "fonts", "ttf", FILES[weight]))


def _font(size: float, weight: str) -> FontProperties:
    return FontProperties(fname=_file(weight), size=size)


@cache
def _glyphs() -> frozenset[int]:
    return frozenset({ord("\n"), *get_font(_file("normal")).get_charmap()})


def _drawable(text: str) -> str:
    """Return a text without what the font cannot draw, such as most emoji."""
    lines = "".join(sign for sign in text if ord(sign) in _glyphs()).split("\n")
    return "\n".join(filter(None, map(str.strip, lines))) or NAMELESS
