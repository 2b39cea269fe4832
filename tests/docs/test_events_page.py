"""The page of events says what comes in: its tables are held against the catalog, the shapes and the triggers."""

import asyncio
import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from bridge.component import AnySource
from bridge.delivery.dispatcher import Dispatcher
from bridge.document import lookup, slug
from bridge.errors import UnreadableWebhookError
from bridge.ingest import handlers
from bridge.ingest.handlers import Ingest
from bridge.ingest.secretbook import SecretBook
from bridge.model import (
    Delivery,
    DeliveryState,
    Entity,
    EntityState,
    Event,
    EventState,
    Json,
    JsonObject,
    Origin,
    RoutedEvent,
    found_key,
)
from bridge.options import read_yaml
from bridge.rdstation import EVENTS, KINDS, QUIET, REFERENCES, SHAPES, TRIGGERS, normalise, samples, story
from bridge.rdstation.labels import LABELS
from bridge.rdstation.timestamps import instant, microseconds
from bridge.rdstation.webhook import MAX_DEPTH, MAX_ID
from bridge.routing.change import Comparison, compare
from bridge.routing.router import Router
from bridge.sources._bridge import OWN as OWN_SOURCE
from bridge.sources._bridge import Bridge
from bridge.sources.rdstation_crm import RdStationCrm, RdStationCrmOptions
from bridge.store.base import Store
from bridge.store.sqlite import events, open_store
from tests.docs.pages import ROOT, blocks, code, codes, rows
from tests.support.changes import NOW, crm, event_of, webhook
from tests.support.clock import ManualClock

PAGE = ROOT / "docs/reference/events.md"
PAYLOADS = ROOT / "tests/payloads/rdstation"
ENVELOPE = "What a webhook holds"
SHOWN: JsonObject = json.loads(next(block.text for block in blocks(PAGE) if block.language == "json"))
"""The webhook that the page shows."""


def plain(text: str) -> str:
    """Return the text of the page as one line."""
    return " ".join(text.split())


TEXT = plain(PAGE.read_text("utf-8"))


# The webhook


def test_the_webhook_on_the_page_is_read_with_the_dedup_key_that_the_page_tells() -> None:
    envelope = crm().read(orjson.dumps(SHOWN))
    assert envelope.name == SHOWN["event_name"]
    assert envelope.occurred_at == instant(SHOWN["event_timestamp"])
    assert f"`{envelope.dedup_key}`" in TEXT


def test_the_page_has_every_key_of_a_webhook() -> None:
    assert [code(row[0]) for row in rows(PAGE, ENVELOPE)] == list(SHOWN)


@pytest.mark.parametrize("row", rows(PAGE, ENVELOPE), ids=lambda row: row[0])
def test_a_key_of_a_webhook_is_required_where_the_page_says_so(row: tuple[str, ...]) -> None:
    body = orjson.dumps({key: value for key, value in SHOWN.items() if key != code(row[0])})
    if row[2] == "required":
        with pytest.raises(UnreadableWebhookError):
            crm().read(body)
    else:
        assert crm().read(body).name == SHOWN["event_name"]


def test_the_bounds_of_a_webhook_are_those_of_the_page() -> None:
    assert f"an `id` of at most {MAX_ID} characters" in TEXT
    assert f"at most {MAX_DEPTH} levels deep" in TEXT
    assert f"has more than {MAX_ID} characters" in TEXT


@pytest.mark.parametrize("uuid", [None, 5, "x" * (MAX_ID + 1)])
def test_without_a_sound_uuid_a_hash_of_the_body_tells_webhooks_apart(uuid: Json) -> None:
    keys = {crm().read(orjson.dumps({**SHOWN, "transaction_uuid": uuid, "n": n})).dedup_key for n in (1, 2, 2)}
    assert len(keys) == 2


# Entities and fields


