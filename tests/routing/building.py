"""Small parts for tests of documents and routing: events, readings, states, and JSON of any form."""

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from bridge.model import Action, Change, Entity, EntityState, Event, Json, JsonObject, Reading
from tests.support.clock import ManualClock

NOW = ManualClock().now()
DEAL = Entity("deal", "65")


def json_values() -> st.SearchStrategy[Any]:
    """Any JSON, with many of the values that count as empty."""
    leaves = st.sampled_from([None, "", True, False, 0, 1, 2.5, "a", "b", "2026-11-24"]) | st.text(max_size=4)
    keys = st.sampled_from(["a", "b", "c", "id", "name", "custom"])
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
    )


def documents() -> st.SearchStrategy[JsonObject]:
    """Any object."""
    return st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), json_values(), max_size=4)


def event(number: int = 1, name: str = "crm_deal_updated", entity: Entity | None = DEAL, at: datetime = NOW) -> Event:
    """Return a received event."""
    return Event(f"evt_{number:03}", "crm", name, entity, f"key-{number}", b"{}", at)


def reading(action: Action = "updated", version: int = 100, **document: Json) -> Reading:
    """Return a reading whose document is as sent; a creation dates everything, an update nothing."""
    return Reading(action, document, document, version, None if action == "created" else frozenset())


def state(version: int = 100, *, deleted: bool = False, created_seen: bool = False, **document: Json) -> EntityState:
    """Return a last state."""
    return EntityState("crm", DEAL, document, version, "evt_000", deleted, created_seen)


def change(previous: JsonObject | None = None, dated: frozenset[str] | None = frozenset(), **current: Json) -> Change:
    """Return a change of a deal to this document."""
    return Change(event(), "updated", {"sent": "raw", **current}, current, previous, dated=dated)
