import json

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge

ADDRESS = "https://bridge.example.com/hooks/crm/s3cret-of-the-source"


@pytest.mark.usefixtures("daemon")
def test_every_source_is_named_with_its_address(runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["address"])
    assert (result.exit_code, result.stdout) == (0, f"crm  {ADDRESS}\n")


@pytest.mark.usefixtures("daemon")
def test_the_address_of_one_source_stands_alone_to_be_pasted(runner: CliRunner) -> None:
    assert runner.invoke(bridge, ["address", "crm"]).stdout == f"{ADDRESS}\n"


@pytest.mark.usefixtures("daemon")
def test_addresses_are_json_on_demand(runner: CliRunner) -> None:
    (source,) = json.loads(runner.invoke(bridge, ["address", "--format", "json"]).stdout)["sources"]
    assert (source["type"], source["addresses"]) == ("rdstation_crm", [ADDRESS])


@pytest.mark.usefixtures("daemon")
def test_a_source_that_is_not_there_is_misuse(runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["address", "none"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there are: crm" in result.stderr