TYPES: Mapping[str, Callable[[Json], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "true or false": lambda value: isinstance(value, bool),
    "moment": lambda value: isinstance(value, str) and "T" in value and instant(value) is not None,
    "date": lambda value: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None,
    "list": lambda value: isinstance(value, list),
    "list of texts": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "list of objects": lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
    "object": lambda value: isinstance(value, dict),
    "as sent": lambda _: True,
}


def fields_of(kind: str) -> dict[str, str]:
    """Return the documented fields of a kind with their types."""
    return {path: row[1] for row in rows(PAGE, kind) for path in codes(row[0])}


def paths(shape: Json, path: str = "") -> Iterator[str]:
    """Yield every path of a shape that a value stands at; of a list that of its items too."""
    if isinstance(shape, dict) and shape:
        for key, value in shape.items():
            yield from paths(value, f"{path}.{key}".lstrip("."))
        return
    yield path
    if isinstance(shape, list) and shape:
        yield from paths(shape[0], path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_has_every_field_of_an_entity_and_no_other(kind: str) -> None:
    documented = [path for row in rows(PAGE, kind) for path in codes(row[0])]
    assert sorted(documented) == sorted(paths(SHAPES[kind]))


def documents() -> Iterator[tuple[str, JsonObject]]:
    """Yield the kind and the full shape of every entity that samples, stories and captured payloads show."""
    bodies = [json.loads(path.read_bytes()) for path in PAYLOADS.glob("crm_*.json")]
    bodies += samples(NOW).values()
    bodies += [body for trigger in TRIGGERS for body in story(trigger, NOW)]
    for body in bodies:
        kind = EVENTS[body["event_name"]]
        yield kind, normalise(kind, body["document"], None)


def found_in(document: JsonObject, path: str, type_: str) -> list[Json]:
    """Return the values at a path, but for empty ones."""
    value = lookup(document, path)
    values = value if isinstance(value, list) and not type_.startswith("list") else [value]
    return [each for each in values if each not in (None, "", [], {})]


def test_a_field_holds_the_type_that_the_page_says() -> None:
    seen = set[str]()
    for kind, document in documents():
        for path, type_ in fields_of(kind).items():
            for value in found_in(document, path, type_):
                assert TYPES[type_](value), f"{kind}.{path}: {value!r} is no {type_}"
                seen.add(type_)
    assert seen >= TYPES.keys() - {"as sent", "list"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_has_the_word_that_diff_has_for_it(kind: str) -> None:
    words = {path: word for path, word in LABELS["pt"].items() if word and "=" not in path}
    for row in rows(PAGE, kind):
        assert {words[path] for path in codes(row[0]) if path in words} == ({row[3]} - {""}), row[0]


@pytest.mark.parametrize("field", ["status", "type"])
def test_the_page_has_every_value_of_a_field_with_few(field: str) -> None:
    documented = {
        value
        for kind in ("deal", "task")
        for row in rows(PAGE, kind)
        if code(row[0]) == field
        for value in codes(row[2])
    }
    assert documented == {path.partition("=")[2] for path in LABELS["pt"] if path.startswith(f"{field}=")}


def test_the_page_has_every_way_from_one_entity_to_another() -> None:
    documented = {tuple(map(code, row)) for row in rows(PAGE, "The eight entities")}
    assert documented == {(kind, to, path) for kind, ways in REFERENCES.items() for to, path in ways.items()}


def test_only_a_deal_has_a_page() -> None:
    pages = {kind: crm().page(Entity(kind, "ID")) for kind in KINDS}
    assert [kind for kind, page in pages.items() if page] == ["deal"]
    assert f"`{pages['deal']}`" in TEXT


@pytest.mark.parametrize("row", rows(PAGE, "Both dialects of a deal"), ids=lambda row: row[0])
def test_a_field_of_the_flat_dialect_is_where_the_page_says(row: tuple[str, ...]) -> None:
    flat, path = map(code, row)
    value: Json = {"unidade": "SP"} if path == "custom" else "x"
    assert lookup(normalise("deal", {"id": "1", flat: value}, None), path) == value


def test_the_page_has_every_field_that_only_the_flat_dialect_has() -> None:
    sent = json.loads((PAYLOADS / "crm_deal_updated__v2_dialect.json").read_bytes())["document"]
    nested = json.loads((PAYLOADS / "crm_deal_updated__ongoing.json").read_bytes())["document"]
    assert {code(row[0]) for row in rows(PAGE, "Both dialects of a deal")} == sent.keys() - nested.keys()


@pytest.mark.parametrize(("sent", "custom"), rows(PAGE, "Custom fields"))
def test_custom_fields_stand_under_the_names_that_the_page_says(sent: str, custom: str) -> None:
    found = normalise("deal", {"id": "1", **json.loads(code(sent))}, None)
    assert found["custom"] == json.loads(code(custom))


def test_a_slug_is_put_under_the_label_that_is_known() -> None:
    last = normalise("deal", json.loads(code(rows(PAGE, "Custom fields")[0][0])), None)
    later = normalise("deal", {"custom_fields": {slug("Unidade"): ["Recife"]}}, last)
    assert later["custom"] == {"Unidade": ["Recife"]}


def test_the_page_has_every_field_that_never_counts_as_a_change() -> None:
    told = re.search(r"- ([^-]*) never count as a change", TEXT)
    assert told
    assert set(codes(told[1])) == QUIET


# Events and triggers


def test_the_page_has_every_kind_of_entity() -> None:
    assert [code(row[0]) for row in rows(PAGE, "The 24 events")] == list(KINDS)


def test_the_page_has_every_event_with_its_entity_and_no_other() -> None:
    documented = [(code(name), code(row[0])) for row in rows(PAGE, "The 24 events") for name in row[1:]]
    assert dict(documented) == EVENTS
    assert len(documented) == len(EVENTS) == 24


def test_the_page_has_every_trigger_and_no_other() -> None:
    documented = [code(row[0]) for row in rows(PAGE, "Triggers")]
    assert set(documented) == TRIGGERS.keys()
    assert len(documented) == len(TRIGGERS)


@pytest.mark.parametrize("row", rows(PAGE, "Triggers"), ids=lambda row: row[0])
def test_a_trigger_stands_for_what_the_page_says(row: tuple[str, ...]) -> None:
    trigger = TRIGGERS[code(row[0])]
    assert tuple(codes(row[1])) == trigger.events
    assert (read_yaml(code(row[2]).encode(), "cell").data if row[2] else {}) == trigger.match
    assert row[3] == trigger.description


# What bridge tells of itself

OWN = "Events of bridge itself"
OWN_EVENTS = [row for row in rows(PAGE, OWN) if len(row) == 3]
OWN_FIELDS = [row for row in rows(PAGE, OWN) if len(row) == 5]


def test_the_page_has_every_event_of_bridge_itself_with_what_it_is_about() -> None:
    assert {code(row[0]): code(row[1]) for row in OWN_EVENTS} == Bridge.events


def test_the_page_has_every_field_of_bridge_itself_with_its_word() -> None:
    words, kinds = Bridge.labels["pt"], Bridge.shapes.items()
    documented = {(code(row[0]), code(row[1])): row[4] for row in OWN_FIELDS}
    assert documented == {(kind, field): words[field] for kind, shape in kinds for field in shape if field != "at"}


@pytest.mark.parametrize("name", Bridge.events)
def test_a_field_of_bridge_itself_holds_the_type_that_the_page_says(name: str) -> None:
    types = {code(row[1]): row[2] for row in OWN_FIELDS if code(row[0]) == Bridge.events[name]}
    document = OWN_SOURCE.sample(name, NOW)["document"]
    assert isinstance(document, dict)
    for field, value in document.items():
        assert field == "at" or TYPES[types[field]](value), field


# What becomes of an event


def test_the_page_has_every_state_of_an_event() -> None:
    documented = [code(row[0]) for row in rows(PAGE, "States")]
    assert sorted(documented) == sorted(state.value for state in EventState)


def test_the_states_that_move_the_last_state_are_those_of_the_page() -> None:
    moving = re.search(r"Only ([^.]*) move the last state", TEXT)
    assert moving
    assert set(codes(moving[1])) == {state.value for state in events.APPLYING}


@pytest.mark.parametrize(
    ("document", "timestamp", "version"),
    [
        ({"updated_at": "2026-11-24T09:00:00.120-03:00"}, "2026-11-24T11:00:00.000Z", "2026-11-24T12:00:00.120Z"),
        ({"updated_at": "2026-11-24T12:00:00"}, None, "2026-11-24T12:00:00Z"),
        ({}, "2026-11-24T11:00:00.000Z", "2026-11-24T11:00:00.999999Z"),
        ({}, None, NOW.isoformat()),
    ],
)
def test_a_version_is_what_the_page_says(document: JsonObject, timestamp: Json, version: str) -> None:
    body = {"event_name": "crm_deal_updated", "document": {"id": "1", **document}, "event_timestamp": timestamp}
    moment = instant(version)
    assert moment is not None
    assert crm().interpret(event_of(crm(), body), None).version == microseconds(moment)


def at(minute: int, action: str = "updated", **document: Any) -> JsonObject:
    """Return a webhook of a deal at a minute; a deletion has no time of its own but that of the event."""
    moment = NOW + timedelta(minutes=minute)
    body = webhook("deal", action, **document, updated_at=moment.isoformat())
    return {**body, "event_timestamp": moment.isoformat()}


STORIES: Mapping[str, list[JsonObject]] = {
    "an update of the version of the last state, in which nothing differs": [at(0, status="lost")] * 2,
    "a webhook of the version that a repair or an import found": [{**at(0, name="A"), "origin": "repaired"}, at(0)],
    "a second creation, whatever its version": [at(0, "created"), at(5, "created", name="B")],
    "a second deletion": [at(0), at(1, "deleted"), at(2, "deleted")],
    "an update or a creation of an older version": [at(5), at(0, name="B")],
    "an update or a creation that is not more than a second newer than the deletion": [at(1, "deleted"), at(1)],
}


def outcome(bodies: list[JsonObject]) -> Comparison:
    """Return what the last of a deal's webhooks comes to."""
    last: EntityState | None = None
    comparison = Comparison()
    for number, body in enumerate(bodies):
        event = event_of(crm(), body, number)
        if "origin" in body:
            event = replace(event, dedup_key=found_key(Origin(str(body["origin"])), event.dedup_key))
        comparison = compare(event, crm().interpret(event, last.document if last else None), last, QUIET)
        last = comparison.entity_state or last
    return comparison


def test_an_event_that_is_no_change_has_the_reason_that_the_page_tells() -> None:
    documented = {row[2]: (code(row[0]), code(row[1])) for row in rows(PAGE, "Reasons")}
    outcomes = {when: outcome(bodies) for when, bodies in STORIES.items()}
    assert documented == {when: (each.state.value, each.reason) for when, each in outcomes.items()}


class Defective(RdStationCrm):
    """A source that breaks."""

    def read(self, body: bytes) -> Any:
        raise ZeroDivisionError


def received(folder: Path, body: bytes, encoding: str | None = None, source: AnySource | None = None) -> Event:
    """Return the event that ingest makes of a body."""
    nothing = cast("Store", None)
    ingest = Ingest(
        sources=dict, secrets=SecretBook(folder), store=nothing, clock=ManualClock(), on_stored=lambda: None
    )
    return ingest._event(source or crm(), body, encoding)


def changed(**fields: Json) -> bytes:
    return orjson.dumps({**SHOWN, **fields})


GZIPPED = gzip.compress(b"{}")
UNREADABLE: list[tuple[bytes, str | None]] = [
    (b" \n", None),
    (b"ping", None),
    (b"[]", None),
    (changed(document={"id": "1", "deep": orjson.Fragment(b"[" * 60 + b"]" * 60)}), None),  # type: ignore[dict-item] # JSON already
    ((PAYLOADS / "marketing__converted.json").read_bytes(), None),
    ((PAYLOADS / "marketing__leads.json").read_bytes(), None),
    (b"{}", None),
    (changed(event_name="crm_foo_created"), None),
    (changed(document=None), None),
    (changed(document={}), None),
    (changed(document={"id": "x" * (MAX_ID + 1)}), None),
    (b"x", "br"),
    (b"no gzip", "gzip"),
    (GZIPPED[:-4], "gzip"),
    (GZIPPED + b"x", "gzip"),
]


def reasons(folder: Path) -> Iterator[str | None]:
    """Yield every reason for which an event can be quarantined."""
    for body, encoding in UNREADABLE:
        event = received(folder, body, encoding)
        assert (event.state, event.name) == (EventState.QUARANTINED, handlers.UNREADABLE)
        yield event.reason
    event = event_of(crm(), SHOWN)
    yield received(folder, event.body, source=Defective("crm", RdStationCrmOptions())).reason
    yield Router({}, [], lambda *_: {}, ManualClock()).explain(event, None).reason
    without_rules = Dispatcher(cast("Store", None), lambda: cast("Any", None), lambda _: None, ManualClock())
    yield without_rules._decide(event, None).reason
    yield unstorable(folder / "data", event)


def unstorable(folder: Path, event: Event) -> str | None:
    """Return what the store makes of a decision with a number that JSON does not hold."""
    content: JsonObject = {"body": 2**70}
    delivery = Delivery("dlv_1", event.id, "a", 0, "erp", "k", DeliveryState.PENDING, content, NOW, NOW)

    async def decided() -> str | None:
        store = await open_store(folder)
        await store.add(event)
        [routed] = await store.route(1, lambda *_: [RoutedEvent(event.id, EventState.ROUTED, None, (delivery,))])
        await store.close()
        assert routed.state is EventState.QUARANTINED
        return routed.reason

    return asyncio.run(decided())


def test_the_page_has_every_reason_for_quarantine(tmp_path: Path) -> None:
    documented = [reason for row in rows(PAGE, "Quarantine") for reason in codes(row[0])]
    patterns = {reason: re.compile(".+".join(map(re.escape, reason.split("…")))) for reason in documented}
    unseen = set(documented)
    for reason in reasons(tmp_path):
        assert reason is not None
        matching = {known for known, pattern in patterns.items() if pattern.match(reason)}
        assert len(matching) == 1, reason
        unseen -= matching
    assert unseen == set()


def test_an_empty_body_is_no_event_but_whitespace_is_one(tmp_path: Path) -> None:
    assert received(tmp_path, b"\n").reason == "the body is empty"
    assert "A body without any byte is a probe" in TEXT
