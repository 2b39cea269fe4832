import json

from click.testing import CliRunner

from bridge.cli.main import bridge
from tests.support.background import BackgroundShop

ADDRESS = "https://bridge.example.com/hooks/crm/s3cret-of-the-source"


def test_every_source_is_named_with_its_address(daemon: BackgroundShop, runner: CliRunner) -> None:
    assert daemon
    result = runner.invoke(bridge, ["address"])
    assert (result.exit_code, result.stdout) == (0, f"crm  {ADDRESS}\n")


def test_the_address_of_one_source_stands_alone_to_be_pasted(daemon: BackgroundShop, runner: CliRunner) -> None:
    assert daemon
    assert runner.invoke(bridge, ["address", "crm"]).stdout == f"{ADDRESS}\n"


def test_addresses_are_json_on_demand(daemon: BackgroundShop, runner: CliRunner) -> None:
    assert daemon
    (source,) = json.loads(runner.invoke(bridge, ["address", "--format", "json"]).stdout)["sources"]
    assert (source["type"], source["addresses"]) == ("rdstation_crm", [ADDRESS])


def test_a_source_that_is_not_there_is_misuse(daemon: BackgroundShop, runner: CliRunner) -> None:
    assert daemon
    result = runner.invoke(bridge, ["address", "none"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there are: crm" in result.stderr
