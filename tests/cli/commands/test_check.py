import gc
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from tests.support.shop import RULES

BROKEN = RULES.replace("deal.lost", "deal.lots").replace('{to: sales, text: "{{ contact.name }}"}', "{to: slaes}")
UNUSED = RULES.replace("routes:", "  spare: {type: log}\nroutes:")


def write(folder: Path, text: str, name: str = "routes.yaml") -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_rules_without_problems_print_nothing_but_a_summary(folder: Path, runner: CliRunner) -> None:
    write(folder, RULES)
    result = runner.invoke(bridge, ["check"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "routes.yaml: no problems\n")


def test_a_check_leaves_the_process_as_it_was(folder: Path, runner: CliRunner) -> None:
    write(folder, BROKEN)
    assert runner.invoke(bridge, ["check"]).exit_code == 1
    assert gc.isenabled()


def test_a_problem_of_an_included_file_is_told_there(folder: Path, runner: CliRunner) -> None:
    write(folder, RULES + "include: routes.d/*.yaml\n")
    (folder / "routes.d").mkdir()
    write(folder / "routes.d", "routes: [{name: x, on: deal.lots, deliver: []}]", "team.yaml")
    result = runner.invoke(bridge, ["check", "--format", "json"])
    places = [(each["file"], each["line"], each["column"]) for each in json.loads(result.stdout)["problems"]]
    assert places == [("routes.d/team.yaml", 1, 24), ("routes.d/team.yaml", 1, 44)]


def test_every_problem_is_a_line_that_editors_can_open(folder: Path, runner: CliRunner) -> None:
    write(folder, BROKEN, "other.yaml")
    result = runner.invoke(bridge, ["check", "other.yaml"])
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0].startswith("other.yaml:9:9: unknown-event: ")
    assert lines[0].endswith('; did you mean "deal.lost"?')
    assert lines[1].startswith("other.yaml:17:14: unknown-target: ")
    assert result.stderr == f"other.yaml: {len(lines)} problems\n"


def test_problems_are_json_on_demand(folder: Path, runner: CliRunner) -> None:
    write(folder, BROKEN)
    result = runner.invoke(bridge, ["check", "--format", "json"])
    answer = json.loads(result.stdout)
    assert result.exit_code == 1
    assert answer["warnings"] == []
    first = answer["problems"][0]
    assert (first["file"], first["line"], first["column"], first["code"]) == ("routes.yaml", 9, 9, "unknown-event")
    assert first["hint"] == 'did you mean "deal.lost"?'


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--strict"], 1)])
def test_warnings_are_shown_and_fail_when_strict(
    folder: Path, runner: CliRunner, arguments: list[str], code: int
) -> None:
    write(folder, UNUSED)
    result = runner.invoke(bridge, ["check", *arguments])
    assert result.exit_code == code
    assert '"spare"' in result.stdout
    assert result.stderr == "routes.yaml: no problems, 1 warning\n"


def test_a_file_that_is_not_there_is_misuse(runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["check", "none.yaml"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "none.yaml" in result.stderr


def test_the_file_of_the_environment_is_checked_when_none_is_named(folder: Path, runner: CliRunner) -> None:
    write(folder, RULES, "elsewhere.yaml")
    result = runner.invoke(bridge, ["check"], env={"BRIDGE_ROUTES": "elsewhere.yaml"})
    assert result.stderr == "elsewhere.yaml: no problems\n"


def test_secrets_of_the_environment_are_not_in_the_problems(folder: Path, runner: CliRunner) -> None:
    write(folder, BROKEN.replace("s3cret-of-the-source", '"${CRM_SECRET}"'))
    result = runner.invoke(bridge, ["check"], env={"CRM_SECRET": "h1dden"})
    assert result.exit_code == 1
    assert "h1dden" not in result.output
