"""Routes, and parts of them, that no event can meet: found, and never found where one can."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.config.vocabulary import vocabulary
from bridge.model import Change, Entity, Event, Json, JsonObject
from bridge.rdstation import SHAPES, TRIGGERS
from bridge.rehearsal.conditions import MOST, TooManyError, both, cases
from bridge.rehearsal.solving import conflict
from bridge.routing.matcher import compile_match
from bridge.sources.rdstation_crm import RdStationCrm
from tests.rehearsal.conftest import Checking

EVENT = Event("evt_1", "crm", "crm_deal_updated", Entity("deal", "1"), "", b"", datetime(2026, 11, 24, tzinfo=UTC))


def route(match: str, on: str = "crm_deal_updated") -> str:
    return f"routes: [{{name: shown, on: {on}, match: {match}, deliver: [{{to: screen, text: x}}]}}]"


@pytest.mark.parametrize(
    ("on", "match", "told"),
    [
        (
            "crm_deal_updated",
            "{amount_total: {gte: 5, lt: 3}}",
            "`amount_total: {gte: 5}` with `amount_total: {lt",
        ),
        ("crm_deal_updated", "{rating: {gt: 3, lt: 4, in: [3, 4]}}", "`rating: {gt: 3}`"),
        ("crm_deal_updated", "{status: {from: won, to: won}}", '`status: {from: "won"}` with `status: {to: "won"}`'),
        ("deal.lost", "{status: won}", '`status: {to: "lost"}` with `status: {eq: "won"}`'),
        ("deal.reopened", "{status: {from: paused}}", '`status: {from: ["won", "lost"]}`'),
        (
            "crm_deal_updated",
            "{status: lost, not: {status: lost}}",
            'with not `status: {eq: "lost"}`',
        ),
        ("crm_deal_updated", "{any: [{status: won}, {status: paused}], all: [{status: lost}]}", "with"),
        ("crm_deal_updated", "{rating: {changed: false, increased: true}}", "`rating: {changed: false}`"),
        ("crm_deal_updated", "{name: {exists: false, starts_with: Loja}}", "`name: {exists: false}`"),
        ("crm_deal_updated", "{user.name: {ends_with: z, in: [Ana, Bia]}}", '`user.name: {ends_with: "z"}`'),
        ("crm_deal_updated", "{prediction_date: {gt: '2026-05-01', lt: '2026-05-02'}}", "`prediction_date"),
        ("crm_deal_updated", "{not: {}}", "what `not` holds is always so"),
        ("crm_deal_created", "{rating: {increased: true, decreased: true}}", "`rating"),
    ],
)
def test_a_route_that_nothing_can_meet_is_told_with_the_reason(rules: Checking, on: str, match: str, told: str) -> None:
    [warning] = rules.warnings(route(match, on))
    assert 'unreachable: route "shown" can never match: ' in warning
    assert told in warning


@pytest.mark.parametrize(
    "match",
    [
        "{amount_total: {gt: 5, lt: 6}}",
        "{amount_total: {gte: 5, lte: 5}}",
        "{status: {from: [won, lost], to: [won, lost]}}",
        "{deal_products.name: Um, any: [{deal_products.name: Dois}]}",
        "{custom.Unidade: SP, any: [{custom.Unidade: RJ}]}",
        "{document.status: won, any: [{document.status: lost}]}",
        "{prediction_date: {gt: '2026-05-01', lt: '2026-05-03'}}",
        "{closed_at: {gt: '2026-05-01T10:00:00Z', lt: '2026-05-01T10:00:00.000001Z'}}",
        "{closed_at: {starts_with: '2026', contains: 'T10:', gte: '2026-01-01'}}",
        "{name: {starts_with: A, ends_with: z, ne: Az}}",
        "{rating: {increased: false, changed: true}}",
    ],
)
def test_a_route_that_something_can_meet_is_not(rules: Checking, match: str) -> None:
    assert [told for told in rules.warnings(route(match)) if "unreachable" in told] == []


def test_an_item_of_on_that_comes_to_nothing_is_told_alone(rules: Checking) -> None:
    [told] = rules.warnings(route("{status: lost}", "[deal.won, deal.lost, crm_deal_created]"))
    assert told.startswith('deal.won, deal.lost, crm_deal_created], match: {status: lost » unreachable: item 1 of "on"')


def test_a_block_of_any_that_cannot_hold_is_told_alone(rules: Checking) -> None:
    warnings = rules.warnings(route("{any: [{rating: 5}, {status: won}, {rating: {gte: 9, lt: 2}}]}", "deal.lost"))
    assert [told.split("unreachable: ")[1] for told in warnings if "unreachable" in told] == [
        f'item {number} of "any" of "match" of route "shown" can never hold; leave it out' for number in (2, 3)
    ]


def test_a_rule_with_more_alternatives_than_are_looked_at_is_left_alone(rules: Checking) -> None:
    many = ", ".join(f"{{name: N{number}}}" for number in range(MOST + 1))
    assert rules.warnings(route(f"{{status: won, any: [{many}], all: [{{status: lost}}]}}")) == []


VALUES: st.SearchStrategy[Json] = st.sampled_from(
    ["won", "lost", "", None, True, False, 0, 1, 2, 2.5, "2026-05-01", "2026-05-02T10:00:00Z", "wonder", "5"]
)
PATHS = st.sampled_from(["status", "rating", "name", "user.name"])
BARE = st.booleans()
BOUNDS = st.sampled_from([0, 1, 2, 2.5, "2026-05-01", "2026-05-03", "2026-05-02T10:00:00Z"])
OPERATORS: dict[str, st.SearchStrategy[Any]] = {
    "eq": VALUES,
    "ne": VALUES,
    "in": st.lists(VALUES, min_size=1, max_size=3),
    "not_in": st.lists(VALUES, min_size=1, max_size=3),
    **dict.fromkeys(
        ("gt", "gte", "lt", "lte"), st.sampled_from([0, 1, 2, 2.5, "2026-05-01", "2026-05-03", "2026-05-02T10:00:00Z"])
    ),
    **dict.fromkeys(("contains", "starts_with", "ends_with"), st.sampled_from(["w", "on", "2026", "5"])),
    "matches": st.sampled_from(["^w", r"\d", "t$"]),
    "exists": BARE,
    "from": VALUES | st.lists(VALUES, min_size=1, max_size=2),
    "to": VALUES | st.lists(VALUES, min_size=1, max_size=2),
    **dict.fromkeys(("changed", "increased", "decreased"), BARE),
}
CLAUSE = st.sampled_from(sorted(OPERATORS)).flatmap(lambda name: st.tuples(st.just(name), OPERATORS[name]))
FIELDS: st.SearchStrategy[Any] = st.dictionaries(
    PATHS, st.lists(CLAUSE, min_size=1, max_size=3).map(dict), min_size=1, max_size=2
)
BLOCKS: st.SearchStrategy[Any] = st.recursive(
    FIELDS,
    lambda inner: st.builds(
        lambda fields, key, parts: {**fields, key: parts[0] if key == "not" else parts},
        FIELDS,
        st.sampled_from(["any", "all", "not"]),
        st.lists(inner, min_size=1, max_size=2),
    ),
    max_leaves=3,
)
UNNAMED = st.sampled_from(
    ["2026-05-02", "2026-04-30", "2026-05-02T00:30:00+14:00", "2026-05-01T23:30:00-03:00", 1.5, 3, -4, "other"]
)
"""Values of documents that no operand of these rules names."""
HELD = VALUES | UNNAMED
DOCUMENTS = st.fixed_dictionaries(
    {"status": HELD, "rating": HELD, "name": HELD, "user": st.fixed_dictionaries({"name": HELD})}
)


ASKED = st.lists(st.tuples(st.sampled_from(["rating", "name"]), CLAUSE), min_size=2, max_size=12)


@given(before=st.none() | DOCUMENTS, after=DOCUMENTS, asked=ASKED, block=BLOCKS, dated=st.booleans())
@settings(max_examples=400, deadline=None)
def test_what_some_change_meets_is_never_unreachable(
    before: JsonObject | None, after: JsonObject, asked: list[Any], block: JsonObject, *, dated: bool
) -> None:
    """All that is asked holds for one change, or its opposite is asked: so a change that meets it all there is."""
    change = Change(EVENT, "updated", after, after, before, dated=None if dated else frozenset())

    def held(each: JsonObject) -> JsonObject:
        return each if compile_match(each, _sound, lambda _: None).test(change) else {"not": each}

    met = [held({path: {operator: wanted}}) for path, (operator, wanted) in asked]
    triggers = [trigger.match for trigger in TRIGGERS.values() if "not" not in held(trigger.match)]
    try:
        found = _asked([*met, held(block), *triggers])
    except TooManyError:
        return

    assert [case for case in found if not conflict(case, [SHAPES["deal"]])], met


def _asked(blocks: list[JsonObject]) -> Any:
    found = cases({}, ())
    for block in blocks:
        found = both(found, cases(block, ()))
    return found


def _sound(*problem: object) -> None:
    raise AssertionError(problem)


def test_more_alternatives_than_are_looked_at_are_refused() -> None:
    with pytest.raises(TooManyError):
        cases({"any": [{"name": str(number)} for number in range(MOST + 1)]}, ())


def test_every_trigger_can_be_met() -> None:
    words = vocabulary([RdStationCrm], complete=True)
    for trigger in words.triggers.values():
        for each in trigger:
            for case in cases(each.match, ()):
                assert conflict(case, [SHAPES[each.name.split(".")[0]]]) == ()
