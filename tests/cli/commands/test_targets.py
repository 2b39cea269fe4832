import json

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from bridge.model import DeliveryState, Outcome
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import Shop


async def one_paused(shop: Shop) -> None:
    await shop.receive(Deal("d1").lost(), Deal("d2").lost())
    await shop.attempt("sales", Outcome.PERMANENT, DeliveryState.DEAD, "refused")
    await shop.store.pause("billing", "the service moves")


@pytest.mark.parametrize("served", [False, True])
def test_targets_are_listed_with_what_holds_them_and_what_waits(
    shop: BackgroundShop, runner: CliRunner, *, served: bool
) -> None:
    shop.do(one_paused)
    if served:
        shop.serve()
    result = runner.invoke(bridge, ["targets"])
    assert result.exit_code == 0
    titles, sales, billing = (line.split() for line in result.stdout.splitlines())
    assert titles[:4] == ["TARGET", "TYPE", "STATE", "SINCE"]
    assert sales == ["sales", "log", "ready", "4", "1", "1"], "at once, pending, dead"
    assert billing[:3] == ["billing", "http", "paused"]
    assert billing[5:] == ["4", "2", "the", "service", "moves"], "at once, parked, why"


def test_targets_are_json_on_demand(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(one_paused)
    sales, billing = json.loads(runner.invoke(bridge, ["targets", "--format", "json"]).stdout)["targets"]
    assert (sales["state"], sales["deliveries"]["dead"], sales["deliveries"]["pending"]) == ("ready", 1, 1)
    assert (billing["state"], billing["deliveries"]["parked"]) == ("paused", 2)


def test_broken_rules_do_not_keep_the_store_from_telling(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(one_paused)
    (shop.folder / "routes.yaml").write_text("version: 9")
    result = runner.invoke(bridge, ["targets"])
    assert (result.exit_code, "billing" in result.stdout, "sales" in result.stdout) == (0, True, True)


def test_without_a_daemon_and_a_store_there_is_nothing_to_list(runner: CliRunner) -> None:
    assert runner.invoke(bridge, ["targets"]).exit_code == 1
