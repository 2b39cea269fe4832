import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridge.rdstation
from bridge.component.discovery import source_types
from bridge.document import lookup
from bridge.errors import UnreadableWebhookError
from bridge.model import Entity, EntityState, EventState
from bridge.rdstation import EVENTS, KINDS, SHAPES
from bridge.rdstation.timestamps import microseconds
from bridge.routing.change import compare
from bridge.routing.matcher import compile_match
from bridge.sources.rdstation_crm import RdStationCrm
from tests.routing.building import json_values
from tests.support.changes import NOW, crm, event_of, webhook

OFFICIAL = sorted((Path(bridge.rdstation.__file__).parent / "official").glob("*.json"))
PAYLOADS = Path(__file__).parents[1] / "payloads" / "rdstation"


def load(path: Path) -> dict[str, Any]:
    return orjson.loads(path.read_bytes())  # type: ignore[no-any-return] # payloads are objects


def test_it_is_the_type_rdstation_crm() -> None:
    assert source_types()["rdstation_crm"] is RdStationCrm


@pytest.mark.parametrize("path", OFFICIAL, ids=lambda path: path.stem)
def test_every_documented_payload_passes_through_unharmed(path: Path) -> None:
    sent = load(path)
    event = event_of(crm(), sent)
    reading = crm().interpret(event, None)
    kind = EVENTS[sent["event_name"]]
    assert event.name == path.stem
    assert event.entity == Entity(kind, sent["document"]["id"])
    assert reading.document == sent["document"]
    assert reading.action == path.stem.rpartition("_")[2]
    assert reading.current.keys() == SHAPES[kind].keys()
    for field, value in sent["document"].items():
        if value != {}:
            assert reading.current[field] == value


def envelope_key(**changes: Any) -> str:
    return event_of(crm(), {**webhook("deal"), **changes}).dedup_key


def test_events_that_share_a_uuid_are_told_apart_by_name_and_document() -> None:
    assert envelope_key() == envelope_key()
    assert envelope_key() != envelope_key(event_name="crm_deal_created")
    assert envelope_key() != envelope_key(document={"id": "other"})
    assert envelope_key() != envelope_key(transaction_uuid="other")


def test_no_two_webhooks_share_a_key_by_where_a_slash_stands() -> None:
    keys = [
        envelope_key(document={"id": id_}, transaction_uuid=uuid)
        for id_, uuid in [("a/b", "c"), ("a", "b/c"), ("a%2Fb", "c"), ("a", "b%2Fc"), ("a", "b")]
    ]
    assert len(set(keys)) == len(keys)


def test_no_uuid_can_stand_for_a_body() -> None:
    digest = envelope_key(transaction_uuid=None).rpartition("/")[2]
    for uuid in (digest, digest.removeprefix("body:"), digest.replace(":", "%3A")):
        assert envelope_key(transaction_uuid=uuid) != envelope_key(transaction_uuid=None)


def test_the_key_of_an_ordinary_webhook_reads_as_what_it_is_made_of() -> None:
    assert envelope_key(document={"id": "65f1"}, transaction_uuid="3f-a") == "crm_deal_updated/65f1/3f-a"


def test_without_a_uuid_the_body_itself_tells_events_apart() -> None:
    assert envelope_key(transaction_uuid=None) == envelope_key(transaction_uuid=None)
    assert envelope_key(transaction_uuid=None) != envelope_key(transaction_uuid=None, event_timestamp=None)


@pytest.mark.parametrize(
    ("sent", "read"), [("2026-11-24T11:59:00.000Z", datetime(2026, 11, 24, 11, 59, tzinfo=UTC)), ("?", None)]
)
def test_the_envelope_tells_when_it_happened(sent: str, read: datetime | None) -> None:
    assert crm().read(orjson.dumps(webhook("deal") | {"event_timestamp": sent})).occurred_at == read


def version(**changes: Any) -> int:
    body = {**webhook("deal"), **changes}
    return crm().interpret(event_of(crm(), body), None).version


