"""The team lives by itself, the same life for the same seed; what it tells has the shape of the official samples."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import orjson
import pytest

from bridge.model import Entity, Json, JsonObject
from bridge.rdstation import EVENTS, samples
from bridge.rdstation.timestamps import instant
from bridge.rdstation.webhook import parse
from bridge.simulator import Simulator
from bridge.simulator.entities import CLOSED
from bridge.simulator.team import Happening
from bridge.sources.rdstation_crm import RdStationCrm
from tests.support.crm import START, simulated
from tests.support.deals import SAMPLES

STEPS = 6600
SEED = 2
"""A life in which so many steps bring all 24 events about."""


def lived(crm: Simulator, steps: int) -> list[Happening]:
    """Return what happens in so many steps of a life, ten seconds each."""
    happened: list[Happening] = []
    crm.team.heard_by = happened.append
    for number in range(1, steps + 1):
        crm.clock.move_to(START + timedelta(seconds=10) * number)
        crm._life.step()
    return happened


@pytest.fixture(scope="module")
def crm() -> Simulator:
    return simulated(seed=SEED, deals=40)


@pytest.fixture(scope="module")
def happened(crm: Simulator) -> list[Happening]:
    return lived(crm, STEPS)


def test_every_event_of_the_crm_happens(happened: list[Happening]) -> None:
    assert {each.name for each in happened} == set(EVENTS)


def test_the_same_seed_tells_the_same_life_and_another_one_another() -> None:
    first, second, other = (lived(simulated(seed=seed), 60) for seed in (1, 1, 3))
    assert [(each.name, each.document) for each in first] == [(each.name, each.document) for each in second]
    assert [each.document for each in first] != [each.document for each in other]


async def test_requests_do_not_change_the_life() -> None:
    """Chance of its own decides of errors and ids of webhooks."""
    told = []
    for asks in (False, True):
        async with simulated(errors=0.5, duplicates=0.5) as crm:
            if asks:
                crm.register_all("http://127.0.0.1:1/")
            await crm.advance(timedelta(minutes=5))
            told.append([(closing.deal_id, closing.status) for closing in crm.truth().closings] + [*crm.team.deals])
    assert told[0] == told[1]


def test_deals_come_and_go_and_about_as_many_stay_open(crm: Simulator, happened: list[Happening]) -> None:
    assert happened
    counted = Counter(deal.status for deal in crm.team.deals.values())
    assert 25 <= counted["ongoing"] + counted["paused"] <= 60
    assert counted["won"] > 100
    assert counted["lost"] > 100


def test_a_deal_is_dated_by_its_status_and_has_a_reason_if_it_is_lost(happened: list[Happening]) -> None:
    deals = [each.document for each in happened if each.name in {"crm_deal_created", "crm_deal_updated"}]
    for deal in deals:
        assert (deal["closed_at"] is not None) == (deal["status"] in CLOSED)
        assert (deal["deal_lost_reason"] != {}) == (deal["status"] == "lost")
        assert deal["amount_total"] == pytest.approx(_number(deal["amount_unique"]) + _number(deal["amount_monthly"]))
    assert {deal["status"] for deal in deals} == {"ongoing", "won", "lost", "paused"}


def test_deals_are_edited_after_they_are_closed_and_reopened(happened: list[Happening]) -> None:
    before: dict[str, Any] = {}
    edited = reopened = 0
    for each in happened:
        status, closed = each.document.get("status"), each.document.get("closed_at")
        last = before.get(each.record.id, (None, None))
        edited += last == (status, closed) and status in CLOSED
        reopened += last[0] in CLOSED and status == "ongoing"
        before[each.record.id] = (status, closed)
    assert edited > 10
    assert reopened > 10


def test_versions_of_an_entity_never_share_a_time_nor_go_back(happened: list[Happening]) -> None:
    last: dict[str, Json] = {}
    for each in happened:
        updated = each.document.get("updated_at")
        if isinstance(updated, str):
            assert updated > str(last.get(each.record.id, ""))
            last[each.record.id] = updated


def test_nothing_points_at_what_is_gone_but_closed_deals_at_their_lists(crm: Simulator) -> None:
    team = crm.team
    for task in team.tasks.values():
        assert team.deals[task.deal.id] is task.deal
    for contact in team.contacts.values():
        assert contact.organization is None or contact.organization.id in team.organizations
        assert contact.organization is None or contact in contact.organization.contacts
    for deal in team.deals.values():
        assert all(contact.id in team.contacts for contact in deal.contacts)
        assert deal.organization is None or deal.organization.id in team.organizations
        assert deal.stays[-1][0] is deal.stage


# shapes


def test_the_fields_of_each_event_are_those_of_its_sample_in_their_order(happened: list[Happening]) -> None:
    for name, sample in official().items():
        for each in happened:
            if each.name == name:
                assert list(each.document) == list(sample["document"]), name


def test_each_value_has_the_type_that_its_sample_has(happened: list[Happening]) -> None:
    for name, sample in official().items():
        wanted = types(sample["document"])
        for each in happened:
            if each.name == name:
                for path, found in types(each.document).items():
                    if path in wanted:
                        assert found <= wanted[path] | ALLOWED.get(path, set()), f"{name} {path}"


def test_the_types_are_compared_field_by_field() -> None:
    assert types({"a": [{"b": 1.5}, {"b": None}], "c": {}}) == {"a.b": {"float", "null"}, "c": {"{}"}, "a": {"list"}}


def test_a_deletion_tells_only_id_and_name(happened: list[Happening]) -> None:
    deleted = [each.document for each in happened if each.name.endswith("_deleted")]
    assert {tuple(document) for document in deleted} == {("id", "name")}


def test_everything_can_be_read_as_an_event_of_the_crm(happened: list[Happening]) -> None:
    source = RdStationCrm("crm", RdStationCrm.Options())
    for each in happened[:500]:
        body = orjson.dumps({"event_name": each.name, "document": each.document, "transaction_uuid": "1"})
        assert parse(body).document == each.document
        assert source.read(body).entity == Entity(each.record.kind, each.record.id)


def test_ids_begin_with_their_time_and_no_two_are_alike(crm: Simulator) -> None:
    records = list(crm.team.records())
    assert len({record.id for record in records}) == len(records)
    for record in records:
        assert int(record.id[:8], 16) == int(record.created_at.timestamp())


ALLOWED: Mapping[str, set[str]] = {
    # what the samples happen to leave empty, and the page says the type of
    "prediction_date": {"str"},
    "closed_at": {"str"},
    "deal_source": {"{...}"},
    "campaign": {"{...}"},
    "deal_lost_reason": {"{...}"},
    "deal_custom_fields.value": {"str", "list"},
    "description": {"str", "null"},
    "completed_at": {"str", "null"},
    "completed_by_id": {"str", "null"},
    "birthday": {"str"},
    "address.line": {"str"},
    "organization_id": {"null"},
    "custom_fields": {"{}", "{...}"},
}


def official() -> dict[str, Any]:
    """Return the official samples, and of the deletion of a task the one that bridge makes."""
    read = {path.stem: orjson.loads(path.read_bytes()) for path in SAMPLES.glob("*.json")}
    return {**samples(START), **read}


def types(document: JsonObject) -> dict[str, set[str]]:
    """Return the types that stand at each path; what account-specific custom fields hold is nobody's business."""
    found: dict[str, set[str]] = {}
    for path, value in _walked("", document):
        found.setdefault(path, set()).add(_type(value))
    return found


def _walked(path: str, value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict) and path != "custom_fields":
        for name, inner in value.items():
            inner_path = f"{path}.{name}" if path else name
            yield from _walked(inner_path, inner)
            if isinstance(inner, dict):
                yield inner_path, inner
    elif isinstance(value, list) and not path.endswith((".value", ".opts")):
        yield path, value
        for item in value:
            yield from _walked(path, item)
    elif not isinstance(value, dict):
        yield path, value


def _type(value: Json) -> str:
    if isinstance(value, dict):
        return "{...}" if value else "{}"
    return "null" if value is None else type(value).__name__


def _number(value: Json) -> float:
    assert isinstance(value, float)
    return value


def test_times_are_written_as_the_samples_write_them(happened: list[Happening]) -> None:
    for each in happened[:200]:
        for field in ("created_at", "updated_at", "closed_at", "due_date", "completed_at"):
            value = each.document.get(field)
            if value is not None:
                assert isinstance(value, str)
                assert instant(value)
                assert value[10] == "T"
                assert value[-10:-9] == "."
                assert value.endswith("-03:00")
