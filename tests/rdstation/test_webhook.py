import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import bridge.rdstation
from bridge.errors import UnreadableWebhookError
from bridge.rdstation import EVENTS
from bridge.rdstation.webhook import MAX_DEPTH, Webhook, parse
from tests.routing.building import json_values

PAYLOADS = Path(__file__).parents[1] / "payloads" / "rdstation"
SAMPLE: dict[str, Any] = orjson.loads(
    (Path(bridge.rdstation.__file__).parent / "official" / "crm_deal_updated.json").read_bytes()
)


def body(**changes: Any) -> bytes:
    return orjson.dumps({**SAMPLE, **changes})


def reason(sent: bytes) -> str:
    with pytest.raises(UnreadableWebhookError) as refused:
        parse(sent)
    return str(refused.value)


def test_a_webhook_is_read_into_what_it_is_about() -> None:
    webhook = parse(body())
    assert (webhook.name, webhook.kind, webhook.action) == ("crm_deal_updated", "deal", "updated")
    assert webhook.id == "650878567482d9c0c7002050a475"
    assert webhook.uuid == "f111b90-ec81-4353-8d52-ffd3b8df412d"
    assert webhook.timestamp == "2023-09-18T18:04:34.000Z"
    assert webhook.document == SAMPLE["document"]


@pytest.mark.parametrize("uuid", [None, "", 5, [], "x" * 201])
def test_a_uuid_that_is_none_is_left_out(uuid: Any) -> None:
    assert parse(body(transaction_uuid=uuid)).uuid is None


def test_a_number_is_taken_for_the_id_that_it_is() -> None:
    assert parse(body(document={"id": 12345})).id == "12345"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "the body is empty"),
        (b" \r\n", "the body is empty"),
        (b"ping", "the body is no JSON"),
        (b"\xff\xfe", "the body is no JSON"),
        (b'{"event_name": NaN}', "the body is no JSON"),
        (b'{"event_name": 1e999}', "the body is no JSON"),
        (b'{"event_name": "\\ud800"}', "the body is no JSON"),
        (b'{"event_name": "a"', "the body is no JSON"),
        (b"[" * 5000 + b"]" * 5000, "the body is no JSON"),
        (b"[]", "the body is JSON, but no object"),
        (b'"text"', "the body is JSON, but no object"),
        (b"null", "the body is JSON, but no object"),
        (b"{}", 'no "event_name"'),
        (body(event_name=None), 'no "event_name"'),
        (body(event_name=5), 'no "event_name"'),
        (body(event_name=""), 'no "event_name"'),
        (body(event_name="crm_foo_created"), 'the event "crm_foo_created" is none that this version of bridge knows'),
        (body(event_name="x" * 500), f'the event "{"x" * 80}…" is none'),
        (body(document=None), 'the event crm_deal_updated has no object under "document"'),
        (body(document=[]), 'no object under "document"'),
        (body(document={}), 'the document of crm_deal_updated has no "id"'),
        (body(document={"id": None}), 'no "id"'),
        (body(document={"id": True}), 'no "id"'),
        (body(document={"id": " "}), 'no "id"'),
        (body(document={"id": {"$oid": "1"}}), 'no "id"'),
        (body(document={"id": "x" * 201}), 'the "id" of crm_deal_updated is longer than 200 characters'),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(sent: bytes, words: str) -> None:
    assert words in reason(sent)


@pytest.mark.parametrize("name", ["marketing__converted", "marketing__leads"])
def test_a_webhook_of_rd_station_marketing_is_named_with_what_to_do(name: str) -> None:
    told = reason((PAYLOADS / f"{name}.json").read_bytes())
    assert "RD Station Marketing, which is another product" in told
    assert "register it in RD Station CRM" in told
    assert ("WEBHOOK.CONVERTED" in told) is (name == "marketing__converted")


def nested(levels: int, *, lists: bool) -> bytes:
    inside = b"[" * levels + b"]" * levels if lists else b'{"a":' * levels + b"1" + b"}" * levels
    return b'{"event_name":"crm_deal_updated","document":{"id":"1","deep":' + inside + b"}}"


@pytest.mark.parametrize("lists", [True, False])
def test_deep_nesting_is_refused_and_what_is_deep_enough_is_not(*, lists: bool) -> None:
    assert parse(nested(MAX_DEPTH - 2, lists=lists)).id == "1"
    for levels in (MAX_DEPTH - 1, MAX_DEPTH, 900):
        assert reason(nested(levels, lists=lists)) == f"the body is nested deeper than {MAX_DEPTH} levels"


def test_a_wide_body_is_not_a_deep_one() -> None:
    wide = {
        "id": "1",
        "deal_custom_fields": [{"value": 1, "custom_field": {"label": f"Campo {n}"}} for n in range(300)],
    }
    assert parse(body(document=wide)).document == wide


def test_a_key_of_the_envelope_may_stand_in_the_document() -> None:
    document = {"id": "1", "custom_fields": {"document": "RG", "event_name": "Feira"}, "name": '"document"'}
    assert parse(body(document=document)).document == document


ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "event_name": st.sampled_from(sorted(EVENTS)) | json_values(),
        "document": st.fixed_dictionaries({"id": st.text() | json_values()}) | json_values(),
        "transaction_uuid": st.text() | json_values(),
        "event_timestamp": st.text() | json_values(),
        "event_type": json_values(),
        "leads": json_values(),
    },
)


def accepted(sent: bytes) -> Webhook | None:
    try:
        return parse(sent)
    except UnreadableWebhookError:
        return None


@given(st.binary(max_size=64))
@example(b'{"event_name":"crm_deal_updated","document":{"id":"1"}}')
def test_no_bytes_can_break_the_reader(sent: bytes) -> None:
    accepted(sent)


@given(ENVELOPES | json_values())
def test_no_json_can_break_the_reader(envelope: Any) -> None:
    accepted(json.dumps(envelope).encode("utf-8", "surrogatepass"))
    webhook = accepted(json.dumps(envelope, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if webhook is not None:
        assert webhook.id.strip()
        assert webhook.kind == EVENTS[webhook.name]


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


@given(st.sampled_from(places(SAMPLE)[1:]), json_values())
def test_a_payload_with_anything_anywhere_is_read_or_refused(place: tuple[str | int, ...], value: Any) -> None:
    mutated: Any = deepcopy(SAMPLE)
    parent = mutated
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    accepted(orjson.dumps(mutated))
