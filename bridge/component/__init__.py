"""What the author of a source or a target imports, all of it."""

from bridge.component.http import Answer, Http, Request
from bridge.component.source import AnySource, NamedTrigger, Relation, Source, SourceOptions
from bridge.component.target import Action, AnyTarget, Escape, Links, Target, TargetOptions, UnlessWhole

__all__ = [
    "Action",
    "Answer",
    "AnySource",
    "AnyTarget",
    "Escape",
    "Http",
    "Links",
    "NamedTrigger",
    "Relation",
    "Request",
    "Source",
    "SourceOptions",
    "Target",
    "TargetOptions",
    "UnlessWhole",
]
