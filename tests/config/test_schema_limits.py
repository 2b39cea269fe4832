"""What editors take and refuse of limits and schedules: as ``bridge check`` does."""

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from bridge.component.limits import BreakerOptions, RetryOptions
from bridge.config.frame import EntryFrame
from bridge.config.schema import json_schema
from bridge.model import Json
from bridge.options import InvalidConfigurationError, read_yaml
from tests.support.rules import Rules

TARGETS = [
    *("rate: 1/s", "rate: 100/10s", 'rate: "${RATE:-1/s}"', "retry: {}", "retry: {attempts: 5, horizon: 1w}"),
    *("retry: {first: 500ms, max: 1.5h}", "breaker: null", "breaker: {}", "breaker: {failures: 1, least: 3, rest: 1m}"),
    *("concurrency: 64", "breaker: {window: 10m, longest_rest: 2h}"),
]
NOT_TARGETS = [
    *("rate: 1", "rate: fast", "retry: 5", "retry: {attempts: 0}", "retry: {first: 30}", "retry: {max: PT1M}"),
    *("retry: {tries: 3}", "breaker: never", "breaker: {failures: 0}", "breaker: {failures: 1.5}"),
    *("breaker: {least: 0}", "breaker: {rest: soon}", "on_unknown: park", "rate: [1/s]"),
]
ENTRIES = [
    *("retry: {}", "retry: {attempts: 1, first: 1m, max: 1m, horizon: 1h}", "on_unknown: park", "on_unknown: retry"),
    *("ordering: none", "ordering: key", "supersede: true", "supersede: false"),
]
NOT_ENTRIES = [
    *("retry: 5", "retry: {first: soon}", "retry: {attempts: -1}", "retry: {tries: 3}", "on_unknown: ignore"),
    *("ordering: strict", "ordering: true", "supersede: sometimes", "rate: 1/s", "breaker: null"),
]
NOT_SHARED = [*NOT_ENTRIES, "to: sales", "key: deal", "template: x.j2", "text: x"]
FILE = """\
version: 1
defaults: {{deliver: {{{shared}}}}}
sources: {{crm: {{type: rdstation_crm}}}}
targets:
  sales: {{type: http, url: "https://example.com"{target}}}
routes:
  - {{name: lost, on: deal.lost, deliver: [{{to: sales, text: x{entry}}}]}}
"""


@pytest.fixture(scope="module")
def schema() -> Any:
    return json_schema()


def verdicts(schema: Any, rules: Rules, target: str = "", entry: str = "", shared: str = "") -> tuple[bool, bool]:
    """Return whether an editor takes it, and whether bridge does."""
    text = FILE.format(target=target and f", {target}", entry=entry and f", {entry}", shared=shared)
    rules.path.write_text(text, "utf-8")
    edited = not [*Draft7Validator(schema).iter_errors(read_yaml(text.encode(), "x").data)]
    try:
        rules.load()
    except InvalidConfigurationError:
        return edited, False
    return edited, True


@pytest.mark.parametrize("target", TARGETS)
def test_limits_of_a_target_are_taken(schema: Any, rules: Rules, target: str) -> None:
    assert verdicts(schema, rules, target) == (True, True)


@pytest.mark.parametrize("target", NOT_TARGETS)
def test_what_is_no_limit_of_a_target_is_refused(schema: Any, rules: Rules, target: str) -> None:
    assert verdicts(schema, rules, target) == (False, False)


@pytest.mark.parametrize("entry", ENTRIES)
def test_terms_of_an_entry_are_taken(schema: Any, rules: Rules, entry: str) -> None:
    assert verdicts(schema, rules, "", entry) == (True, True)


@pytest.mark.parametrize("entry", NOT_ENTRIES)
def test_what_are_no_terms_of_an_entry_is_refused(schema: Any, rules: Rules, entry: str) -> None:
    assert verdicts(schema, rules, "", entry) == (False, False)


@pytest.mark.parametrize("shared", ENTRIES)
def test_terms_may_be_said_for_all_entries(schema: Any, rules: Rules, shared: str) -> None:
    assert verdicts(schema, rules, shared=shared) == (True, True)


@pytest.mark.parametrize("shared", NOT_SHARED)
def test_what_are_no_terms_is_refused_for_all_entries(schema: Any, rules: Rules, shared: str) -> None:
    assert verdicts(schema, rules, shared=shared) == (False, False)


@pytest.mark.parametrize("kind", ["slack", "http", "log"])
def test_every_target_and_every_entry_has_them_with_what_they_mean(schema: Any, kind: str) -> None:
    definitions = schema["definitions"]
    assert {"rate", "retry", "breaker", "concurrency"} <= definitions[f"target.{kind}"]["properties"].keys()
    assert EntryFrame.model_fields.keys() <= definitions[f"action.{kind}"]["properties"].keys()
    assert definitions[f"target.{kind}.RetryOptions"]["properties"].keys() == RetryOptions.model_fields.keys()
    assert definitions[f"target.{kind}.BreakerOptions"]["properties"].keys() == BreakerOptions.model_fields.keys()


def test_defaults_are_spelt_as_rules_spell_them(schema: Any) -> None:
    breaker: dict[str, dict[str, Json]] = schema["definitions"]["target.log.BreakerOptions"]["properties"]
    assert {name: value["default"] for name, value in breaker.items()} == {
        "failures": 0.5,
        "window": "1m",
        "least": 10,
        "rest": "30s",
        "longest_rest": "15m",
    }
    written = json.dumps(schema)
    assert '"PT' not in written
    assert '"horizon": null' not in written, "what is not said is not offered"
