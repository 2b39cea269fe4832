from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Action, EntityState, Event, EventState, JsonObject, Origin, Reading, found_key
from bridge.routing.change import GRACE, compare
from tests.routing.building import documents, event, reading, state


def test_a_first_sight_is_a_change_without_a_previous_state() -> None:
    compared = compare(event(), reading(status="lost"), None)
    assert compared.change is not None
    assert compared.change.first_sight
    assert compared.change.differences == {}
    assert compared.entity_state == EntityState("crm", event().entity, {"status": "lost"}, 100, "evt_001")  # type: ignore[arg-type] # it has an entity


def test_a_creation_at_first_sight_is_noted_and_dates_everything() -> None:
    compared = compare(event(), reading("created", status="ongoing"), None)
    assert compared.entity_state is not None
    assert compared.entity_state.created_seen
    assert compared.change is not None
    assert compared.change.is_dated("anything")


def test_a_deletion_at_first_sight_is_a_change_and_leaves_a_deleted_state() -> None:
    compared = compare(event(), reading("deleted", name="A"), None)
    assert compared.change is not None
    assert compared.change.current == {"name": "A"}
    assert compared.entity_state is not None
    assert compared.entity_state.deleted


def test_an_event_without_an_entity_is_a_change_that_leaves_no_state() -> None:
    compared = compare(event(entity=None), reading(status="lost"), None)
    assert compared.change is not None
    assert compared.entity_state is None


def test_a_newer_update_is_compared_with_the_last_state() -> None:
    compared = compare(event(), reading(version=200, status="lost"), state(status="ongoing", created_seen=True))
    assert compared.change is not None
    assert compared.change.previous == {"status": "ongoing"}
    assert compared.change.differences == {"status": ("ongoing", "lost")}
    assert compared.entity_state == EntityState(
        "crm", state().entity, {"status": "lost"}, 200, "evt_001", deleted=False, created_seen=True
    )


def test_a_touch_that_changes_nothing_is_an_update_without_differences() -> None:
    compared = compare(event(), reading(version=200, a=1, at=2), state(a=1, at=1), frozenset({"at"}))
    assert compared.change is not None
    assert compared.change.differences == {}
    assert compared.entity_state is not None


def test_a_late_update_changes_nothing() -> None:
    compared = compare(event(), reading(version=99, status="lost"), state(status="won"))
    assert (compared.change, compared.state, compared.entity_state) == (None, EventState.STALE, None)
    assert compared.reason == "a newer document of the entity came before"


def test_the_same_change_under_another_uuid_is_a_duplicate() -> None:
    compared = compare(event(2), reading(status="lost", at=1), state(status="lost", at=1))
    assert (compared.change, compared.state, compared.entity_state) == (None, EventState.DUPLICATE, None)


def test_the_same_change_with_other_emptiness_is_a_duplicate() -> None:
    assert compare(event(), reading(a=None, b={}), state(a="", b={"c": None})).state is EventState.DUPLICATE


def test_another_document_of_the_same_version_is_a_change() -> None:
    compared = compare(event(), reading(name="Teste Negociação"), state(name="Teste", created_seen=True))
    assert compared.change is not None
    assert compared.change.differences == {"name": ("Teste", "Teste Negociação")}


def test_a_creation_told_twice_is_a_duplicate_whatever_its_version() -> None:
    for version in (50, 100, 200):
        compared = compare(event(), reading("created", version, a=2), state(a=1, created_seen=True))
        assert (compared.state, compared.entity_state) == (EventState.DUPLICATE, None)


def test_a_creation_that_comes_after_its_own_update_counts_once_and_tells_only_what_that_did_not() -> None:
    last = state(name="Teste Negociação")
    compared = compare(event(), reading("created", name="Teste"), last)
    assert compared.change is not None
    assert compared.change.previous == {"name": "Teste Negociação"}
    assert compared.change.differences == {"name": ("Teste Negociação", "Teste")}
    assert compared.entity_state == state(name="Teste Negociação", created_seen=True)
    assert compare(event(2), reading("created", name="Teste"), compared.entity_state).state is EventState.DUPLICATE


def test_a_creation_older_than_what_is_known_is_stale_but_noted() -> None:
    compared = compare(event(), reading("created", 50, a=1), state(a=2))
    assert (compared.change, compared.state) == (None, EventState.STALE)
    assert compared.entity_state == state(a=2, created_seen=True)


def test_a_creation_younger_than_what_is_known_is_a_first_sight() -> None:
    compared = compare(event(), reading("created", 150, a=2), state(a=1))
    assert compared.change is not None
    assert compared.change.first_sight
    assert compared.entity_state is not None
    assert (compared.entity_state.version, compared.entity_state.created_seen) == (150, True)


def test_a_deletion_keeps_what_was_known() -> None:
    compared = compare(
        event(), reading("deleted", 200, name="New", status=None), state(name="Old", status="lost", created_seen=True)
    )
    assert compared.change is not None
    assert compared.change.current == {"name": "New", "status": "lost"}
    assert compared.change.previous == {"name": "Old", "status": "lost"}
    assert compared.change.document == {"name": "New", "status": None}
    assert compared.entity_state == EntityState(
        "crm", state().entity, {"name": "New", "status": "lost"}, 200, "evt_001", deleted=True, created_seen=True
    )


