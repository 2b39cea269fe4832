"""What says nothing, or says it twice."""

import pytest

from tests.rehearsal.conftest import Checking

ENTRY = '{to: screen, text: "{{ deal.name }}"}'


def lost(name: str, more: str = "", entry: str = ENTRY) -> str:
    return f"  - {{name: {name}, on: deal.lost, {more}deliver: [{entry}]}}\n"


def test_an_entry_that_says_what_another_says_is_told(rules: Checking) -> None:
    text = "routes:\n" + lost("one", "match: {rating: 1}, ") + lost("two", "match: {rating: 1}, ")
    [told] = rules.warnings(text)
    assert told.endswith('entry 1 of route "two" tells what entry 1 of route "one" tells, so it goes out twice')


@pytest.mark.parametrize(
    ("more", "entry"),
    [
        ("match: {rating: 1}, ", ENTRY),
        ('when: "deal.rating == 1", ', ENTRY),
        ("debounce: 60s, ", ENTRY),
        ("", '{to: screen, text: "{{ deal.name }}!"}'),
        ("", '{to: screen, text: "{{ deal.name }}", delay: 1h}'),
    ],
)
def test_what_differs_at_all_is_not_told_twice(rules: Checking, more: str, entry: str) -> None:
    assert rules.warnings("routes:\n" + lost("one") + lost("two", more, entry)) == []


@pytest.mark.parametrize(
    ("match", "told"),
    [
        ("{status: perdida}", 'perdida » unknown-value: "status" is never "perdida"; '),
        ("{status: {in: [lost, wonn]}}", '"status" is never "wonn"; did you mean "won"?'),
        ("{not: {status: {from: opened}}}", '"status" is never "opened"; '),
    ],
)
def test_a_value_that_a_field_never_has_is_told(rules: Checking, match: str, told: str) -> None:
    [warning] = rules.warnings(f"routes: [{{name: a, on: crm_deal_updated, match: {match}, deliver: [{ENTRY}]}}]")
    assert told in warning


@pytest.mark.parametrize(
    ("wanted", "written"),
    [(">= 5000", "{gte: 5000}"), ("<10.5", "{lt: 10.5}"), ("!= 0", "{ne: 0}"), ("== -1", "{eq: -1}")],
)
def test_a_comparison_that_is_written_as_a_text_is_told(rules: Checking, wanted: str, written: str) -> None:
    [warning] = rules.warnings(
        f"routes: [{{name: a, on: deal.lost, match: {{rating: '{wanted}'}}, deliver: [{ENTRY}]}}]"
    )
    assert warning.endswith(f"to compare with the number write `rating: {written}`")
    custom = f"routes: [{{name: a, on: deal.lost, match: {{custom.Size: '{wanted}'}}, deliver: [{ENTRY}]}}]"
    assert rules.warnings(custom) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{ deal.name } lost", '"{ deal.name }" is told as it stands; a template has two braces: {{ deal.name }}'),
        ("from {previous.status}", "a template has two braces: {{ previous.status }}"),
        ("“{{ deal.name }} lost”", "the curly quotation marks are told along"),
    ],
)
def test_signs_that_were_not_meant_to_be_told_are(rules: Checking, text: str, told: str) -> None:
    [warning] = rules.warnings("routes:\n" + lost("a", "", f"{{to: screen, text: '{text}'}}"))
    assert told in warning


@pytest.mark.parametrize(
    "text", ["{{ deal.name }}", "{deal}", "${deal.name}", "{a: {{ deal.rating }} }", "o “{{ deal.name }}” caiu"]
)
def test_signs_that_may_be_meant_are_not(rules: Checking, text: str) -> None:
    assert rules.warnings("routes:\n" + lost("a", "", f"{{to: screen, text: '{text}'}}")) == []


@pytest.mark.parametrize(
    "match", ["{status: {starts_with: per}}", "{rating: 12}", "{status: null}", "{custom.status: x}"]
)
def test_a_value_that_a_field_may_have_is_not(rules: Checking, match: str) -> None:
    assert rules.warnings(f"routes: [{{name: a, on: crm_deal_updated, match: {match}, deliver: [{ENTRY}]}}]") == []


def test_a_value_of_any_kind_that_the_route_hears_of_is_known(rules: Checking) -> None:
    on, entry = "[crm_deal_updated, crm_task_updated]", '{to: screen, text: "{{ event.name }}"}'
    text = f"routes: [{{name: a, on: {on}, match: {{status: [open, lost]}}, deliver: [{entry}]}}]"
    assert [told for told in rules.warnings(text) if "unknown-value" in told] == []


def test_a_source_that_nobody_listens_to_is_told(rules: Checking) -> None:
    [told] = rules.warnings('routes: [{name: a, on: bridge.*, deliver: [{to: screen, text: "{{ event.name }}"}]}]')
    assert 'unused-source: no route listens to source "crm"' in told


def test_a_time_of_a_digest_that_its_window_keeps_from_coming_is_told(rules: Checking) -> None:
    windows = 'windows: {office: {days: mon-fri, from: "09:00", to: "18:00"}}\n'
    digest = 'digest: {at: ["10:00", "22:00"], within: office}, '
    [told] = rules.warnings(windows + "routes:\n" + lost("a", digest, '{to: screen, text: "{{ items | length }}"}'))
    assert 'item 2 of "at" of "digest" of route "a" never comes: its window is closed then' in told
