"""What bridge tells of itself: every event is a change, and every field, word and example fits."""

from datetime import timedelta

import orjson
import pytest

from bridge.component.discovery import source_types
from bridge.document import unknown_segment
from bridge.errors import UnreadableWebhookError
from bridge.model import Entity, Event, EventState, JsonObject
from bridge.routing.router import Router, in_order
from bridge.sources import _bridge
from bridge.sources._bridge import EVENTS, LABELS, NAME, OWN, PREFIX, SHAPES, TRIGGERS, noticed
from tests.support.changes import NOW
from tests.support.clock import ManualClock

ROUTER = Router({NAME: OWN}, (), lambda *_: {}, ManualClock())
PAUSED: JsonObject = {"name": "sales", "state": "paused", "reason": "invalid_auth"}


def told(*events: Event) -> list[tuple[EventState, str | None]]:
    return [(routed.state, routed.reason) for routed in in_order(ROUTER.decide, events, {})]


def test_no_file_can_name_it() -> None:
    assert _bridge.Bridge not in source_types().values()


@pytest.mark.parametrize("name", EVENTS)
def test_an_example_has_the_fields_of_its_kind_and_no_others(name: str) -> None:
    *_, body = OWN.story(name, NOW)
    read = OWN.read(orjson.dumps(body))
    assert read.entity
    assert (read.name, read.entity.kind, read.occurred_at) == (name, EVENTS[name], NOW)
    document = body["document"]
    assert isinstance(document, dict)
    assert [field for field in document if unknown_segment(SHAPES[EVENTS[name]], field)] == []


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_described_in_one_line_of_each_language(name: str) -> None:
    trigger = TRIGGERS[name]
    assert (trigger.name, trigger.events, dict(trigger.match)) == (name, (name,), {})
    assert all(text.endswith(".") for text in (trigger.description, trigger.description_pt))


def test_every_field_has_a_portuguese_word_but_its_time_which_is_no_change() -> None:
    fields = {field for shape in SHAPES.values() for field in shape} - OWN.quiet
    assert {path for path in LABELS["pt"] if "=" not in path} == fields


def test_the_names_of_its_events_begin_alike() -> None:
    assert all(name.startswith(PREFIX) for name in EVENTS)


def test_what_is_told_twice_at_the_same_time_is_told_twice() -> None:
    events = [noticed("bridge.target_paused", "sales", PAUSED, NOW) for _ in range(3)]
    assert len({event.dedup_key for event in events}) == 3
    assert told(*events) == [(EventState.UNMATCHED, None)] * 3


def test_what_is_told_after_the_clock_was_set_back_is_told() -> None:
    later = noticed("bridge.target_paused", "sales", PAUSED, NOW)
    earlier = [noticed("bridge.target_paused", "sales", PAUSED, NOW - timedelta(hours=n)) for n in (2, 1)]
    assert told(later, *earlier) == [(EventState.UNMATCHED, None)] * 3


def test_what_was_told_before_of_the_same_thing_is_what_it_was_before() -> None:
    paused = noticed("bridge.target_paused", "sales", PAUSED, NOW)
    resumed = noticed("bridge.target_resumed", "sales", {"name": "sales", "state": "ready"}, NOW)
    before, after = in_order(ROUTER.decide, [paused, resumed], {})
    change = ROUTER.explain(resumed, before.entity_state).change
    assert change is not None
    assert change.previous
    assert change.previous["at"] == NOW.isoformat()
    assert change.differences["state"] == ("paused", "ready")
    assert change.differences["reason"] == ("invalid_auth", None)
    assert "at" not in change.differences
    assert after.entity_state
    assert after.entity_state.entity == Entity("target", "sales")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'"text"', b'{"event_name": "bridge.x"}', b'{"event_name": "bridge.target_paused"}']
)
def test_a_body_that_it_never_made_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableWebhookError, match="none that bridge made"):
        OWN.read(body)


def test_there_is_no_example_of_anything_else() -> None:
    with pytest.raises(KeyError):
        OWN.story("deal.lost", NOW)
