"""Charts of deliver entries: which fields hold one, and the region that its figures are written in."""

from functools import cache

from bridge.chart import Chart
from bridge.component import Action
from bridge.config.actions import kinds_of
from bridge.model import Json
from bridge.rendering import Region


@cache
def chart_fields(model: type[Action]) -> frozenset[str]:
    """Return the fields of an action that hold a chart, or several."""
    return frozenset(name for name, info in model.model_fields.items() if Chart in kinds_of(info.annotation))


def regional(chart: Json, region: Region) -> Json:
    """Return a chart as written, or each of several, with the region of the file where it names no other."""
    if isinstance(chart, list):
        return [regional(each, region) for each in chart]
    if not isinstance(chart, dict):
        return chart
    return {"locale": str(region.locale).replace("_", "-"), "currency": region.currency, **chart}
