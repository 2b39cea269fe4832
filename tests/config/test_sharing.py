"""``defaults.deliver:`` — what counts for all entries, read back from what was planned."""

from typing import Self

import pytest
from pydantic import model_validator

from bridge.config.frame import EntryFrame
from bridge.model import Terms
from tests.config.test_loading import deliveries
from tests.support.deals import Deal
from tests.support.rules import Rules

HEAD = """\
version: 1
sources:
  crm: {{type: rdstation_crm}}
targets:
  sales: {{type: slack, token: xoxb-1, channel: C0123SALES{target}}}
defaults: {{deliver: {{{shared}}}}}
"""


def write(rules: Rules, shared: str, *entries: str, target: str = "") -> None:
    written = "".join(f"      - {{to: sales, text: x{entry}}}\n" for entry in entries)
    rules.write(
        f"routes:\n  - name: lost\n    on: deal.lost\n    deliver:\n{written}",
        head=HEAD.format(shared=shared, target=target),
    )


def planned(rules: Rules) -> list[Terms]:
    deal = Deal()
    return [delivery.terms for delivery in deliveries(rules.load().ruleset, deal.created(), deal.lost())]


def warned(rules: Rules) -> list[str]:
    return [f"{each.place.line}:{each.place.column}: {each.message}" for each in rules.load().warnings]


@pytest.mark.parametrize(
    ("shared", "terms"),
    [
        ("", Terms()),
        ("on_unknown: park", Terms(on_unknown="park")),
        ("ordering: none", Terms(ordered=False)),
        ("supersede: true", Terms(supersedes=True)),
        ("retry: {attempts: 3, first: 500ms, max: 1m}", Terms({"attempts": 3, "first": 0.5, "max": 60})),
        ("retry: {horizon: 1h}", Terms({"horizon": 3600})),
    ],
)
def test_each_of_the_defaults_reaches_the_deliveries_of_an_entry_that_says_nothing(
    rules: Rules, shared: str, terms: Terms
) -> None:
    write(rules, shared, "")
    assert planned(rules) == [terms]
    assert warned(rules) == []


def test_what_an_entry_says_wins(rules: Rules) -> None:
    write(
        rules,
        "on_unknown: park, ordering: none, supersede: true, retry: {attempts: 3, max: 1m}",
        ", on_unknown: retry, ordering: key, supersede: false, retry: {attempts: 5, horizon: 1h}",
        ", supersede: null",
    )
    assert planned(rules) == [
        Terms({"attempts": 5, "max": 60, "horizon": 3600}),
        Terms({"attempts": 3, "max": 60}, "park", ordered=False),
    ]


def test_parts_of_a_schedule_are_taken_from_the_entry_then_the_target_then_the_defaults(rules: Rules) -> None:
    write(rules, "retry: {attempts: 3, max: 1m, horizon: 2h}", ", retry: {max: 5m}", target=", retry: {horizon: 1w}")
    assert planned(rules) == [Terms({"attempts": 3, "max": 300})]


def test_the_first_wait_of_one_may_be_longer_than_the_longest_of_the_other(rules: Rules) -> None:
    write(rules, "retry: {first: 1h}", ", retry: {max: 1m}")
    assert planned(rules) == [Terms({"first": 3600, "max": 60})]


@pytest.mark.parametrize(
    ("shared", "entry", "target", "idle"),
    [
        ("on_unknown: park", ", on_unknown: retry", "", '"on_unknown"'),
        ("on_unknown: park", "", ", look_up: true", '"on_unknown"'),
        ("ordering: none", ", ordering: key", "", '"ordering"'),
        ("supersede: true", ", supersede: false", "", '"supersede"'),
        ("retry: {attempts: 3, first: 2s}", ", retry: {attempts: 5}", "", '"attempts" of "retry"'),
        ("retry: {horizon: 1h, first: 2s}", "", ", retry: {horizon: 1d}", '"horizon" of "retry"'),
        ("retry: {first: 1s, max: 9s}", "", ", rate: 100/10s", '"max" of "retry"'),
    ],
)
def test_what_counts_for_no_entry_is_worth_a_warning(
    rules: Rules, shared: str, entry: str, target: str, idle: str
) -> None:
    write(rules, shared, entry, target=target)
    key = idle.partition('" ')[0].strip('"')
    column = HEAD.format(shared=shared, target=target).splitlines()[-1].index(f"{key}:") + 1
    assert warned(rules) == [f'6:{column}: {idle} of "deliver" of "defaults" counts for no entry']


def test_it_is_enough_to_count_for_one(rules: Rules) -> None:
    write(rules, "on_unknown: park, retry: {attempts: 3}", ", on_unknown: retry, retry: {attempts: 4}", "")
    assert warned(rules) == []


@pytest.mark.parametrize("key", ["to: sales", "key: deal", "template: x.j2", "text: x", "rate: 1/s"])
def test_nothing_else_can_be_said_for_all(rules: Rules, key: str) -> None:
    write(rules, key, "")
    assert [problem.split(": ")[1] for problem in rules.problems()] == ["unknown-key"]


def test_broken_defaults_are_a_problem_where_they_stand(rules: Rules) -> None:
    write(rules, "on_unknown: ignore, retry: {first: 2h, max: 1h}", "")
    assert rules.problems() == [
        '6:34: bad-value: "on_unknown" of "deliver" of "defaults" must be "retry" or "park"',
        '6:49: bad-value: "retry" of "deliver" of "defaults": "first" must not be longer than "max"',
    ]


class Excluding(EntryFrame):
    """An entry of which two keys exclude each other."""

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.ordering == "none" and self.supersede:
            raise ValueError("cannot supersede without order")
        return self


def test_an_entry_that_does_not_go_with_the_defaults_is_a_problem(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.config.sharing.EntryFrame", Excluding)
    write(rules, "ordering: none", ", supersede: true")
    assert rules.problems() == [
        '11:9: bad-value: entry 1 of route "lost" cannot supersede without order; `defaults` counts here too'
    ]
