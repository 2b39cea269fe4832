"""RD Station CRM's own side: which events it sends, what they mean, and how its dialects become one shape."""

from bridge.rdstation.catalog import DATED_BY, EVENTS, KINDS, QUIET, REFERENCES
from bridge.rdstation.normalise import normalise
from bridge.rdstation.samples import sample, samples, story
from bridge.rdstation.shapes import SHAPES
from bridge.rdstation.triggers import TRIGGERS

__all__ = [
    "DATED_BY",
    "EVENTS",
    "KINDS",
    "QUIET",
    "REFERENCES",
    "SHAPES",
    "TRIGGERS",
    "normalise",
    "sample",
    "samples",
    "story",
]
