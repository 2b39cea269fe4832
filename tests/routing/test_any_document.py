"""Whatever the CRM may send, rules decide it and explain what they decided: the shipped ones, and every operator."""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.config import load
from bridge.errors import UnreadableWebhookError
from bridge.model import Change, DeliveryState, Event, Json, JsonObject
from bridge.routing.matcher import compile_match
from bridge.routing.operators import PREDICATES, TRANSITIONS
from bridge.routing.route import Finding
from bridge.routing.router import Router, in_order
from tests.routing.building import change, documents, event, json_values
from tests.support.changes import NOW, crm
from tests.support.clock import ManualClock

SOURCE = crm()
ROOT = Path(__file__).parents[2]
OFFICIAL = sorted((ROOT / "bridge/rdstation/official").glob("*.json"))
TEXTS = ("", "\ud800", "\x00", "  ", "É" * 5000, "<!channel>", "{{ x }}", "2026-02-30", "2026-11-24T12:00:00Z")
ODD: st.SearchStrategy[Any] = st.sampled_from([None, [], {}, [[]], -1, 0, 10**30, 1e308, -0.0, True, *TEXTS])
VALUES = ODD | json_values() | st.text()
EVERY_OPERATOR = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  screen: {type: log}
routes:
  - name: predicates
    on: "crm_*"
    match:
      any:
        - {document.name: {eq: a, ne: b, in: [a], not_in: [b]}}
        - {document.amount_total: {gt: 1, gte: 1, lt: 9, lte: 9}}
        - {document.name: {contains: a, starts_with: a, ends_with: a, matches: "a+"}}
        - {document: {exists: true}}
    when: event.name != ''
    deliver:
      - {to: screen, text: "{{ document }}", key: "{{ event.id }}"}
  - name: transitions
    on: [deal.created, crm_deal_updated]
    match:
      any:
        - {status: changed}
        - {deal_stage.name: {from: a}}
        - {deal_stage.name: {to: b}}
        - {amount_total: increased}
        - {rating: {decreased: true}}
        - not: {deal_lost_reason.name: {exists: false}}
    deliver:
      - {to: screen, text: "{{ deal.name }} {{ previous.name }} {{ deal.amount_total }} {{ changes | diff }}"}
"""


def ways(data: Json, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value inside."""
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [way, *(found for step, item in inside for found in ways(item, (*way, step)))]


def put(body: Any, way: tuple[Any, ...], value: Any) -> None:
    """Put a value in the place of another, as far as the way still leads."""
    for step in way[:-1]:
        if not leads(body, step):
            return
        body = body[step]
    if isinstance(body, dict) or leads(body, way[-1]):
        body[way[-1]] = value


def leads(body: Any, step: Any) -> bool:
    """Tell whether something stands there: what was put in the place of a list may well be an object."""
    if isinstance(body, list):
        return isinstance(step, int) and step < len(body)
    return isinstance(body, dict) and step in body


@st.composite
def bodies(draw: st.DrawFn) -> list[JsonObject]:
    """One of the official payloads, sent three times, each time with other changes."""
    body = json.loads(draw(st.sampled_from(OFFICIAL)).read_text("utf-8"))
    places = [way for way in ways(body["document"]) if way]
    sent = []
    for number in range(3):
        changed = deepcopy(body) | {"transaction_uuid": str(number)}
        for way in draw(st.lists(st.sampled_from(places), max_size=4)):
            put(changed["document"], way, draw(VALUES))
        sent.append(changed)
    return sent


def arrival(body: JsonObject, number: int) -> Event:
    """Return the event that ingest stores, be the body readable or not."""
    raw = json.dumps(body).encode()
    try:
        read = SOURCE.read(raw)
    except UnreadableWebhookError:
        return replace(event(number, entity=None), body=raw)
    return Event(f"evt_{number}", "crm", read.name, read.entity, read.dedup_key, raw, NOW, read.occurred_at)


