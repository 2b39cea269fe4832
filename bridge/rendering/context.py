"""The names that templates see."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from bridge.component import Source
from bridge.document import is_empty, unfilled
from bridge.model import Change, Entity, Event, Json, JsonObject, Reach, Related
from bridge.rendering.value import AS_SENT, Changes, Document

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAMES = frozenset({"event", "document", "previous", "changes", "now", "source"})
FUNCTIONS = frozenset({"days", "hours", "minutes", "range", "namespace"})

EVENT_SHAPE: JsonObject = dict.fromkeys(
    ("id", "name", "source", "action", "kind", "entity_id", "received_at", "occurred_at", "version", "first_sight")
)
"""What ``event`` holds, in the form of a source's shapes."""


GATHERED = frozenset({"items", "group", "now", "former"})
"""The names of a digest; each of its ``items`` has those of a single change."""


def known_names(kinds: Iterable[str], *, gathered: bool = False) -> frozenset[str]:
    """Return the names that a template may use when the event is about one of these kinds, or of a digest of such."""
    return GATHERED | FUNCTIONS if gathered else NAMES | FUNCTIONS | frozenset(kinds)


def context_of(
    change: Change, source: Source[Any], now: datetime, zone: tzinfo, related: Related = MappingProxyType({})
) -> dict[str, object]:
    """Return what templates see of a change and of what is related to it; moments are in the zone of the rules file."""
    event, kind = change.event, change.event.entity.kind if change.event.entity else ""
    entity = Document({**change.current, **_related(change, source, related)}, kind, source, event.entity)
    before = _unseen(type(source), kind) if change.previous is None else change.previous
    return {
        "event": _event(event, change, zone),
        "document": Document(change.document, AS_SENT),
        "previous": Document(before, kind and f"previous {kind}", source, event.entity),
        "changes": Changes(change.differences, source),
        "now": now.astimezone(zone),
        "source": source.name,
        **({kind: entity} if kind else {}),
    }


def _related(change: Change, source: Source[Any], related: Related) -> Mapping[str, object]:
    """Return what is reached from the entity; what was not found, or is not there, is empty and of full shape."""
    entity = change.event.entity
    unreached = _unreached(source, entity.kind if entity else "")
    if not (entity and related):
        return unreached
    found = dict(unreached)
    for name, relation in source.relations.get(entity.kind, {}).items():
        told = related.get(Reach(change.event.source, entity, name))
        if relation.completes:
            found[name] = _completed(change.current.get(name), told)
        elif relation.many and isinstance(told, list):
            found[name] = [_reached(each, relation.kind, source) for each in told]
        elif not relation.many and told is not None:
            found[name] = _reached(told, relation.kind, source)
    return found


@lru_cache(maxsize=64)
def _unreached(source: Source[Any], kind: str) -> Mapping[str, object]:
    """Return what is reached where nothing is known of it; no template can change it."""
    relations = source.relations.get(kind, {}).items()
    return {
        name: [] if relation.many else _reached(None, relation.kind, source)
        for name, relation in relations
        if not relation.completes
    }


def _completed(held: Json, told: Json) -> Json:
    """Return what a document holds a part of, with what it lacks filled in."""
    if not isinstance(held, dict) or not isinstance(told, dict):
        return held
    return {name: told.get(name) if is_empty(value) else value for name, value in held.items()}


def _reached(told: Json, kind: str, source: Source[Any]) -> Document:
    known = told if isinstance(told, dict) else {}
    entity = Entity(kind, str(known["id"])) if known.get("id") else None
    return Document({**_unseen(type(source), kind), **known}, kind, source, entity)


@cache
def _unseen(source: type[Source[Any]], kind: str) -> JsonObject:
    """Return what `previous` is at first sight: of full shape, so that a field of it is empty rather than an error."""
    shape = source.shapes.get(kind) or source.related_shapes.get(kind, {})
    return {field: unfilled(value) for field, value in shape.items()}


def gathered(
    items: Sequence[Mapping[str, object]], group: str, now: datetime, former: Sequence[Mapping[str, object]] | None
) -> dict[str, object]:
    """Return what the template of a digest sees; ``now`` is in the zone of the rules file."""
    return {
        "items": _items(items),
        "group": group,
        "former": None if former is None else _items(former),
        "now": now,
    }


def _items(contexts: Sequence[Mapping[str, object]]) -> list[Document]:
    return [Document(each, "an item") for each in contexts]


def _event(event: Event, change: Change, zone: tzinfo) -> Document:
    fields = {
        "id": event.id,
        "name": event.name,
        "source": event.source,
        "action": change.action,
        "kind": event.entity.kind if event.entity else None,
        "entity_id": event.entity.id if event.entity else None,
        "received_at": event.received_at.astimezone(zone),
        "occurred_at": event.occurred_at.astimezone(zone) if event.occurred_at else None,
        "version": (EPOCH + timedelta(microseconds=change.version)).astimezone(zone),
        "first_sight": change.first_sight,
    }
    return Document(fields, "event")
