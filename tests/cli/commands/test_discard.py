import json

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from bridge.store.nouns import DeliveryQuery
from tests.support.background import BackgroundShop
from tests.support.shop import Shop, two_dead

WHY = ["--reason", "told by phone"]


async def states(shop: Shop) -> list[str]:
    listed = await shop.operations.deliveries(DeliveryQuery(target="sales"))
    return [each["state"] for each in reversed(listed["deliveries"])]


@pytest.mark.parametrize("served", [False, True])
def test_ids_are_discarded_after_asking(shop: BackgroundShop, runner: CliRunner, *, served: bool) -> None:
    dead = shop.do(two_dead)
    if served:
        shop.serve()
    refused = runner.invoke(bridge, ["discard", *dead, *WHY], input="n\n")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "Discard 2 deliveries?" in refused.stderr
    result = runner.invoke(bridge, ["discard", *dead, *WHY], input="y\n")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [[id_, "cancelled"] for id_ in dead]
    assert "told by phone" in runner.invoke(bridge, ["deliveries", dead[0]]).stdout


def test_filters_choose_the_dead_and_a_limit_the_oldest_of_them(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(two_dead)
    result = runner.invoke(bridge, ["discard", "--route", "losses", "--limit", "1", *WHY], input="y\n")
    assert "Discard 1 delivery, the oldest of 2?" in result.stderr
    assert "1 delivery left for another time." in result.stderr
    assert shop.do(states) == ["cancelled", "dead"]


def test_yes_does_not_ask(shop: BackgroundShop, runner: CliRunner) -> None:
    dead = shop.do(two_dead)
    result = runner.invoke(bridge, ["discard", *dead, *WHY, "--yes", "--format", "json"])
    assert json.loads(result.stdout) == {"dry_run": False, "discarded": dead, "skipped": [], "left": 0}


def test_where_there_is_nobody_to_ask_it_is_said_what_to_add(shop: BackgroundShop, runner: CliRunner) -> None:
    dead = shop.do(two_dead)
    result = runner.invoke(bridge, ["discard", dead[0], *WHY])
    assert result.exit_code == 2
    assert "there is nobody to ask: add --yes" in result.stderr
    assert runner.invoke(bridge, ["discard", dead[0], *WHY], input="n\n").exit_code == 1


def test_what_cannot_be_discarded_is_told_and_nothing_done_is_exit_code_1(
    shop: BackgroundShop, runner: CliRunner
) -> None:
    dead = shop.do(two_dead)
    runner.invoke(bridge, ["discard", dead[0], *WHY, "--yes"])
    result = runner.invoke(bridge, ["discard", dead[0], *WHY])
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{dead[0]} is left as it is: it is cancelled" in result.stderr
    result = runner.invoke(bridge, ["discard", "--target", "billing", *WHY])
    assert (result.exit_code, "No such delivery is dead" in result.stderr) == (1, True)


@pytest.mark.parametrize("arguments", [WHY, ["dlv_1", "--state", "dead", *WHY], ["dlv_1"], ["dlv_1", "--reason", " "]])
def test_ids_or_filters_and_a_reason_are_needed(runner: CliRunner, arguments: list[str]) -> None:
    assert runner.invoke(bridge, ["discard", *arguments]).exit_code == 2