def test_a_deletion_whose_time_looks_older_still_counts() -> None:
    compared = compare(event(), reading("deleted", 40, name="A"), state(100, name="A"))
    assert compared.change is not None
    assert compared.entity_state is not None
    assert (compared.entity_state.version, compared.entity_state.deleted) == (100, True)


def test_a_deletion_told_twice_is_a_duplicate() -> None:
    assert compare(event(), reading("deleted", 900), state(deleted=True)).state is EventState.DUPLICATE


@pytest.mark.parametrize("action", ["updated", "created"])
@pytest.mark.parametrize("version", [50, 100, 100 + GRACE])
def test_what_comes_late_after_a_deletion_is_stale(action: Action, version: int) -> None:
    compared = compare(event(), reading(action, version, a=2), state(deleted=True, a=1))
    assert (compared.change, compared.state) == (None, EventState.STALE)
    assert compared.reason == "the entity was deleted before"
    assert compared.entity_state == (state(deleted=True, created_seen=True, a=1) if action == "created" else None)


def test_an_update_a_second_younger_than_the_deletion_revives() -> None:
    compared = compare(event(), reading(version=101 + GRACE, status="lost"), state(deleted=True, status="lost"))
    assert compared.change is not None
    assert compared.change.previous == {"status": "lost"}
    assert compared.entity_state is not None
    assert not compared.entity_state.deleted


def test_a_creation_a_second_younger_than_the_deletion_begins_anew() -> None:
    last = state(deleted=True, created_seen=True, status="lost")
    compared = compare(event(), reading("created", 101 + GRACE, status="ongoing"), last)
    assert compared.change is not None
    assert compared.change.first_sight
    assert compared.entity_state is not None
    assert not compared.entity_state.deleted


def test_the_dated_paths_of_a_reading_reach_the_change() -> None:
    dated = Reading("updated", {}, {}, 1, frozenset({"status"}))
    compared = compare(event(), dated, None)
    assert compared.change is not None
    assert compared.change.is_dated("status")
    assert not compared.change.is_dated("name")


ACTIONS = st.sampled_from(["created", "updated", "deleted"])
SENT = st.lists(st.tuples(ACTIONS, st.integers(0, 5), documents()), max_size=8)


@given(SENT)
def test_a_last_state_only_moves_forward(sent: list[tuple[Action, int, JsonObject]]) -> None:
    last: EntityState | None = None
    for number, (action, version, document) in enumerate(sent):
        arrived = Reading(action, document, document, version * GRACE)
        compared = compare(event(number), arrived, last)
        if last is not None and compared.entity_state is not None:
            assert compared.entity_state.version >= last.version
            assert compared.entity_state.created_seen or not last.created_seen or last.deleted
        if compared.change is None:
            assert compared.reason
            assert compared.state in {EventState.STALE, EventState.DUPLICATE}
        last = compared.entity_state or last


@given(SENT)
def test_what_was_applied_last_is_a_duplicate_at_once(sent: list[tuple[Action, int, JsonObject]]) -> None:
    last: EntityState | None = None
    for number, (action, version, document) in enumerate(sent):
        arrived = Reading(action, document, document, version * GRACE)
        compared = compare(event(number), arrived, last)
        last = compared.entity_state or last
        if compared.change is not None:
            again = compare(event(99), arrived, last)
            assert (again.change, again.entity_state) == (None, None)


def found(number: int = 1) -> Event:
    """Return an event that the API told of."""
    return replace(event(number), dedup_key=found_key(Origin.REPAIRED, f"key-{number}"))


def test_a_state_that_the_api_told_is_noted_as_such_until_a_webhook_tells_more() -> None:
    compared = compare(found(), reading(version=200, status="lost"), state(status="ongoing"))
    assert compared.change is not None
    assert compared.entity_state is not None
    assert compared.entity_state.found
    compared = compare(event(2), reading(version=300, status="won"), compared.entity_state)
    assert compared.entity_state is not None
    assert not compared.entity_state.found


@pytest.mark.parametrize("action", ["created", "updated"])
def test_a_late_webhook_of_an_edit_that_was_found_is_no_news_but_completes_the_state(action: Action) -> None:
    last = replace(state(version=200, status="lost"), found=True)
    compared = compare(event(), reading(action, version=200, status="lost", stage="Fechamento"), last)
    assert (compared.change, compared.state) == (None, EventState.DUPLICATE)
    assert compared.reason == "the same change was found by the API before"
    assert compared.entity_state == replace(
        last, document={"status": "lost", "stage": "Fechamento"}, found=False, created_seen=action == "created"
    )
    again = compare(event(), reading("updated", version=200, status="lost", stage="Fechamento"), compared.entity_state)
    assert again.state is EventState.DUPLICATE


def test_two_edits_of_one_version_by_webhooks_are_two_changes() -> None:
    compared = compare(event(), reading(version=200, status="lost"), state(version=200, status="ongoing"))
    assert compared.change is not None
