from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Change, Json, JsonObject
from bridge.routing.matcher import compile_match
from bridge.routing.operators import OPERATORS
from bridge.routing.route import Finding, Matcher
from tests.routing.building import change, documents, json_values

Reported = list[tuple[tuple[str | int, ...], str, str, str]]


def compiled(block: JsonObject) -> Matcher:
    def report(*problem: object) -> None:
        raise AssertionError(problem)

    return compile_match(block, report, lambda _: None)


def problems(block: Any, unknown: frozenset[str] = frozenset()) -> Reported:
    reported: Reported = []
    compile_match(
        block,
        lambda loc, code, message, hint: reported.append((loc, code, message, hint)),
        lambda path: (f"no field {path}", "look again") if path in unknown else None,
    )
    return reported


NOW_LOST = change({"status": "ongoing", "order": 2, "due": "2026-11-24"}, status="lost", order=3, due="2026-11-25")


@pytest.mark.parametrize(
    ("block", "verdict"),
    [
        ({}, True),
        ({"status": "lost"}, True),
        ({"status": "won"}, False),
        ({"status": ["won", "lost"]}, True),
        ({"status": ["won"]}, False),
        ({"absent": None}, True),
        ({"status": None}, False),
        ({"status": "changed"}, True),
        ({"absent": "changed"}, False),
        ({"order": "increased"}, True),
        ({"order": "decreased"}, False),
        ({"due": "increased"}, True),
        ({"status": {"from": "ongoing"}}, True),
        ({"status": {"from": ["won", "ongoing"], "to": ["lost"]}}, True),
        ({"status": {"from": "won"}}, False),
        ({"status": {"to": "won"}}, False),
        ({"order": {"gte": 3, "lt": 4}}, True),
        ({"order": {"gte": 3, "lt": 3}}, False),
        ({"status": "lost", "order": 3}, True),
        ({"status": "lost", "order": 4}, False),
        ({"any": [{"status": "won"}, {"order": 3}]}, True),
        ({"any": [{"status": "won"}, {"order": 4}]}, False),
        ({"all": [{"status": "lost"}, {"order": 3}]}, True),
        ({"all": [{"status": "lost"}, {"order": 4}]}, False),
        ({"not": {"status": "won"}}, True),
        ({"not": {"status": "lost", "order": 3}}, False),
        ({"not": {"any": [{"status": "won"}, {"not": {"order": 3}}]}}, True),
        ({"status": "lost", "any": [{"order": 4}, {"order": 5}]}, False),
        ({"document.sent": "raw"}, True),
        ({"document.sent": {"starts_with": "x"}}, False),
        ({"document": {"exists": True}}, True),
    ],
)
def test_a_block_matches(block: JsonObject, *, verdict: bool) -> None:
    matcher = compiled(block)
    assert matcher.test(NOW_LOST) is verdict
    assert matcher.explain(NOW_LOST).matched is verdict


FIRST = change(None, frozenset({"status"}), status="lost", order=3)


@pytest.mark.parametrize("operator", ["changed", "increased", "decreased"])
@pytest.mark.parametrize("wanted", [True, False])
def test_at_first_sight_nothing_has_moved_nor_stayed(operator: str, *, wanted: bool) -> None:
    assert not compiled({"order": {operator: wanted}}).test(FIRST)


def test_at_first_sight_nothing_came_from_anywhere() -> None:
    assert not compiled({"status": {"from": ["ongoing", None]}}).test(FIRST)


def test_at_first_sight_a_value_arrived_only_where_the_document_dates_it() -> None:
    assert compiled({"status": {"to": "lost"}}).test(FIRST)
    assert compiled({"status": {"to": ["won", "lost"]}}).test(FIRST)
    assert not compiled({"status": {"to": "won"}}).test(FIRST)
    assert not compiled({"order": {"to": 3}}).test(FIRST)


def test_a_creation_dates_everything_but_brings_no_emptiness() -> None:
    created = change(None, None, order=3, reason=None)
    assert compiled({"order": {"to": 3}}).test(created)
    assert not compiled({"reason": {"to": None}}).test(created)


def test_a_value_arrives_once() -> None:
    again = change({"status": "lost"}, status="lost")
    assert not compiled({"status": {"to": "lost"}}).test(again)


def test_a_finding_tells_what_was_wanted_and_what_was_seen() -> None:
    found = compiled({"status": {"to": "won"}, "order": {"gte": 3}, "document.sent": "raw"}).explain(NOW_LOST)
    assert found == Finding(
        "",
        "all",
        None,
        None,
        None,
        matched=False,
        children=(
            Finding("status", "to", "won", "lost", "ongoing", matched=False),
            Finding("order", "gte", 3, 3, 2, matched=True),
            Finding("document.sent", "eq", "raw", "raw", None, matched=True),
        ),
    )


def test_a_finding_shows_every_emptiness_as_none() -> None:
    found = compiled({"campaign": {"exists": True}}).explain(change({"campaign": []}, campaign={"id": None}))
    assert (found.children[0].seen, found.children[0].previous) == (None, None)


