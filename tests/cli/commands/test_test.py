import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  screen: {type: log}
routes:
  - name: lost
    on: deal.lost
    deliver: [{to: screen, text: "{{ deal.name }}"}]
"""
PASSES = "tests:\n  - {name: passes, steps: [{send: deal.lost}, {expect: [{to: screen}]}]}\n"
FAILS = "tests:\n  - {name: fails, steps: [{send: deal.lost}, {expect: nothing}]}\n"
LATER = RULES.replace('}}"}]', '}}", delay: 3d}]')
TWICE = "  - {name: twice, steps: [{send: deal.lost}, {wait: 2h}, {send: deal.lost}, {expect: nothing}]}\n"
TOO_SOON = "  - {name: too soon, steps: [{send: deal.lost}, {expect: [{to: screen}]}]}\n"
TOO_LATE = "  - {name: too late, steps: [{send: deal.lost}, {wait: 4d}, {expect: [{to: screen, after: 2d}]}]}\n"


@pytest.fixture
def rules(folder: Path) -> Path:
    (folder / "routes.yaml").write_text(RULES + PASSES, encoding="utf-8")
    (folder / "tests").mkdir()
    return folder


def test_tests_of_the_rules_and_beside_them_are_run(rules: Path, runner: CliRunner) -> None:
    (rules / "tests" / "more.yaml").write_text(FAILS, encoding="utf-8")
    result = runner.invoke(bridge, ["test"])
    assert result.exit_code == 1
    assert "✓ passes" in result.stdout
    assert "✗ fails\n    tests/more.yaml:2:46" in result.stdout
    assert "+ not expected: to screen" in result.stdout
    assert "2 tests, 1 failure" in result.stderr


@pytest.mark.usefixtures("rules")
def test_all_passed(runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["test"])
    assert (result.exit_code, result.stdout) == (0, "✓ passes\n")


def test_files_that_are_named_are_run_alone(rules: Path, runner: CliRunner) -> None:
    (rules / "other.yaml").write_text(FAILS, encoding="utf-8")
    result = runner.invoke(bridge, ["test", "other.yaml", "--format", "json"])
    told = json.loads(result.stdout)
    assert (result.exit_code, told["passed"], told["failed"]) == (1, 0, 1)
    assert told["tests"][0]["failure"]["line"] == 2


def test_rules_that_are_named_are_tested(rules: Path, runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["test", "routes.yaml"])
    assert (result.exit_code, result.stdout) == (0, "✓ passes\n")
    (rules / "others.yaml").write_text(RULES + PASSES, encoding="utf-8")
    result = runner.invoke(bridge, ["test", "others.yaml"])
    assert result.exit_code == 1
    assert "others.yaml:6:1: unknown-key: the file holds rules, and a file of tests is wanted here" in result.output
    assert "name rules with --routes" in result.output


def test_junit_tells_each_test(rules: Path, runner: CliRunner) -> None:
    (rules / "tests" / "more.yaml").write_text(FAILS, encoding="utf-8")
    runner.invoke(bridge, ["test", "--junit", "results.xml"])
    root = ET.parse(rules / "results.xml").getroot()  # noqa: S314 (our own)
    assert [(case.get("name"), case.find("failure") is None) for case in root.iter("testcase")] == [
        ("passes", True),
        ("fails", False),
    ]


def test_junit_is_xml_whatever_is_in_the_tests(rules: Path, runner: CliRunner) -> None:
    named = FAILS.replace("name: fails", 'name: "a\\x00\\e]]><&\\uffff"')
    (rules / "tests" / "more.yaml").write_text(named, encoding="utf-8")
    runner.invoke(bridge, ["test", "--junit", "results.xml"])
    root = ET.parse(rules / "results.xml").getroot()  # noqa: S314 (our own)
    assert [case.get("name") for case in root.iter("testcase")] == ["passes", "a��]]><&�"]


def test_no_tests_and_no_rules_are_misuse(folder: Path, runner: CliRunner) -> None:
    assert runner.invoke(bridge, ["test"]).exit_code == 2
    (folder / "routes.yaml").write_text(RULES, encoding="utf-8")
    assert runner.invoke(bridge, ["test"]).exit_code == 2


def test_where_there_are_no_tests_one_that_passes_is_shown_to_begin_with(folder: Path, runner: CliRunner) -> None:
    (folder / "routes.yaml").write_text(RULES, encoding="utf-8")
    shown = runner.invoke(bridge, ["test"]).stderr
    _, _, first = shown.partition("; begin with:\n\n")
    assert first.startswith("tests:\n")
    (folder / "routes.yaml").write_text(RULES + first, encoding="utf-8")
    result = runner.invoke(bridge, ["test"])
    assert (result.exit_code, result.stdout) == (0, "✓ lost tells what it should\n")


def test_problems_of_a_file_of_tests_are_told_with_their_place(rules: Path, runner: CliRunner) -> None:
    (rules / "tests" / "more.yaml").write_text("tests: [{name: x, steps: [{send: deal.lots}]}]\n", encoding="utf-8")
    result = runner.invoke(bridge, ["test"])
    assert result.exit_code == 1
    assert "tests/more.yaml:1:34: unknown-sample" in result.stderr


def test_what_came_before_the_last_event_is_told_so(folder: Path, runner: CliRunner) -> None:
    (folder / "routes.yaml").write_text(RULES + "tests:\n" + TWICE, encoding="utf-8")
    told = runner.invoke(bridge, ["test"]).stdout
    assert "to screen, delivered, 7201s before the last event, by lost" in told, "an event of a test takes a second"


def test_what_came_at_another_time_is_told_with_the_time_as_tests_say_it(folder: Path, runner: CliRunner) -> None:
    (folder / "routes.yaml").write_text(LATER + "tests:\n" + TOO_SOON + TOO_LATE, encoding="utf-8")
    told = runner.invoke(bridge, ["test"]).stdout
    assert "came near: to screen, deferred, by lost (held until its time has come)" in told
    assert "came near: to screen, delivered, 3d after the last event, by lost" in told
    assert "after: expected 2d, came after 3d" in told
