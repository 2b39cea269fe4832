"""What one configuration compiles to: immutable, and swapped whole by a reload."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.component.source import AnySource
from bridge.component.target import AnyTarget
from bridge.routing.route import Route
from bridge.routing.router import Router


@dataclass(frozen=True, slots=True)
class Ruleset:
    """The rules in force. ``revision`` is the same for the same bytes."""

    revision: str
    sources: Mapping[str, AnySource]
    targets: Mapping[str, AnyTarget]
    routes: tuple[Route, ...]
    router: Router