def test_documents_are_ordered_by_their_own_time() -> None:
    updated = datetime(2026, 11, 24, 11, 59, tzinfo=UTC)
    assert version() == microseconds(updated)


def test_without_one_the_end_of_the_announced_second_counts() -> None:
    announced = datetime(2026, 11, 24, 11, 59, 0, 999_999, UTC)
    for document in ({"id": "1"}, {"id": "1", "updated_at": None}, {"id": "1", "updated_at": "yesterday"}):
        assert version(document=document) == microseconds(announced)


def test_without_any_time_the_arrival_counts() -> None:
    assert version(document={"id": "1"}, event_timestamp=None) == microseconds(NOW)


def dated(kind: str, action: str = "updated", **document: Any) -> frozenset[str] | None:
    return crm().interpret(event_of(crm(), webhook(kind, action, **document)), None).dated


@pytest.mark.parametrize(("minutes", "fresh"), [(0, True), (10, True), (-10, True), (11, False), (-11, False)])
@pytest.mark.parametrize(("kind", "field"), [("deal", "closed_at"), ("task", "completed_at")])
def test_a_closing_within_ten_minutes_of_the_edit_dates_the_status(
    kind: str, field: str, minutes: int, *, fresh: bool
) -> None:
    at = datetime(2026, 11, 24, 11, 59, tzinfo=UTC) + timedelta(minutes=minutes)
    assert dated(kind, **{field: at.isoformat()}) == (frozenset({"status"}) if fresh else frozenset())


def test_nothing_else_dates_anything_but_a_creation_dates_all() -> None:
    at = "2026-11-24T11:59:00Z"
    assert dated("deal", closed_at=None) == frozenset()
    assert dated("deal", "deleted", closed_at=at) == frozenset()
    assert dated("contact", closed_at=at) == frozenset()
    assert dated("deal", "created") is None


def test_only_deals_have_a_page() -> None:
    assert crm().page(Entity("deal", "65")) == "https://crm.rdstation.com/app/deals/65"
    assert [kind for kind in KINDS if crm().page(Entity(kind, "1"))] == ["deal"]


def test_samples_are_those_of_the_crm() -> None:
    assert crm().sample("deal.lost", NOW)["event_name"] == "crm_deal_updated"
    assert crm().samples(NOW).keys() == EVENTS.keys()
    assert len(crm().story("deal.reopened", NOW)) == 2


def test_a_body_that_cannot_be_read_cannot_be_interpreted_either() -> None:
    with pytest.raises(UnreadableWebhookError):
        crm().interpret(replace(event_of(crm(), webhook("deal")), body=b"[]"), None)


def life(names: list[str]) -> Iterator[tuple[EventState | None, dict[str, Any]]]:
    """Yield what each payload of one deal comes to, and what changed by it."""
    last: EntityState | None = None
    for number, name in enumerate(names, 1):
        event = event_of(crm(), load(PAYLOADS / f"{name}.json"), number)
        reading = crm().interpret(event, last.document if last else None)
        compared = compare(event, reading, last, crm().quiet)
        last = compared.entity_state or last
        yield (compared.state, {}) if compared.change is None else (None, dict(compared.change.differences))


def test_a_life_of_a_deal_is_told_by_what_changed() -> None:
    names = ["ongoing", "lost", "lost_again_uuid", "ongoing", "edited_after_loss", "reopened"]
    first, lost, again, late, edited, reopened = life([f"crm_deal_updated__{name}" for name in names])
    reason = {"id": "67e6950e6555a5001984c936", "name": "Preço acima do orçamento"}
    assert first == (None, {})
    assert lost == (
        None,
        {
            "status": ("ongoing", "lost"),
            "closed_at": (None, "2026-11-23T10:05:00.250-03:00"),
            "deal_lost_reason.id": (None, reason["id"]),
            "deal_lost_reason.name": (None, reason["name"]),
        },
    )
    assert again == (EventState.DUPLICATE, {})
    assert late == (EventState.STALE, {})
    assert edited == (None, {"rating": (4, 2)})
    assert reopened[1]["status"] == ("lost", "ongoing")


