"""A route as compiled: what it listens to, what must match, what it delivers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias

from bridge.model import Change, Deferral, Json, JsonObject, Terms
from bridge.routing.window import Window

Context: TypeAlias = Mapping[str, object]
"""The names a template sees."""
Gather: TypeAlias = Callable[[Sequence[Context], str, datetime, Sequence[Context] | None], Context]
"""Gives the names that the template of a digest sees: of what it tells, its group, the moment, and what it told before.

None was told before the first.
"""
Handling: TypeAlias = Callable[[JsonObject], tuple[str, Terms]]


class Text(Protocol):
    """A compiled template that gives text."""

    def render(self, context: Context) -> str:
        """Return the text; raises RenderError."""


class Structure(Protocol):
    """A compiled action: fixed keys, templates at its leaves."""

    def render(self, context: Context) -> JsonObject:
        """Return the content, checked by the target's action model; raises RenderError."""


class Condition(Protocol):
    """A compiled ``when:`` expression."""

    @property
    def source(self) -> str:
        """Return the expression as written."""

    def test(self, context: Context) -> bool:
        """Return the verdict; raises RenderError when the expression fails or gives no boolean."""


class Until(NamedTuple):
    """When a deferred delivery is due, and what it then tells of."""

    due: datetime
    deferral: Deferral


class Timing(Protocol):
    """When a deliver entry tells of a change, if not at once."""

    def defer(self, change: Change, context: Context, now: datetime) -> Until:
        """Return until when a change is held; raises RenderError."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one matcher said of one change, for ``explain``: values are as compared, so emptiness is None."""

    path: str
    operator: str
    wanted: Json
    seen: Json
    previous: Json
    matched: bool
    children: tuple["Finding", ...] = ()


class Matcher(Protocol):
    """A compiled predicate over a change."""

    def test(self, change: Change) -> bool:
        """Return the verdict; raises MatchError where there can be none."""

    def explain(self, change: Change) -> Finding:
        """Return the verdict with what it was made of; raises as ``test`` does."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One item of ``on:``, resolved: the event names it stands for, and a trigger's own matcher if it has one."""

    name: str
    events: frozenset[str]
    matcher: Matcher | None = None


@dataclass(frozen=True, slots=True)
class DeliverEntry:
    """One item of ``deliver:``. Without ``key`` the event's entity orders its deliveries.

    ``handling`` returns, for the rendered content, the bucket it is counted in and the terms of its delivery.
    ``timing`` defers it, and ``window`` holds it until it opens; what ``unless`` hears meanwhile calls it off.
    ``mentions`` are the fields that its templates read of anything.
    """

    target: str
    content: Structure
    key: Text | None = None
    handling: Handling = lambda _: ("", Terms())
    timing: Timing | None = None
    window: Window | None = None
    unless: tuple[Listener, ...] = ()
    mentions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Route:
    """A named rule. It matches when one listener hears the change, ``match`` agrees, and ``when`` is true.

    ``mentions`` are the fields that its templates read of anything, those of its entries too.
    """

    name: str
    listeners: tuple[Listener, ...]
    deliver: tuple[DeliverEntry, ...]
    match: Matcher | None = None
    when: Condition | None = None
    mentions: frozenset[str] = frozenset()
    events: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Join the event names of all listeners, for the index by event name, and what its entries mention."""
        object.__setattr__(self, "events", frozenset().union(*(listener.events for listener in self.listeners)))
        object.__setattr__(self, "mentions", self.mentions.union(*(entry.mentions for entry in self.deliver)))
