import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from bridge.model import Attempt, Delivery, DeliveryState, Limits, Outcome, new_id
from bridge.store.nouns import Settlement
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import Shop


async def a_loss(shop: Shop) -> tuple[Delivery, ...]:
    (lost,) = await shop.receive(Deal("d1").lost())
    await shop.attempt("sales", Outcome.PERMANENT, DeliveryState.DEAD, "channel not found")
    return tuple(await shop.deliveries(lost))


@pytest.mark.parametrize("served", [False, True])
def test_deliveries_are_listed(shop: BackgroundShop, runner: CliRunner, *, served: bool) -> None:
    sales, billing = shop.do(a_loss)
    if served:
        shop.serve()
    result = runner.invoke(bridge, ["deliveries"])
    rows = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert "dead" in rows[sales.id]
    assert "channel not found" in rows[sales.id]
    assert "pending" in rows[billing.id]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--state", "dead"], ["sales"]),
        (["--target", "billing"], ["billing"]),
        (["--route", "people"], []),
        (["--event", "evt_none"], []),
        (["--until", "2020-01-01"], []),
    ],
)
def test_filters_choose(shop: BackgroundShop, runner: CliRunner, filters: list[str], found: list[str]) -> None:
    shop.do(a_loss)
    result = runner.invoke(bridge, ["deliveries", "--format", "json", *filters])
    assert [each["target"] for each in json.loads(result.stdout)["deliveries"]] == found


@pytest.mark.parametrize("served", [False, True])
def test_one_delivery_is_shown_with_message_and_attempts(
    shop: BackgroundShop, runner: CliRunner, *, served: bool
) -> None:
    sales, billing = shop.do(a_loss)
    if served:
        shop.serve()
    result = runner.invoke(bridge, ["deliveries", sales.id])
    for shown in ("losses → sales", "dead", "Loja Ação lost: Preço", "permanent  503  250ms  channel not found"):
        assert shown in result.stdout
    assert "none yet" in runner.invoke(bridge, ["deliveries", billing.id]).stdout


def test_one_that_waits_shows_how_its_schedule_stands(shop: BackgroundShop, runner: CliRunner) -> None:
    async def uncertain(shop: Shop) -> str:
        await shop.receive(Deal("d1").lost())
        (claim,) = await shop.store.claim("sales", Limits(1), timedelta(minutes=1))
        now = shop.clock.now()
        attempt = Attempt(new_id("att"), claim.delivery.id, 1, Outcome.UNKNOWN, "schedule", now, 0.1)
        end = now + timedelta(days=1)
        again = Settlement(DeliveryState.PENDING, now, "timed out", failure=True, give_up_at=end)
        await shop.store.record(claim, attempt, again)
        return claim.delivery.id

    delivery = shop.do(uncertain)
    shown = runner.invoke(bridge, ["deliveries", delivery]).stdout
    for fact in ("failures  1", "gives up  2026-11-25", "uncertain an attempt may have arrived"):
        assert fact in shown


def test_a_message_is_shown_even_when_the_rules_are_broken(shop: BackgroundShop, runner: CliRunner) -> None:
    sales, _ = shop.do(a_loss)
    (shop.folder / "routes.yaml").write_text("version: 9")
    result = runner.invoke(bridge, ["deliveries", sales.id])
    assert result.exit_code == 0
    assert "Loja Ação lost: Preço" in result.stdout


def test_an_id_and_filters_exclude_each_other(runner: CliRunner) -> None:
    assert runner.invoke(bridge, ["deliveries", "dlv_1", "--state", "dead"]).exit_code == 2
