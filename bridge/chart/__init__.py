"""Charts: figures of a report as a picture that e-mail and chat can show."""

from bridge.chart.model import Chart, Point
from bridge.chart.pencil import drawn, png, why_not
from bridge.chart.words import described, lines

__all__ = ["Chart", "Point", "described", "drawn", "lines", "png", "why_not"]
