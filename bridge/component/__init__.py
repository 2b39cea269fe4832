"""What the author of a source or a target imports, all of it."""

from bridge.component.http import Answer, Http, Request
from bridge.component.source import NamedTrigger, Source, SourceOptions
from bridge.component.target import Action, Escape, Links, Target, TargetOptions

__all__ = [
    "Action",
    "Answer",
    "Escape",
    "Http",
    "Links",
    "NamedTrigger",
    "Request",
    "Source",
    "SourceOptions",
    "Target",
    "TargetOptions",
]
