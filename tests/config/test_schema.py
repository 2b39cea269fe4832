from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from bridge.component.discovery import source_types, target_types
from bridge.config.match_schema import OPERATORS as DESCRIBED
from bridge.config.schema import json_schema
from bridge.model import Json, JsonObject
from bridge.options import read_yaml
from bridge.routing.operators import OPERATORS
from bridge.sources._bridge import Bridge
from tests.support.rules import Rules

BROKEN = Path(__file__).parent / "broken"
ROUTES = Path(__file__).parents[2] / "routes.yaml"

SOUND = """\
version: 1
include: [routes.d/*.yaml, more.yaml]
defaults: {locale: en-US, deliver: {retry: {horizon: 3d}, on_unknown: park, ordering: none, supersede: false}}
sources:
  crm: {type: rdstation_crm, secrets: ["${SECRET}"], auth_header: X-Key, auth_key: "${KEY}"}
targets:
  sales: {type: slack, token: "${TOKEN}", channel: C1, concurrency: "${WORKERS:-4}", timeout: 5}
  billing: {type: http, url: "https://x", auth: {bearer: "${T}"}, method: "${METHOD}", allow_private: [10.0.0.0/8]}
  screen: {type: log}
routes:
  - name: negócio
    on: [deal.lost, crm_deal_updated, "crm_task_*"]
    match:
      amount_total: {gte: 5000, lt: "2026-01-01"}
      deal_stage.name: [Proposta, Fechamento]
      custom.Unidade: {in: [São Paulo]}
      deal_stage.order: increased
      any: [{rating: 5}, {not: {campaign.name: {exists: true}}}]
    when: deal.rating > 3
    deliver:
      - {to: sales, text: "{{ deal.name }}", thread: deal, unfurl: "{{ deal.rating > 3 }}"}
      - {to: sales, template: slack/x.j2, blocks: "{{ changes }}"}
      - {to: billing, body: {a: ["{{ deal.id }}", 1, null]}, headers: {X-A: "1"}, method: PUT}
      - {to: screen, template: x.j2, key: deal}
"""

PARTS = ["routes: [{name: a, on: deal.lost, deliver: [{to: x, text: y}]}]", "targets: {y: {type: log}}", "{}"]
NO_PARTS = ["version: 1", "defaults: {}", "include: x.yaml", "routes: []", "targets: {}", "routes: [{name: a}]", "[]"]
INCLUDES = [
    "include: a.yaml",
    "include: [a.yaml, 'b/*.yaml']\nroutes: [{name: a, on: deal.won, deliver: [{to: x, text: y}]}]",
]
NO_INCLUDES = ["include: ''", "include: []", "include: ['']", "include: a/**/b.yaml", "include: {a: b}", "include: 3"]

CAUGHT = [
    *("unknown_key", "missing_key", "wrong_type", "unknown_operator", "unknown_source_type", "unknown_target_type"),
    *("unknown_trigger", "unknown_action_key", "on_no", "on_true", "bad_names"),
    *("bad_operand", "wrong_version", "version_as_text", "no_version", "no_routes", "empty_sections", "a_list"),
    *("several_at_once",),
]


MAIN = "version: 1\nsources: {crm: {type: rdstation_crm}}\ntargets: {x: {type: log}}\n"


@pytest.fixture(scope="module")
def schema() -> JsonObject:
    return json_schema()


def complaints(schema: JsonObject, text: str) -> list[str]:
    return [error.message for error in Draft7Validator(schema).iter_errors(read_yaml(text.encode(), "x").data)]


def test_it_is_a_schema_of_draft_07(schema: JsonObject) -> None:
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(schema)


def test_it_uses_no_keyword_of_a_later_draft(schema: JsonObject) -> None:
    later = {"$defs", "prefixItems", "dependentRequired", "dependentSchemas", "unevaluatedProperties", "$anchor"}
    assert not later & set(keywords(schema))


def keywords(value: Json) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for inner in value.values() for key in keywords(inner))]
    return [key for item in value for key in keywords(item)] if isinstance(value, list) else []


def test_every_reference_leads_somewhere(schema: JsonObject) -> None:
    definitions = schema["definitions"]
    assert isinstance(definitions, dict)
    assert set(references(schema)) <= {f"#/definitions/{name}" for name in definitions}


