import asyncio
import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli.main import bridge
from tests.support.contract_server import ContractServer, Step, says
from tests.support.shop import RULES

BROKEN = RULES.replace("deal.lost", "deal.lots").replace('{to: sales, text: "{{ contact.name }}"}', "{to: slaes}")
UNUSED = RULES.replace("routes:", "  spare: {type: log}\nroutes:")
OFTEN = """\
version: 1
sources: {crm: {type: rdstation_crm}}
targets:
  sales: {type: slack, token: xoxb-1, channel: C0123SALES}
  billing: {type: http, url: "https://billing.example.com"}
  screen: {type: log}
windows: {office: {days: mon-fri, from: "09:00", to: "18:00"}}
routes:
  - name: lost
    on: deal.lost
    match: {amount_total: {gte: 5000}}
    deliver:
      - {to: sales, text: "{{ deal.name }}: {{ deal.amount_total | money }}", within: office}
      - {to: billing, body: {customer: "{{ deal.name }}"}}
      - {to: screen, text: "{{ deal.closed_at | datetime }}"}
"""
"""What many rules have: none of it takes more than to be read and rendered."""
NEEDLESS = {
    *("aiohttp", "tenacity", "cryptography", "bridge.rdstation.api.connecting", "bridge.component.client"),  # sends
    *("asyncio", "concurrent.futures", "ssl", "uvloop", "bridge.component.threads"),  # waits
    *("apsw", "bridge.store.sqlite", "structlog", "prometheus_client", "pydantic_settings", "bridge.app"),  # runs
    *("rich", "matplotlib", "bridge.config.schema", "bridge.control.client"),  # shows
    *("holidays", "phonenumbers", "re2", "icalendar", "jwt", "sqlalchemy", "markdown_it"),  # unnamed
    "bridge.targets.email",
}
CHECK = """
import sys
from bridge.__main__ import main
sys.argv = ["bridge", "check"]
try:
    main()
finally:
    print(*sys.modules)
"""


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


def test_what_a_check_does_not_need_is_not_loaded(folder: Path) -> None:
    write(folder, OFTEN)
    done = subprocess.run([sys.executable, "-c", CHECK], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603 (ours)
    assert done.stderr == "routes.yaml: no problems\n"
    assert {"bridge.targets.slack", "bridge.targets.http", "bridge.targets.log"} <= {*done.stdout.split()}
    assert NEEDLESS & {*done.stdout.split()} == set()


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
    assert "there is no file none.yaml; bridge init writes rules to begin with" in result.stderr


def test_the_file_of_the_environment_is_checked_when_none_is_named(folder: Path, runner: CliRunner) -> None:
    write(folder, RULES, "elsewhere.yaml")
    result = runner.invoke(bridge, ["check"], env={"BRIDGE_ROUTES": "elsewhere.yaml"})
    assert result.stderr == "elsewhere.yaml: no problems\n"


def test_secrets_of_the_environment_are_not_in_the_problems(folder: Path, runner: CliRunner) -> None:
    write(folder, BROKEN.replace("s3cret-of-the-source", '"${CRM_SECRET}"'))
    result = runner.invoke(bridge, ["check"], env={"CRM_SECRET": "h1dden"})
    assert result.exit_code == 1
    assert "h1dden" not in result.output


SLACK = "sales: {type: slack, token: xoxb-hush, channel: C0123SALES, api_url: 'URL/api'}"


async def online(folder: Path, runner: CliRunner, *script: Step, form: str = "table") -> Result:
    """Check rules with one Slack target, whose service answers so."""
    async with ContractServer(*script) as server:
        rules = RULES.replace("sales: {type: log}", SLACK.replace("URL", server.url))
        write(folder, rules.replace('https://billing.example.com/in"', f'{server.url}/in", probe: /health'))
        return await asyncio.to_thread(runner.invoke, bridge, ["check", "--online", "--format", form])


async def test_targets_are_asked_and_what_they_tell_is_told(folder: Path, runner: CliRunner) -> None:
    told = {"ok": True, "team": "Acme", "user": "bridge", "channel": {"name": "vendas"}}
    result = await online(folder, runner, says(told))
    assert (result.exit_code, result.stdout) == (0, "")
    assert sorted(result.stderr.splitlines()) == [
        "billing: answers 200 to GET /health",
        "routes.yaml: no problems",
        "sales: posts as bridge of Acme in #vendas",
    ]


async def test_a_target_that_is_refused_is_a_problem_at_its_line(folder: Path, runner: CliRunner) -> None:
    result = await online(folder, runner, says({"ok": False, "error": "invalid_auth"}), form="json")
    answer = json.loads(result.stdout)
    assert result.exit_code == 1
    [problem] = answer["problems"]
    assert (problem["line"], problem["column"], problem["code"]) == (5, 3, "target-refused")
    assert "invalid_auth (the token is wrong" in problem["message"]
    assert "xoxb-hush" not in result.stdout + result.stderr
    assert {each["name"]: (each["found"], each["problem"]) for each in answer["targets"]} == {
        "sales": (None, problem["message"]),
        "billing": ("answers 200 to GET /health", None),
    }


def test_without_being_told_to_no_target_is_asked(folder: Path, runner: CliRunner) -> None:
    write(folder, RULES)
    result = runner.invoke(bridge, ["check", "--format", "json"])
    assert "targets" not in json.loads(result.stdout)


def test_targets_of_rules_that_cannot_be_used_are_not_asked(folder: Path, runner: CliRunner) -> None:
    write(folder, BROKEN)
    result = runner.invoke(bridge, ["check", "--online", "--format", "json"])
    assert (result.exit_code, json.loads(result.stdout)["targets"]) == (1, [])


def test_a_template_that_fails_with_a_sample_is_a_problem(folder: Path, runner: CliRunner) -> None:
    write(folder, RULES.replace("{{ contact.name }}", "{% set c = contact %}{{ c.nmae }}"))
    result = runner.invoke(bridge, ["check"])
    assert result.exit_code == 1
    assert result.stdout.startswith("routes.yaml:17:")
    assert 'template-fails: "text" of entry 1 of route "people" fails with the sample crm_contact_' in result.stdout
