"""Tests of rules reach what the events before have told."""

from pathlib import Path

from click.testing import CliRunner

from bridge.cli.main import bridge

RULES = """
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  screen: {type: log}
routes:
  - name: task-told
    on: task.created
    deliver:
      - to: screen
        text: "{{ task.name }}: {{ task.deal.name | default('sem negociação') }}"
  - name: later
    on: task.created
    debounce: 10m
    deliver:
      - to: screen
        text: "depois: {{ task.deal.name | default('sem negociação') }}"
tests:
  - name: a task is told with the deal that was seen before
    steps:
      - {send: deal.created, set: {deal.id: d1, deal.name: Padaria}}
      - {send: task.created, set: {task.id: t1, task.name: Ligar, task.deal_id: d1}}
      - expect:
          - {to: screen, route: task-told, text: "Ligar: Padaria"}
      - {wait: 10m}
      - expect:
          - {to: screen, route: later, text: "depois: Padaria"}
  - name: a task of a deal that nobody has seen goes without
    steps:
      - {send: task.created, set: {task.id: t1, task.name: Ligar, task.deal_id: d1}}
      - expect:
          - {to: screen, route: task-told, text: "Ligar: sem negociação"}
"""


def test_related_entities_come_from_what_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(RULES)
    result = CliRunner().invoke(bridge, ["test", "--routes", str(path)])
    assert result.exit_code == 0, result.output
    assert "2 tests, no failures" in result.output
    checked = CliRunner().invoke(bridge, ["check", str(path)])
    assert checked.exit_code == 0, checked.output