def references(value: Json) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    if not isinstance(value, dict):
        return []
    own = value.get("$ref")
    return [*([own] if isinstance(own, str) else []), *(ref for inner in value.values() for ref in references(inner))]


def test_it_accepts_every_part_of_the_language(schema: JsonObject) -> None:
    assert complaints(schema, SOUND) == []


def test_it_accepts_the_shipped_rules(schema: JsonObject) -> None:
    assert complaints(schema, ROUTES.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", PARTS)
def test_it_accepts_a_part_as_check_does(rules: Rules, text: str) -> None:
    assert complaints(json_schema(part=True), text) == []
    (rules.path.parent / "part.yaml").write_text(text)
    rules.write("routes: [{name: main, on: deal.lost, deliver: [{to: x, text: y}]}]\ninclude: part.yaml\n", head=MAIN)
    rules.load()


@pytest.mark.parametrize("text", NO_PARTS)
def test_it_catches_what_is_no_part_as_check_does(rules: Rules, text: str) -> None:
    assert complaints(json_schema(part=True), text)
    (rules.path.parent / "part.yaml").write_text(text)
    rules.write("routes: [{name: main, on: deal.lost, deliver: [{to: x, text: y}]}]\ninclude: part.yaml\n", head=MAIN)
    assert any("part.yaml:1:" in problem for problem in rules.problems())


@pytest.mark.parametrize("text", INCLUDES)
def test_sections_may_be_left_to_included_files(schema: JsonObject, text: str) -> None:
    assert complaints(schema, f"version: 1\n{text}") == []


@pytest.mark.parametrize("text", NO_INCLUDES)
def test_it_catches_a_wrong_include_as_check_does(schema: JsonObject, rules: Rules, text: str) -> None:
    assert complaints(schema, f"version: 1\n{text}")
    rules.write(f"routes: [{{name: main, on: deal.lost, deliver: [{{to: screen, text: y}}]}}]\n{text}\n")
    assert any("include" in problem for problem in rules.problems())


@pytest.mark.parametrize("name", CAUGHT)
def test_it_catches_what_check_would_catch(schema: JsonObject, name: str) -> None:
    assert complaints(schema, (BROKEN / f"{name}.yaml").read_text(encoding="utf-8"))


def test_it_knows_every_type_trigger_event_and_operator(schema: JsonObject) -> None:
    definitions = schema["definitions"]
    assert isinstance(definitions, dict)
    names = {f"source.{name}" for name in source_types()} | {f"target.{name}" for name in target_types()}
    assert names | {f"action.{name}" for name in target_types()} <= set(definitions)
    crm = source_types()["rdstation_crm"]
    event = definitions["event"]
    assert isinstance(event, dict)
    assert isinstance(event["anyOf"], list)
    known = event["anyOf"][0]
    assert isinstance(known, dict)
    assert known["enum"] == [*crm.triggers, *crm.events, *Bridge.events]
    assert isinstance(known["enumDescriptions"], list)
    assert known["enumDescriptions"][-1] == "Refused rules were mended."
    assert len(known["enumDescriptions"]) == len(known["enum"])
    assert all(known["enumDescriptions"])


def test_it_describes_the_operators_there_are() -> None:
    assert tuple(DESCRIBED) == OPERATORS


def test_every_key_is_described(schema: JsonObject) -> None:
    definitions = schema["definitions"]
    assert isinstance(definitions, dict)
    bare = [
        f"{name}.{key}"
        for name, definition in {**definitions, "file": schema, "part": json_schema(part=True)}.items()
        if isinstance(definition, dict)
        for key, value in described(definition)
        if "description" not in meant(value, definitions) and value != {"const": name.partition(".")[2]}
    ]
    assert bare == []


def meant(value: JsonObject, definitions: JsonObject) -> JsonObject:
    """Return a schema with what it refers to."""
    referred = definitions[str(value["$ref"]).rpartition("/")[2]] if "$ref" in value else {}
    return {**referred, **value} if isinstance(referred, dict) else value


def described(definition: JsonObject) -> list[tuple[str, JsonObject]]:
    properties = definition.get("properties", {})
    assert isinstance(properties, dict)
    return [(key, value) for key, value in properties.items() if isinstance(value, dict)]