def test_a_deletion_in_the_second_of_the_last_edit_counts() -> None:
    *_, deleted = life(["crm_deal_updated__lost", "crm_deal_deleted__same_second"])
    assert deleted == (None, {})


def test_the_documented_creation_and_update_share_uuid_and_time_and_are_two_changes() -> None:
    created, updated = (load(path) for path in OFFICIAL if path.stem in {"crm_deal_created", "crm_deal_updated"})
    assert created["transaction_uuid"] == updated["transaction_uuid"]
    for order in ([created, updated], [updated, created]):
        last: EntityState | None = None
        for body in order:
            event = event_of(crm(), body)
            compared = compare(event, crm().interpret(event, last.document if last else None), last, crm().quiet)
            assert compared.change is not None
            last = compared.entity_state
        assert last is not None
        assert (last.document["name"], last.created_seen) == ("Teste Negociação", True)


def test_in_whatever_order_they_come_the_newest_document_stays() -> None:
    names = ["ongoing", "lost", "lost_again_uuid", "edited_after_loss", "reopened"]
    bodies = [load(PAYLOADS / f"crm_deal_updated__{name}.json") for name in names]
    for seed in range(20):
        shuffled = random.Random(seed).sample(bodies, k=len(bodies))  # noqa: S311 (an order, not a secret)
        last: EntityState | None = None
        for body in shuffled:
            event = event_of(crm(), body)
            reading = crm().interpret(event, last.document if last else None)
            last = compare(event, reading, last, crm().quiet).entity_state or last
        assert last is not None
        assert last.document["updated_at"] == "2026-11-23T12:00:00.000-03:00"
        assert last.document["status"] == "ongoing"


MATCHERS = [compile_match(trigger.match, lambda *_: None, lambda _: None) for trigger in crm().triggers.values()]
BODIES = [load(path) for path in (*OFFICIAL, *PAYLOADS.glob("crm_*.json"))]


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


@given(st.data())
def test_a_payload_with_anything_anywhere_goes_all_the_way_or_is_refused(data: st.DataObject) -> None:
    body: Any = deepcopy(data.draw(st.sampled_from(BODIES)))
    before = deepcopy(body)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(places(body)[1:]))
        parent = body
        for key in place[:-1]:
            parent = parent[key]
        parent[place[-1]] = data.draw(
            json_values() | st.text() | st.sampled_from(["9999-12-31T23:59:59Z", "0001-01-01"])
        )
    last: EntityState | None = None
    for sent in (before, body, before):
        try:
            event = event_of(crm(), sent)
        except UnreadableWebhookError:
            continue
        compared = compare(event, crm().interpret(event, last.document if last else None), last, crm().quiet)
        if compared.change is not None:
            for matcher in MATCHERS:
                assert matcher.test(compared.change) is matcher.explain(compared.change).matched
            lookup(compared.change.current, "custom.Unidade")
        last = compared.entity_state or last


def test_a_time_long_after_arrival_makes_no_later_document_stale() -> None:
    assert version(document={"id": "1", "updated_at": "2199-12-31T23:59:59Z"}, event_timestamp=None) == microseconds(
        NOW
    )
    far = {"document": {"id": "1"}, "event_timestamp": "2199-12-31T23:59:59Z"}
    assert version(**far) == microseconds(NOW)
    ahead = NOW + timedelta(hours=23)  # a clock may be wrong by a time zone
    assert version(document={"id": "1", "updated_at": ahead.isoformat()}) == microseconds(ahead)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_times_at_the_ends_of_the_calendar_are_none(time: str) -> None:
    event = event_of(crm(), {**webhook("deal", updated_at=time), "event_timestamp": time})
    assert event.occurred_at is None
    assert crm().interpret(event, None).version == microseconds(NOW)
