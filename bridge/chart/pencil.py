"""Charts drawn as PNG, with matplotlib, which the extra ``charts`` brings.

It is loaded when the first chart is drawn, and so is what runs it in a thread of its own.
"""

import importlib.util
from functools import partial
from typing import Final

from bridge.chart.model import Chart
from bridge.errors import PermanentFailure

EXTRA: Final = 'drawing needs matplotlib, which is not installed; pip install "bridge[charts]"'


def why_not() -> str | None:
    """Return why no chart can be drawn here; None if it can."""
    return None if importlib.util.find_spec("matplotlib") else EXTRA


def png(chart: Chart) -> bytes:
    """Return the picture of a chart: 1200 pixels wide, as high as its rows need, tens of kilobytes.

    Draws for tenths of a second, and must not be called in two threads at once.

    Raises:
        PermanentFailure: what draws is not installed, or finds no folder that it may write to.
    """
    if reason := why_not():
        raise PermanentFailure(reason)
    try:
        from bridge.chart.drawing import draw  # noqa: PLC0415 (half a second, and only with the extra)
    except OSError as error:  # it finds no folder that it may write to
        raise PermanentFailure(f"the chart cannot be drawn: {error}") from error
    return draw(chart)


async def drawn(chart: Chart) -> bytes:
    """Return the picture of a chart, drawn in a thread of its own.

    Raises:
        PermanentFailure: what draws is not installed.
        TransientFailure: too many charts wait to be drawn.
    """
    from bridge.chart.turns import in_turn  # noqa: PLC0415 (few messages hold a chart, and threads are slow to load)

    return await in_turn(partial(png, chart))
