"""`bridge check --online` beside a CRM: names that rules speak of, held against those that there are."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli.main import bridge
from bridge.simulator import Simulator, SimulatorSettings
from tests.support.daemon import Daemon

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm, api: {token: TOKEN, url: "URL"}}
targets:
  screen: {type: log}
routes:
  - name: losses
    on: deal.lost
    match:
      deal_stage.name: [STAGE, "Propsta"]
      user.email: {ne: "nobody@example.com"}
      deal_lost_reason.name: REASON
      custom.FIELD: {exists: true}
      custom.Cidad: {exists: true}
    deliver: [{to: screen, text: "{{ deal.name }} {{ deal.custom.FIELD }} {{ deal.custom.Regiao }}"}]
"""


@pytest.fixture
async def crm() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings()) as simulator:
        yield simulator


def written(crm: Simulator, folder: Path, token: str = "simulated") -> Path:
    stage = next(iter(next(iter(crm.team.pipelines.values())).stages)).name
    reason = next(iter(crm.team.lost_reasons.values())).name
    label = next(each.name for each in crm.team.fields.values() if each.of == "deal" and each.name.isalpha())
    rules = RULES.replace("TOKEN", token).replace("URL", crm.url).replace("FIELD", label)
    path = folder / "routes.yaml"
    path.write_text(rules.replace("STAGE", json.dumps(stage)).replace("REASON", json.dumps(reason)))
    return path


async def check(path: Path, *arguments: str) -> Result:
    data = ["--data", str(path.parent / "data")]
    return await asyncio.to_thread(CliRunner().invoke, bridge, ["check", str(path), "--online", *data, *arguments])


async def test_a_name_that_the_crm_does_not_have_is_warned_of_where_it_stands(crm: Simulator, tmp_path: Path) -> None:
    result = await check(written(crm, tmp_path))
    assert result.exit_code == 0, result.output
    stage, person, field, template = [line for line in result.stdout.splitlines() if "unknown-name" in line]
    assert 'unknown-name: the CRM has no deal_stage whose name is "Propsta"; did you mean "Proposta' in stage
    assert "routes.yaml:10:7" in stage
    assert 'unknown-name: the CRM has no user whose email is "nobody@example.com"' in person
    assert 'unknown-name: the CRM has no custom field "Cidad"' in field
    assert 'unknown-name: the CRM has no custom field "Regiao"' in template
    assert "crm: its API answers: " in result.stderr


async def test_an_api_that_refuses_is_a_problem_of_the_source(crm: Simulator, tmp_path: Path) -> None:
    result = await check(written(crm, tmp_path, "wr0ng"), "--format", "json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    [problem] = answer["problems"]
    assert (problem["code"], problem["line"]) == ("source-refused", 3)
    assert "copy it again from the profile" in problem["message"]
    assert answer["sources"] == [{"name": "crm", "found": None, "problem": problem["message"]}]
    assert "wr0ng" not in result.output


async def test_an_api_that_is_down_is_told_so(crm: Simulator, tmp_path: Path) -> None:
    path = written(crm, tmp_path)
    path.write_text(path.read_text().replace(crm.url, "http://127.0.0.1:9"))
    result = await check(path)
    assert result.exit_code == 1
    assert 'source-unreachable: source "crm": the CRM cannot be reached' in result.stdout


async def test_a_daemon_that_runs_is_the_one_that_asks(crm: Simulator, tmp_path: Path) -> None:
    daemon, path = Daemon(tmp_path), written(crm, tmp_path)
    try:
        await daemon.start()
        path.write_text(path.read_text().replace("token: simulated", "token: unused"))
        assert "Propsta" in (await check(path)).stdout
    finally:
        await daemon.kill()


async def test_rules_that_speak_of_no_names_ask_whether_the_api_opens_all_the_same(
    crm: Simulator, tmp_path: Path
) -> None:
    path = tmp_path / "routes.yaml"
    head, route = RULES.partition("    match:")[0], '    deliver: [{to: screen, text: "{{ deal.name }}"}]\n'
    path.write_text((head + route).replace("URL", crm.url).replace("TOKEN", "simulated"))
    sound = await check(path)
    assert (sound.exit_code, "crm: its API answers\n" in sound.stderr) == (0, True), sound.output
    path.write_text((head + route).replace("URL", crm.url).replace("TOKEN", "wr0ng"))
    refused = await check(path)
    assert refused.exit_code == 1
    assert "routes.yaml:3:3: source-refused" in refused.stdout
