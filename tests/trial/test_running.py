"""Tests of rules as their authors write them: what they see happen, and what fails them."""

from pathlib import Path
from textwrap import indent

import pytest

from bridge.cli.verdicts import told
from bridge.config import load
from bridge.options import InvalidConfigurationError, StandIns
from bridge.trial import MovedClock, Runner

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm, secrets: ["${file:/nowhere/secret}"]}
targets:
  sales: {type: slack, token: "${SLACK_BOT_TOKEN}", channel: "${CHANNEL:-C0123SALES}"}
  billing: {type: http, url: "${BILLING_URL}", retry: {attempts: 2}}
  screen: {type: log}
routes:
  - name: lost
    on: deal.lost
    match: {amount_total: {gte: 5000}}
    deliver:
      - {to: sales, text: "Perdida: {{ deal.name }}", thread: deal}
  - name: won
    on: deal.won
    deliver:
      - {to: billing, body: {total: "{{ deal.amount_total }}", at: "{{ now | datetime }}"}}
  - name: moved
    on: deal.stage_changed
    deliver:
      - {to: screen, text: "{{ deal.deal_stage.name }}"}
  - name: task
    on: task.completed
    deliver:
      - {to: screen, text: "{{ task.name }}", key: deal}
  - name: own
    on: bridge.*
    deliver:
      - {to: screen, text: "{{ event.name }}"}
tests:
  - name: shown
"""


def failure_of(folder: Path, body: str) -> str:
    """Run one test, and return what is told of its failure."""
    path = folder / "routes.yaml"
    path.write_text(RULES + indent(body.strip("\n"), "    "), encoding="utf-8")
    clock = MovedClock()
    loaded = load(path, StandIns(), clock)
    [trial] = loaded.trials
    failure = Runner(loaded.ruleset, loaded.named, clock).run(trial).failure
    return "\n".join(told(failure)).removeprefix(f"{path}:") if failure else ""


@pytest.mark.parametrize(
    "body",
    [
        """
steps:
  - {send: deal.created, set: {deal.name: Padaria, deal.amount_total: 9000}}
  - expect: nothing
  - send: deal.lost
  - expect: [{to: sales, text: "Perdida: Padaria", thread: {starts_with: "deal:"}}]
  - send: deal.lost
  - {send: crm_deal_updated, set: {deal.rating: 1}}
  - expect: nothing
""",
        """
answers: {sales: [{status: 500}, {status: 429, retry_after: 30s}, timeout, unreachable]}
steps:
  - send: deal.lost
  - expect: [{to: sales, state: pending, attempts: 1, reason: "500"}]
  - wait: 2h
  - expect: [{to: sales, after: 65s, attempts: 5, at: "09:01"}]
""",
        """
at: "2026-11-28 23:59"
steps:
  - send: deal.won
  - expect: [{to: billing, body.total: {gt: 11000}, body.at: {contains: 28/11/2026}, at: "2026-11-28 23:59"}]
  - until: "00:30"
  - {send: deal.won, set: {deal.id: other}}
  - expect: [{to: billing, key: "deal:other", body.at: {contains: 29/11/2026}}]
""",
        """
answers: {billing: [{status: 500}, {status: 502}]}
steps:
  - send: deal.won
  - wait: 1h
  - expect:
      - {to: billing, state: dead, attempts: 2, reason: gave up}
      - {to: screen, text: bridge.delivery_dead}
""",
        """
answers: {sales: [{status: 200, body: {ok: false, error: invalid_auth}}]}
steps:
  - send: deal.lost
  - expect: [{to: sales, state: parked}, {to: screen, text: bridge.target_paused}]
""",
        """
steps:
  - send: deal.stage_changed
  - send: task.completed
  - expect: [{to: screen, count: 2}]
""",
        """
steps:
  - event:
      event_name: crm_deal_updated
      document: {id: "1", name: Escrita, status: ongoing, updated_at: "2026-11-24T09:00:00.000-03:00"}
  - expect: nothing