@pytest.fixture(scope="module")
def routers(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Router]:
    every = tmp_path_factory.mktemp("rules") / "routes.yaml"
    operators = {name for name in (*PREDICATES, *TRANSITIONS) if name not in EVERY_OPERATOR}
    assert operators == set(), "each operator stands in the rules above"
    every.write_text(EVERY_OPERATOR)
    clock = ManualClock()
    return [load(path, {}, clock).ruleset.router for path in (ROOT / "routes.yaml", every)]


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(sent=bodies())
def test_no_document_breaks_deciding_or_explaining(routers: Sequence[Router], sent: list[JsonObject]) -> None:
    events = [arrival(body, number) for number, body in enumerate(sent)]
    for router in routers:
        for arrived, routed in zip(events, in_order(router.decide, events, {}), strict=True):
            assert routed.event_id == arrived.id
            assert_told(router, arrived)
            for delivery in routed.deliveries:
                assert (delivery.state is DeliveryState.DEAD) == (delivery.reason is not None), delivery


def assert_told(router: Router, arrived: Event) -> None:
    """Fail unless what is explained of an event can be shown, and tells of each route."""
    explained = router.explain(arrived, None)
    assert len(explained.routes) in {0, len(router._routes)}
    for route in explained.routes:
        assert json.dumps([_plain(finding) for finding in route.findings]) is not None


def _plain(finding: Finding) -> Json:
    return [
        finding.path,
        finding.operator,
        finding.wanted,
        finding.seen,
        finding.previous,
        *map(_plain, finding.children),
    ]


# what `explain` shows of a matcher is all of it: written down and compiled again, it is the same matcher

SCALARS = st.sampled_from(["a", "b", "", 0, 1, 2.5, True, None])
CLAUSE = st.one_of(
    st.tuples(st.sampled_from(["eq", "ne", "gt", "lte"]), st.sampled_from(["a", 1, 2.5])),
    st.tuples(st.sampled_from(["in", "not_in", "from", "to"]), st.lists(st.sampled_from(["a", 1]), min_size=1)),
    st.tuples(st.sampled_from(["exists", "changed", "increased"]), st.booleans()),
    st.tuples(st.sampled_from(["contains", "starts_with", "matches"]), st.just("a")),
).map(lambda pair: {pair[0]: pair[1]})
PATHS = st.sampled_from(["a", "b.c", "document.a"])
BLOCK = st.recursive(
    st.dictionaries(PATHS, CLAUSE | SCALARS, min_size=1),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=4,
)


def printed(finding: Finding) -> JsonObject:
    """Return a match block of what is told of a matcher."""
    if not finding.operator or finding.path:
        return {finding.path: {finding.operator: finding.wanted}}
    inner: list[Json] = [printed(child) for child in finding.children]
    return {"not": inner[0]} if finding.operator == "not" else {finding.operator: inner}


@given(block=BLOCK, document=documents(), previous=documents() | st.none())
def test_what_is_told_of_a_matcher_compiles_to_the_same(
    block: JsonObject, document: JsonObject, previous: JsonObject | None
) -> None:
    seen = change(previous, None, **document)
    told = compiled(block, seen)
    if told is None:
        return
    again = compiled(printed(told), seen)
    assert again is not None
    assert again.matched is told.matched
    assert shape(again) == shape(told)


def compiled(block: JsonObject, seen: Change) -> Finding | None:
    """Return what a match block says of a change; None if it has mistakes."""
    mistakes: list[object] = []
    matcher = compile_match(block, lambda *problem: mistakes.append(problem), lambda _: None)
    return None if mistakes else matcher.explain(seen)


def shape(finding: Finding) -> tuple[Any, ...]:
    """Return all that a finding says, whatever blocks stand in blocks that only join them."""
    if finding.path:
        return (finding.path, finding.operator, finding.wanted, finding.seen, finding.previous, finding.matched)
    inner = [shape(child) for child in finding.children]
    if finding.operator != "all":
        return (finding.operator, inner)
    flat = [part for each in inner for part in (each[1] if each[0] == "all" else [each])]
    return flat[0] if len(flat) == 1 else ("all", flat)
