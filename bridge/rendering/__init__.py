"""Rendering: templates in a sandbox, written by users, filled with data from anybody."""

from bridge.rendering.context import EVENT_SHAPE, GATHERED, known_names
from bridge.rendering.errors import TemplateFailedError, TemplateNotFoundError, TemplateSyntaxProblem
from bridge.rendering.references import Reference
from bridge.rendering.region import Region, UnknownRegionError
from bridge.rendering.rendering import Rendering
from bridge.rendering.template import Expression, Structure, Template
from bridge.rendering.value import Document

__all__ = [
    "EVENT_SHAPE",
    "GATHERED",
    "Document",
    "Expression",
    "Reference",
    "Region",
    "Rendering",
    "Structure",
    "Template",
    "TemplateFailedError",
    "TemplateNotFoundError",
    "TemplateSyntaxProblem",
    "UnknownRegionError",
    "known_names",
]
