import json

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import Shop


async def a_loss(shop: Shop) -> None:
    await shop.receive(Deal("d1").lost())


@pytest.mark.parametrize("served", [False, True])
def test_a_target_is_paused_and_what_waits_for_it_is_parked(
    shop: BackgroundShop, runner: CliRunner, *, served: bool
) -> None:
    shop.do(a_loss)
    if served:
        shop.serve()
    result = runner.invoke(bridge, ["pause", "sales", "--reason", "the service moves"])
    assert result.exit_code == 0
    assert result.stdout.startswith("  sales  paused since ")
    assert result.stdout.endswith(" by a person: the service moves\n")
    assert "1 delivery parked" in result.stderr
    listed = runner.invoke(bridge, ["deliveries", "--state", "parked", "--target", "sales"])
    assert "the target is paused: the service moves" in listed.stdout


def test_a_target_that_was_paused_keeps_its_first_reason(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(a_loss)
    assert runner.invoke(bridge, ["pause", "sales", "--reason", "the first"]).exit_code == 0
    result = runner.invoke(bridge, ["pause", "sales", "--reason", "another"])
    assert (result.exit_code, "It was paused already:" in result.stderr) == (1, True)
    assert "the first" in result.stdout


def test_the_answer_is_json_on_demand(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(a_loss)
    answer = json.loads(runner.invoke(bridge, ["pause", "sales", "--format", "json"]).stdout)
    assert (answer["changed"], answer["target"]["reason"]) == (True, "no reason was given")


@pytest.mark.parametrize("served", [False, True])
@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_target_that_nobody_knows_is_misuse(
    shop: BackgroundShop, runner: CliRunner, command: str, *, served: bool
) -> None:
    shop.do(a_loss)
    if served:
        shop.serve()
    result = runner.invoke(bridge, [command, "slaes"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert 'there is no target "slaes"; did you mean "sales"?' in result.stderr


def test_without_a_daemon_and_a_store_there_is_nothing_to_pause(runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["pause", "sales"])
    assert (result.exit_code, "nothing is stored there" in result.stderr) == (1, True)
