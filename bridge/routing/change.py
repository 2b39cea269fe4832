"""What changed: an event beside its entity's last state. The sender never says, repeats itself, and keeps no order.

Documents of one entity are ordered by their version. An older one changes nothing; the same one twice is one change;
a deletion always counts, for its own time is cut to the second and may look older than the edit before it.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType

from bridge.document import differences, is_empty
from bridge.model import Change, Differences, Entity, EntityState, Event, EventState, JsonObject, Origin, Reading

GRACE = 1_000_000
"""Microseconds that an update must be younger than a deletion to undo it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing came to: a change for the routes, or the state and reason of an event that is none.

    ``state`` is the event's unless a route matches; ``entity_state`` the entity's new last state, None where it stays.
    """

    change: Change | None = None
    state: EventState = EventState.UNMATCHED
    reason: str | None = None
    entity_state: EntityState | None = None


def compare(
    event: Event, reading: Reading, last: EntityState | None, quiet: frozenset[str] = frozenset()
) -> Comparison:
    """Compare an event with its entity's last state. ``quiet`` fields are no difference."""
    if last is None:
        return _first_sight(event, reading)
    if reading.action == "deleted":
        return _deletion(event, reading, last, quiet)
    if last.deleted and reading.version <= last.version + GRACE:
        return _stale("the entity was deleted before", _born(reading, last))
    if reading.action == "created":
        return _creation(event, reading, last, quiet)
    return _update(event, reading, last, quiet)


def _first_sight(event: Event, reading: Reading) -> Comparison:
    created = reading.action == "created"
    state = _state(event, event.entity, reading, created_seen=created) if event.entity else None
    return Comparison(_change(event, reading), entity_state=state)


def _creation(event: Event, reading: Reading, last: EntityState, quiet: frozenset[str]) -> Comparison:
    """A creation counts once, even when an update of the same version came before it.

    It is compared with that update, so that what both of them say is told once.
    """
    if last.created_seen and not last.deleted:
        return _duplicate("its creation was announced before")
    if reading.version < last.version:
        return _stale("a newer document of the entity came before", _born(reading, last))
    if reading.version == last.version and last.found and event.origin is Origin.WEBHOOK:
        return _found_before(reading, last)
    if reading.version == last.version:
        changed = differences(last.document, reading.current, quiet)
        return Comparison(_change(event, reading, last.document, changed), entity_state=_born(reading, last))
    return _first_sight(event, reading)


def _update(event: Event, reading: Reading, last: EntityState, quiet: frozenset[str]) -> Comparison:
    if reading.version < last.version:
        return _stale("a newer document of the entity came before")
    if reading.version == last.version and last.found and event.origin is Origin.WEBHOOK:
        return _found_before(reading, last)
    changed = differences(last.document, reading.current, quiet)
    if reading.version == last.version and not changed:
        return _duplicate("the same change was announced before")
    return _applied(event, reading, last, changed)


def _deletion(event: Event, reading: Reading, last: EntityState, quiet: frozenset[str]) -> Comparison:
    """A deletion says little more than which entity: what was known of it stays known."""
    if last.deleted:
        return _duplicate("its deletion was announced before")
    sent = {field: value for field, value in reading.current.items() if not is_empty(value)}
    whole = replace(reading, current={**last.document, **sent}, version=max(reading.version, last.version))
    return _applied(event, whole, last, differences(last.document, whole.current, quiet))


def _applied(event: Event, reading: Reading, last: EntityState, changed: Differences) -> Comparison:
    state = _state(event, last.entity, reading, created_seen=last.created_seen)
    return Comparison(_change(event, reading, last.document, changed), entity_state=state)


def _found_before(reading: Reading, last: EntityState) -> Comparison:
    """A webhook of the very edit that was found by the API comes late: it is no news, but may say more."""
    seen = last.created_seen or reading.action == "created"
    state = replace(last, document=reading.current, found=False, created_seen=seen)
    return replace(_duplicate("the same change was found by the API before"), entity_state=state)


def _born(reading: Reading, last: EntityState) -> EntityState | None:
    """Return the last state with its creation noted, None if there is nothing to note."""
    return replace(last, created_seen=True) if reading.action == "created" and not last.created_seen else None


def _change(
    event: Event, reading: Reading, previous: JsonObject | None = None, changed: Differences = MappingProxyType({})
) -> Change:
    action, document, current = reading.action, reading.document, reading.current
    return Change(event, action, document, current, previous, changed, reading.dated, reading.version)


def _state(event: Event, entity: Entity, reading: Reading, *, created_seen: bool) -> EntityState:
    deleted = reading.action == "deleted"
    found = event.origin is not Origin.WEBHOOK
    return EntityState(event.source, entity, reading.current, reading.version, event.id, deleted, created_seen, found)


def _stale(reason: str, entity_state: EntityState | None = None) -> Comparison:
    return Comparison(state=EventState.STALE, reason=reason, entity_state=entity_state)


def _duplicate(reason: str) -> Comparison:
    return Comparison(state=EventState.DUPLICATE, reason=reason)
