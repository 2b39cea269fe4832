import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import Shop


async def a_paused_target(shop: Shop) -> None:
    await shop.receive(Deal("d1").lost())
    await shop.store.pause("sales", "the service moves")


@pytest.mark.parametrize("served", [False, True])
def test_a_target_is_let_go(shop: BackgroundShop, runner: CliRunner, *, served: bool) -> None:
    shop.do(a_paused_target)
    if served:
        shop.serve()
    result = runner.invoke(bridge, ["resume", "sales"])
    assert (result.exit_code, result.stdout) == (0, "  sales  ready\n")
    assert "1 delivery waiting" in result.stderr
    assert "sales" in runner.invoke(bridge, ["deliveries", "--state", "pending", "--target", "sales"]).stdout


def test_a_target_that_nothing_holds_is_told_with_exit_code_1(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(a_paused_target)
    result = runner.invoke(bridge, ["resume", "billing"])
    assert (result.exit_code, "There is nothing to resume:" in result.stderr) == (1, True)
    assert result.stdout == "  billing  ready\n"


def test_one_that_is_not_in_the_rules_stays_held_and_says_so(shop: BackgroundShop, runner: CliRunner) -> None:
    async def gone(shop: Shop) -> None:
        await a_paused_target(shop)
        await shop.store.adopt(["billing"])

    shop.do(gone)
    result = runner.invoke(bridge, ["resume", "sales"])
    assert result.exit_code == 0
    assert result.stdout.startswith("  sales  gone since ")
    assert result.stdout.endswith(": it is not in the rules any more\n")