def test_findings_of_nested_blocks_keep_their_form() -> None:
    found = compiled({"not": {"any": [{"status": "won"}, {"order": 3}]}}).explain(NOW_LOST)
    (negated,) = found.children
    assert (negated.operator, negated.matched) == ("not", False)
    assert [child.operator for child in negated.children[0].children] == ["any"]


@pytest.mark.parametrize(
    ("block", "loc", "code"),
    [
        ({"status": {"eqq": 1}}, ("status", "eqq"), "unknown-operator"),
        ({"any": [{"a": 1}, {"status": {"eqq": 1}}]}, ("any", 1, "status", "eqq"), "unknown-operator"),
        ({"status": {"gt": "tomorrow"}}, ("status", "gt"), "bad-operand"),
        ({"status": {}}, ("status",), "bad-operand"),
        ({"status": []}, ("status",), "bad-operand"),
        ({"status": [{"a": 1}]}, ("status",), "bad-operand"),
        ({"status": {"matches": "("}}, ("status", "matches"), "bad-regex"),
        ({"nmae": 1}, ("nmae",), "unknown-field"),
        ({"not": {"nmae": 1}}, ("not", "nmae"), "unknown-field"),
        ({"all": {"a": 1}}, ("all",), "bad-operand"),
        ({"any": []}, ("any",), "bad-operand"),
        ({"any": ["status"]}, ("any", 0), "bad-operand"),
        ({"not": "status"}, ("not",), "bad-operand"),
        ({"document.status": {"to": "lost"}}, ("document.status", "to"), "bad-operand"),
        ({"document.status": "changed"}, ("document.status",), "bad-operand"),
    ],
)
def test_a_mistake_is_reported_where_it_stands(block: JsonObject, loc: tuple[str | int, ...], code: str) -> None:
    ((found_loc, found_code, message, _),) = problems(block, frozenset({"nmae"}))
    assert (found_loc, found_code) == (loc, code)
    assert message


def test_every_mistake_of_a_block_is_reported() -> None:
    block: JsonObject = {"nmae": 1, "a": {"eqq": 1, "gt": None}, "any": [{"b": {"exists": "yes"}}], "not": {"c": []}}
    codes = [code for _, code, _, _ in problems(block, frozenset({"nmae"}))]
    assert codes == ["unknown-field", "unknown-operator", "bad-operand", "bad-operand", "bad-operand"]


def test_a_misspelt_operator_comes_with_the_right_one() -> None:
    ((_, _, _, hint),) = problems({"status": {"contians": "x"}})
    assert hint == 'did you mean "contains"?'


def test_the_document_as_sent_is_not_checked() -> None:
    assert problems({"document.nmae": 1}, frozenset({"document.nmae"})) == []


def test_what_is_wrong_is_left_out_and_the_rest_still_works() -> None:
    matcher = compile_match({"status": {"eqq": 1}, "order": 3}, lambda *_: None, lambda _: None)
    assert matcher.test(NOW_LOST)


OPERATIONS = st.dictionaries(st.sampled_from(OPERATORS) | st.text(max_size=3), json_values(), max_size=3)
CLAUSES = st.dictionaries(
    st.sampled_from(["a", "a.b", "custom.a", "document.a", "b"]), json_values() | OPERATIONS, max_size=3
)
BLOCKS = st.recursive(
    CLAUSES,
    lambda inner: (
        st.dictionaries(st.sampled_from(["any", "all"]), st.lists(inner, max_size=3), min_size=1, max_size=2)
        | st.fixed_dictionaries({"not": inner})
    ),
    max_leaves=5,
)
CHANGES = st.builds(
    lambda previous, current, dated: change(previous, dated, **current),
    st.none() | documents(),
    documents(),
    st.sampled_from([None, frozenset[str](), frozenset({"a"})]),
)


@given(BLOCKS | json_values(), CHANGES)
def test_no_block_and_no_document_can_break_a_matcher(block: Any, seen: Change) -> None:
    matcher = compile_match(block, lambda *_: None, lambda _: None)
    assert matcher.test(seen) is matcher.explain(seen).matched


@given(BLOCKS, CHANGES)
def test_not_says_the_opposite(block: JsonObject, seen: Change) -> None:
    matcher = compile_match(block, lambda *_: None, lambda _: None)
    negated = compile_match({"not": block}, lambda *_: None, lambda _: None)
    assert negated.test(seen) is not matcher.test(seen)


@given(st.lists(BLOCKS, min_size=1, max_size=3), CHANGES)
def test_any_and_all_ask_their_blocks(blocks: list[Json], seen: Change) -> None:
    verdicts = [compile_match(block, lambda *_: None, lambda _: None).test(seen) for block in blocks]  # type: ignore[arg-type] # blocks are objects
    either = compile_match({"any": blocks}, lambda *_: None, lambda _: None)
    every = compile_match({"all": blocks}, lambda *_: None, lambda _: None)
    assert either.test(seen) is any(verdicts)
    assert every.test(seen) is all(verdicts)
