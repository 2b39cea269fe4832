from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

import bridge.rdstation
from bridge.document import lookup
from bridge.model import Change
from bridge.rdstation import EVENTS, TRIGGERS, sample, samples, story
from bridge.rdstation.samples import _official
from bridge.routing.matcher import compile_match
from tests.support.changes import change_of

OFFICIAL = Path(bridge.rdstation.__file__).parent / "official"
NOW = datetime(2026, 11, 24, 12, 0, 5, 678900, UTC)


@pytest.fixture(autouse=True)
def _nothing_read() -> None:
    """What a test before has read is remembered, and would not be read by these."""
    _official.cache_clear()


def official(name: str) -> dict[str, Any]:
    return orjson.loads((OFFICIAL / f"{name}.json").read_bytes())  # type: ignore[no-any-return] # payloads are objects


def sent(name: str) -> dict[str, Any]:
    return sample(name, NOW)


def test_there_is_a_sample_of_every_event_and_of_every_trigger() -> None:
    assert samples(NOW).keys() == EVENTS.keys()
    for name, trigger in TRIGGERS.items():
        assert sent(name)["event_name"] in trigger.events


def test_there_is_no_sample_of_anything_else() -> None:
    with pytest.raises(KeyError):
        sample("deal.updated", NOW)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_the_sample_of_an_event_is_the_documented_one_sent_now(name: str) -> None:
    found = sent(name)
    assert found.keys() == {"event_name", "document", "event_timestamp", "transaction_uuid"}
    assert found["event_timestamp"] == "2026-11-24T12:00:05.000Z"
    assert str(UUID(found["transaction_uuid"])) == found["transaction_uuid"]
    if name != "crm_task_deleted":
        times = {"updated_at", "created_at"} if name.endswith("created") else {"updated_at"}
        documented = official(name)["document"]
        assert list(found["document"]) == list(documented)
        undated = dict.fromkeys(times & documented.keys())
        assert found["document"] | undated == documented | undated
        for time in times & documented.keys():
            assert found["document"][time] == "2026-11-24T09:00:05.678-03:00"


def test_a_deleted_task_is_told_by_id_and_name() -> None:
    assert sent("crm_task_deleted")["document"] == {"id": "66900a9d9f0fe20020d59b69", "name": "Entrar em contato"}


def test_every_sample_has_a_uuid_of_its_own() -> None:
    assert sent("crm_deal_updated")["transaction_uuid"] != sent("crm_deal_updated")["transaction_uuid"]


def test_a_changed_sample_leaves_the_next_one_as_it_was() -> None:
    sent("crm_deal_created")["document"]["user"]["name"] = "changed"
    assert sent("crm_deal_created")["document"]["user"]["name"] == "Hian Almada"
    sent("deal.lost")["document"]["user"]["name"] = "changed"
    assert sent("deal.lost")["document"]["user"]["name"] != "changed"


def test_a_lost_deal_says_when_and_why() -> None:
    document = sent("deal.lost")["document"]
    assert (document["status"], document["closed_at"]) == ("lost", document["updated_at"])
    assert document["deal_lost_reason"]["name"]
    assert document["amount_total"] > 0
    assert document["amount_total"] == document["amount_unique"] + document["amount_monthly"]


def test_a_trigger_is_shown_on_a_new_entity_each_time() -> None:
    assert sent("deal.lost")["document"]["id"] != sent("deal.lost")["document"]["id"]


def last_change(name: str) -> Change:
    return change_of(story(name, NOW))


@pytest.mark.parametrize("name", sorted(TRIGGERS))
def test_after_its_story_a_trigger_fires(name: str) -> None:
    trigger, change = TRIGGERS[name], last_change(name)
    matcher = compile_match(trigger.match, lambda *_: None, lambda _: None)
    assert change.event.name in trigger.events
    assert matcher.test(change)


@pytest.mark.parametrize("name", sorted(TRIGGERS))
def test_before_the_last_webhook_of_its_story_a_trigger_has_not_fired(name: str) -> None:
    trigger, before = TRIGGERS[name], story(name, NOW)[:-1]
    if before:
        change = change_of(before)
        matcher = compile_match(trigger.match, lambda *_: None, lambda _: None)
        assert change.event.name not in trigger.events or not matcher.test(change)


@pytest.mark.parametrize("name", ["deal.won", "deal.lost", "task.completed", "deal.created", "contact.updated"])
def test_these_triggers_fire_on_their_sample_alone(name: str) -> None:
    change = change_of([sent(name)])
    assert change.first_sight
    assert compile_match(TRIGGERS[name].match, lambda *_: None, lambda _: None).test(change)


def test_a_deletion_is_told_of_an_entity_that_was_known() -> None:
    change = last_change("deal.deleted")
    assert change.document.keys() == {"id", "name"}
    assert lookup(change.current, "amount_total") == 11050.5


def test_a_story_ends_now() -> None:
    first, last = story("deal.stage_changed", NOW)
    assert last["event_timestamp"] == "2026-11-24T12:00:05.000Z"
    assert str(first["event_timestamp"]) < str(last["event_timestamp"])
    assert story("crm_deal_updated", NOW + timedelta(days=1))[0]["event_timestamp"] == "2026-11-25T12:00:05.000Z"


@pytest.mark.parametrize("name", sorted(TRIGGERS))
def test_a_story_agrees_on_when_its_entity_was_created(name: str) -> None:
    told = {body["document"].get("created_at") for body in story(name, NOW)}  # type: ignore[union-attr]  # an object
    assert len(told - {None}) == 1
