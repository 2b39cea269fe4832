"""What an event would be told with: explanations completed by what waits already, in the store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, Protocol

from bridge.delivery.reached import FindRelated, nothing_found
from bridge.model import CallOff, Clock, Delivery, Event, Ripe
from bridge.routing.explanation import Explanation, RouteExplanation
from bridge.routing.fanout import Preview
from bridge.routing.router import planned
from bridge.ruleset import Ruleset


class Waiting(Protocol):
    """Who knows what waits: a store, or a daemon that has one; see ``Store``."""

    async def waiting(self, event: Event, delivery: Delivery) -> Ripe:
        """Return what a deferred delivery of an event would be told with."""
        ...

    async def called_off(self, event: Event, entries: Sequence[CallOff]) -> Sequence[Sequence[str]]:
        """Return, for each entry, the ids of the deliveries that an event called off, or would."""
        ...


OPEN = frozenset({"digest", "debounce", "delay"})
"""What is told as things stand when its time comes; a message that waits for a window is made already."""


class Place(NamedTuple):
    """A deliver entry: the name of its route, and its number there."""

    route: str
    entry: int


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a deferred entry would tell by now, until when it waits, and which waiting deliveries are told along.

    Without a ``preview`` it would tell nothing, for what it would tell of was undone.
    """

    preview: Preview | None
    due: datetime
    latest: datetime | None
    joins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """An event, what it comes to, and the event it was compared with; ``foretold`` is what the store adds.

    So is ``called_off``: the ids of the deliveries of each entry that the event calls off.
    """

    event: Event
    explanation: Explanation
    beside: str | None = None
    foretold: Mapping[Place, Foretold] = field(default_factory=dict)
    called_off: Mapping[CallOff, Sequence[str]] = field(default_factory=dict)


class Foreteller:
    """Completes explanations under one ruleset."""

    def __init__(self, rules: Ruleset, clock: Clock, known: Waiting, look_up: FindRelated = nothing_found) -> None:
        """Take who knows what waits, and what finds what its messages have to say of related entities."""
        self._router = rules.router
        self._clock = clock
        self._known = known
        self._look_up = look_up

    async def complete(self, explained: Explained) -> Explained:
        """Return an explanation whose deferred messages are those that would be told if nothing else happened."""
        found = {place: await self._foretell(explained.event, place, each) for place, each in _deferred(explained)}
        entries = explained.explanation.called_off
        ids = await self._known.called_off(explained.event, entries) if entries else ()
        return replace(explained, foretold=found, called_off=dict(zip(entries, ids, strict=True)))

    async def _foretell(self, event: Event, place: Place, preview: Preview) -> Foretold:
        delivery = replace(planned(event, *place, preview, self._clock.now()), content=None)
        ripe = await self._known.waiting(event, delivery)
        related = await self._look_up(self._router.wanted_ripe([ripe]))
        deferral = ripe.delivery.deferral
        latest = deferral.latest if deferral and deferral.kind == "debounce" else None
        return Foretold(self._router.foretell(ripe, related), ripe.delivery.due_at, latest, ripe.others)


def placed(route: RouteExplanation) -> Iterator[tuple[Place, Preview]]:
    """Yield what a route would deliver, with the entries that say so."""
    for number, preview in enumerate(route.deliveries):
        yield Place(route.name, number), preview


def _deferred(explained: Explained) -> Iterator[tuple[Place, Preview]]:
    for route in explained.explanation.routes:
        for place, preview in placed(route):
            if preview.until and preview.until.deferral.kind in OPEN:
                yield place, preview
