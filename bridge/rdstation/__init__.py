"""RD Station CRM's own side: which events it sends, what they mean, and how its dialects become one shape."""

from bridge.rdstation.catalog import CERTAIN, CHOICES, DATED_BY, EVENTS, KINDS, MEANINGS, QUIET, REFERENCES
from bridge.rdstation.normalise import normalise
from bridge.rdstation.relations import RELATED_SHAPES, RELATIONS
from bridge.rdstation.samples import example, sample, samples, story
from bridge.rdstation.shapes import SHAPES
from bridge.rdstation.triggers import TRIGGERS

__all__ = [
    "CERTAIN",
    "CHOICES",
    "DATED_BY",
    "EVENTS",
    "KINDS",
    "MEANINGS",
    "QUIET",
    "REFERENCES",
    "RELATED_SHAPES",
    "RELATIONS",
    "SHAPES",
    "TRIGGERS",
    "example",
    "normalise",
    "sample",
    "samples",
    "story",
]