""",
    ],
)
def test_what_happens_as_it_was_expected_passes(tmp_path: Path, body: str) -> None:
    assert failure_of(tmp_path, body) == ""


def test_a_delivery_that_did_not_come_is_told_with_what_its_routes_saw(tmp_path: Path) -> None:
    body = "steps:\n  - {send: deal.lost, set: {deal.amount_total: 10}}\n  - expect: [{to: sales}]\n"
    text = failure_of(tmp_path, body)
    assert "- expected: to sales" in text
    assert "✗ lost: amount_total ≥ 5000  saw 10" in text
    assert "won" not in text


def test_what_came_near_is_told_with_its_differences(tmp_path: Path) -> None:
    text = failure_of(tmp_path, "steps:\n  - send: deal.lost\n  - expect: [{to: sales, attempts: 2, text: x}]\n")
    assert "attempts: expected 2, came 1" in text
    assert 'text: expected "x", came "Perdida: Padaria Estrela: plano anual"' in text
    assert "not expected" not in text


def test_one_delivery_too_many_fails_a_test(tmp_path: Path) -> None:
    text = failure_of(tmp_path, "steps:\n  - send: deal.lost\n  - expect: nothing\n")
    assert "+ not expected: to sales, delivered" in text


def test_a_line_that_says_more_chooses_before_one_that_says_less(tmp_path: Path) -> None:
    body = """
steps:
  - {send: task.completed, set: {task.name: one}}
  - send: deal.stage_changed
  - expect: [{to: screen}, {to: screen, text: one}]
"""
    assert failure_of(tmp_path, body) == ""


def test_what_no_sample_has_cannot_be_set(tmp_path: Path) -> None:
    body = "steps:\n  - {send: contact.created, set: {contact.emails.7.email: x}}\n  - expect: nothing\n"
    assert 'set emails.7.email: there is no "7" in the sample' in failure_of(tmp_path, body)


def test_a_moment_that_is_over_cannot_be_waited_for(tmp_path: Path) -> None:
    assert "is over" in failure_of(tmp_path, 'steps:\n  - until: "2020-01-01 00:00"\n  - expect: nothing\n')


@pytest.mark.parametrize(
    "body",
    [
        'at: "9999-12-31 23:59"\nsteps: [{send: deal.lost}, {expect: nothing}]\n',
        'steps: [{until: "9999-12-31 23:59"}, {expect: nothing}]\n',
    ],
)
def test_a_moment_at_the_end_of_the_calendar_is_refused(tmp_path: Path, body: str) -> None:
    with pytest.raises(InvalidConfigurationError, match="must be in the years 1980 to 2199"):
        failure_of(tmp_path, body)


def test_a_test_ends_before_the_calendar_does(tmp_path: Path) -> None:
    body = 'at: "2199-12-30 23:59"\nsteps: [{wait: 3660d}, {expect: nothing}]\n'
    assert "a test ends in the year 2199" in failure_of(tmp_path, body)


def test_what_a_target_learns_in_one_test_is_not_known_in_the_next(tmp_path: Path) -> None:
    rules = """\
version: 1
sources: {crm: {type: rdstation_crm}}
targets: {agenda: {type: google_calendar, calendar: a@b, service_account: "${KEY}"}}
routes:
  - {name: lost, on: deal.lost, deliver: [{to: agenda, summary: x, start: "2026-12-24"}]}
tests:
"""
    trial = """  - name: shown
    answers: {agenda: [ok, {status: 503}]}
    steps: [{send: deal.lost}, {expect: [{to: agenda, state: pending}]}]
"""
    (tmp_path / "routes.yaml").write_text(rules + trial + trial.replace("shown", "again"), encoding="utf-8")
    clock = MovedClock()
    loaded = load(tmp_path / "routes.yaml", StandIns(), clock)
    runner = Runner(loaded.ruleset, loaded.named, clock)
    assert [runner.run(each).failure for each in loaded.trials] == [None, None]
