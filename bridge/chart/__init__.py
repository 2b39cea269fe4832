"""Charts: figures of a report as a picture that e-mail and chat can show."""

from bridge.chart.model import Chart, Point
from bridge.chart.pencil import drawn, png, why_not

__all__ = ["Chart", "Point", "drawn", "png", "why_not"]
