"""What one configuration compiles to: immutable, and swapped whole by a reload."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from bridge.component.source import AnySource
from bridge.component.target import AnyTarget
from bridge.routing.route import Route
from bridge.routing.router import Router
from bridge.written import Written, label_of

Configured: TypeAlias = AnySource | AnyTarget


@dataclass(frozen=True, slots=True)
class Ruleset:
    """The rules in force. ``revision`` is the same for the same bytes."""

    revision: str
    sources: Mapping[str, AnySource]
    targets: Mapping[str, AnyTarget]
    routes: tuple[Route, ...]
    router: Router
    written: Written = field(default_factory=Written)

    def since(self, former: "Ruleset") -> tuple[str, ...]:
        """Return what differs from the rules before, a line each; values are never those from outside."""
        sources = _outside("source", self.sources, former.sources)
        targets = _outside("target", self.targets, former.targets)
        same = {label for kind in ("sources", "targets") for label in self.written.same(former.written, kind)}
        outside = [f"{label}: a value from outside changed" for label in (*sources, *targets) if label in same]
        return (*self.written.since(former.written), *outside)


def _outside(kind: str, after: Mapping[str, Configured], before: Mapping[str, Configured]) -> list[str]:
    """Return the sources or targets whose options differ, wherever from."""
    return [label_of(kind, name) for name in after if name in before and after[name].options != before[name].options]
