"""Explanations as JSON: what the rules make of an event, route by route, with the messages they would send."""

from dataclasses import replace

import orjson

from bridge.component import AnySource, AnyTarget
from bridge.component.discovery import source_types
from bridge.control.shapes import Shape, event_shape
from bridge.errors import RequestRefusedError, UnreadableWebhookError
from bridge.model import Change, Clock, EntityState, Event, EventState, Json, JsonObject, new_id
from bridge.options import did_you_mean
from bridge.routing.route import Finding
from bridge.routing.router import RouteExplanation
from bridge.ruleset import Ruleset


class Explainer:
    """Explains events under one ruleset. Pure: it is handed what the entity was before."""

    def __init__(self, rules: Ruleset, clock: Clock) -> None:
        """Take the rules; the clock dates bodies that arrive now."""
        self._rules = rules
        self._clock = clock

    def arrived(self, body: Json, source: str | None = None) -> Event:
        """Return the event that a body would be if it arrived now; one that cannot be read is quarantined.

        Raises:
            RequestRefusedError: there is no such source, or several and none was named.
        """
        reader, raw = self._source(source), orjson.dumps(body)
        unread = Event(new_id("evt"), reader.name, "", None, "", raw, received_at=self._clock.now())
        try:
            read = reader.read(raw)
        except UnreadableWebhookError as error:
            return replace(unread, state=EventState.QUARANTINED, reason=str(error))
        return replace(
            unread, name=read.name, entity=read.entity, dedup_key=read.dedup_key, occurred_at=read.occurred_at
        )

    def stored(self, event: Event, preceding: Event | None) -> Shape:
        """Explain an event beside the one that preceded it; what became of it then does not matter."""
        last = self._document(preceding) if preceding else None
        unrouted = replace(event, state=EventState.RECEIVED, reason=None) if event.entity else event
        return self._shape(unrouted, last, preceding.id if preceding and last else None)

    def explain(self, event: Event, state: EntityState | None) -> Shape:
        """Explain an event that arrives now beside the last state of its entity."""
        return self._shape(event, state.document if state else None, state.event_id if state else None)

    def _shape(self, event: Event, last: JsonObject | None, compared_with: str | None) -> Shape:
        head = {"event": event_shape(event), "compared_with": compared_with}
        if event.state is EventState.QUARANTINED:
            return {**head, "state": event.state, "reason": event.reason, "changes": [], "routes": []}
        explanation = self._rules.router.explain(event, last)
        return {
            **head,
            "state": explanation.state,
            "reason": explanation.reason,
            "changes": changes_shape(explanation.change),
            "routes": [self._route(route) for route in explanation.routes],
        }

    def _route(self, route: RouteExplanation) -> Shape:
        return {
            "name": route.name,
            "listened": route.listened,
            "matched": route.matched,
            "findings": [finding_shape(finding) for finding in route.findings],
            "when": route.when,
            "error": route.error,
            "deliveries": [self._delivery(*delivery) for delivery in route.deliveries],
        }

    def _delivery(self, target: str, key: str, content: JsonObject | None, error: str | None) -> Shape:
        shown = preview(self._rules.targets.get(target), content)
        return {"target": target, "key": key, "content": content, "preview": shown, "error": error}

    def _source(self, name: str | None) -> AnySource:
        sources = self._rules.sources
        if name is None and len(sources) == 1:
            return next(iter(sources.values()))
        if name is None:
            raise RequestRefusedError(f"which source sent it? There are: {', '.join(sources)}", "unknown-source")
        if name not in sources:
            hint = did_you_mean(name, sources)
            raise RequestRefusedError(f'there is no source "{name}"; {hint}', "unknown-source")
        return sources[name]

    def _document(self, preceding: Event) -> JsonObject | None:
        source = self._rules.sources.get(preceding.source)
        try:
            return source.interpret(preceding, None).current if source else None
        except UnreadableWebhookError:
            return None


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


def type_of(source: AnySource) -> str:
    """Return the name that a source's type has in routes.yaml."""
    return next(name for name, kind in source_types().items() if isinstance(source, kind))


def preview(target: AnyTarget | None, content: JsonObject | None) -> str | None:
    """Return a message as a person would see it at its target, and as it stands if the target is gone."""
    if content is None:
        return None
    return target.preview(content) if target else orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()
