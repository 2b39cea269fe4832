"""Explanations as JSON: what the rules make of an event, route by route, with the messages they would send."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import orjson

from bridge.component import AnySource, AnyTarget
from bridge.component.discovery import source_types
from bridge.control.foretelling import Explained, Foretold, Place, placed
from bridge.control.shapes import Shape, event_shape, moment
from bridge.delivery.dispatcher import set_aside
from bridge.errors import RequestRefusedError, UnreadableWebhookError
from bridge.model import (
    CallOff,
    Change,
    Clock,
    EntityState,
    Event,
    EventState,
    Json,
    JsonObject,
    Message,
    Related,
    new_id,
)
from bridge.options import did_you_mean
from bridge.routing.explanation import Explanation, RouteExplanation
from bridge.routing.fanout import Preview
from bridge.routing.route import DeliverEntry, Finding, Until
from bridge.routing.router import NOTHING
from bridge.ruleset import Ruleset
from bridge.sources import _bridge

FindLink: TypeAlias = Callable[[str, str], Awaitable[Shape | None]]
"""Finds what a target made for a key, as ``link_shape`` tells it."""


class Explainer:
    """Explains events under one ruleset. Pure: it is handed what the entity was before."""

    def __init__(self, rules: Ruleset, clock: Clock, related: Related = NOTHING) -> None:
        """Take the rules, and what is related to the events; the clock dates bodies that arrive now."""
        self._rules = rules
        self._clock = clock
        self._related = related

    def arrived(self, body: Json, source: str | None = None) -> Event:
        """Return the event that a body would be if it arrived now; one that cannot be read has no name.

        Raises:
            RequestRefusedError: there is no such source, or several and none was named.
        """
        reader, raw = self._source(source), orjson.dumps(body)
        unread = Event(new_id("evt"), reader.name, "", None, "", raw, received_at=self._clock.now())
        try:
            read = reader.read(raw)
        except UnreadableWebhookError:
            return unread
        return replace(
            unread, name=read.name, entity=read.entity, dedup_key=read.dedup_key, occurred_at=read.occurred_at
        )

    def stored(self, event: Event, preceding: Event | None) -> Explained:
        """Explain an event beside the one that preceded it; what became of it then does not matter.

        Raises:
            RequestRefusedError: the body of either is not kept any more (``body-gone``).
        """
        if gone := body_gone(event, preceding):
            raise RequestRefusedError(gone, "body-gone")
        return self._told(event, lambda: self._rules.router.state_after(preceding) if preceding else None)

    def following(self, event: Event, before: Event) -> Explained:
        """Explain an event that would arrive after another one that is not stored either."""
        told = self.stored(event, before)
        return replace(told, beside=told.beside and "what came before it")

    def arriving(self, event: Event, state: EntityState | None) -> Explained:
        """Explain an event beside the last state of its entity.

        ``beside`` is None where no documents were compared: at first sight, and where the event is no change.
        """
        return self._told(event, lambda: state)

    def shape(self, told: Explained) -> Shape:
        """Return an explanation as JSON; ``with_links`` completes it."""
        explanation = told.explanation
        return {
            "event": event_shape(told.event),
            "state": explanation.state,
            "reason": explanation.reason,
            "compared_with": told.beside,
            "changes": changes_shape(explanation.change),
            "calls_off": [self._called_off(entry, told.called_off.get(entry)) for entry in explanation.called_off],
            "routes": [self._route(route, told.foretold) for route in explanation.routes],
        }

    def _told(self, event: Event, before: Callable[[], EntityState | None]) -> Explained:
        """Explain an event; where that meets a defect, so would routing, and the event would be set aside."""
        state = None
        try:
            state = before()
            explanation = self._rules.router.explain(event, state, self._related)
        except Exception as error:  # noqa: BLE001 (whoever asks is told of it, as of anything else)
            aside = set_aside(event, error)
            explanation = Explanation(aside.state, aside.reason, None)
        compared = explanation.change is not None and not explanation.change.first_sight
        return Explained(event, explanation, state.event_id if state and compared else None)

    def _route(self, route: RouteExplanation, foretold: Mapping[Place, Foretold]) -> Shape:
        return {
            "name": route.name,
            "listened": route.listened,
            "matched": route.matched,
            "findings": [finding_shape(finding) for finding in route.findings],
            "when": None if route.when is None else {"expression": self._when(route.name), "verdict": route.when},
            "error": route.error,
            "deliveries": [self._delivery(place, each, foretold.get(place)) for place, each in placed(route)],
        }

    def _entry(self, place: Place) -> DeliverEntry:
        [entries] = [route.deliver for route in self._rules.routes if route.name == place.route]
        return entries[place.entry]

    def _called_off(self, entry: CallOff, ids: Sequence[str] | None) -> Shape:
        target = self._entry(Place(*entry)).target
        return {"route": entry.route, "target": target, "deliveries": None if ids is None else [*ids]}

    def _when(self, name: str) -> str | None:
        return next((route.when.source for route in self._rules.routes if route.name == name and route.when), None)

    def _delivery(self, place: Place, planned: Preview, foretold: Foretold | None) -> Shape:
        target, until = self._rules.targets.get(planned.target), planned.until
        told = foretold.preview if foretold else planned
        return {
            "target": planned.target,
            "key": told.key if told else planned.key,
            "content": told.content if told else None,
            "preview": preview(target, told.content if told else None),
            "error": told.error if told else None,
            "link_key": _link_key(target, told) if told else None,
            "due": moment(foretold.due if foretold else until.due) if until else None,
            **_waiting_shape(until, self._entry(place), foretold),
        }

    def _source(self, name: str | None) -> AnySource:
        sources = self._rules.sources
        if name == _bridge.NAME:
            return _bridge.OWN
        if name is None and len(sources) == 1:
            return next(iter(sources.values()))
        if name is None:
            raise RequestRefusedError(f"which source sent it? There are: {', '.join(sources)}", "unknown-source")
        if name not in sources:
            hint = did_you_mean(name, sources)
            raise RequestRefusedError(f'there is no source "{name}"; {hint}', "unknown-source")
        return sources[name]


def _waiting_shape(until: Until | None, entry: DeliverEntry, foretold: Foretold | None) -> Shape:
    """Return what a message waits for, what it is told with, and what calls it off."""
    deferral = until.deferral if until else None
    latest = foretold.latest if foretold else deferral.latest if deferral and deferral.kind == "debounce" else None
    return {
        "deferred": deferral.kind if deferral else None,
        "latest": moment(latest),
        "group": deferral.group if deferral and deferral.kind == "digest" else None,
        "joins": list(foretold.joins) if foretold else [],
        "unless": [listener.name for listener in entry.unless] if deferral else [],
        "undone": bool(foretold and foretold.preview is None),
    }


async def with_links(told: Shape, find: FindLink) -> Shape:
    """Return an explanation that tells of each message what it would update or answer to, under ``link``."""
    for delivery in (each for route in told["routes"] for each in route["deliveries"]):
        key = delivery.pop("link_key")
        delivery["link"] = await find(delivery["target"], key) if key is not None else None
    return told


def _link_key(target: AnyTarget | None, planned: Preview) -> str | None:
    """Return the key of the link that a message would look for."""
    if target is None or planned.content is None:
        return None
    return target.link_key(Message("", planned.key, planned.content))


def changes_shape(change: Change | None) -> list[Shape]:
    """Return what differs from the last state; nothing at first sight."""
    differences = change.differences if change else {}
    return [{"path": path, "before": before, "after": after} for path, (before, after) in differences.items()]


def finding_shape(finding: Finding) -> Shape:
    """Return what one matcher wanted and saw."""
    return {
        "path": finding.path,
        "operator": finding.operator,
        "wanted": finding.wanted,
        "seen": finding.seen,
        "previous": finding.previous,
        "matched": finding.matched,
        "children": [finding_shape(child) for child in finding.children],
    }


def body_gone(*events: Event | None) -> str | None:
    """Return why events cannot be read again, if retention has taken the body of one of them."""
    for event in events:
        if event and not event.body and event.state is not EventState.QUARANTINED:  # that may be nothing but empty
            what = "its body" if event is events[0] else f"the body of {event.id}, which it was compared with,"
            return f"{what} is not kept any more: see BRIDGE_KEEP_BODIES"
    return None


def type_of(source: AnySource) -> str:
    """Return the name that a source's type has in routes.yaml."""
    return source_types().name_of(source)


def preview(target: AnyTarget | None, content: JsonObject | None) -> str | None:
    """Return a message as a person would see it at its target, and as it stands if the target is gone."""
    if content is None:
        return None
    return target.preview(content) if target else orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()
