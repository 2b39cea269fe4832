import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from bridge.model import Attempt, Delivery, DeliveryState, Limits, Outcome, new_id
from bridge.store.nouns import Settlement
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import RULES, Shop, load_rules


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


async def two_held(shop: Shop) -> list[Delivery]:
    lost = await shop.receive(Deal("d1").lost(), Deal("d2").lost())
    return [delivery for event in lost for delivery in await shop.deliveries(event)]


@pytest.mark.usefixtures("zone")
def test_what_is_told_later_says_when(later: BackgroundShop, runner: CliRunner) -> None:
    one, _ = later.do(two_held)
    when = "held for its digest; due 2026-11-24 18:00:00"
    assert when in runner.invoke(bridge, ["deliveries", "--state", "deferred"]).stdout
    shown = runner.invoke(bridge, ["deliveries", one.id]).stdout
    assert when in shown
    assert f"none yet; what it would be by now: bridge explain {one.event_id}" in shown


def test_what_was_taken_back_before_it_had_a_message_says_so(later: BackgroundShop, runner: CliRunner) -> None:
    one, _ = later.do(two_held)
    assert runner.invoke(bridge, ["discard", one.id, "--reason", "a mistake", "--yes"]).exit_code == 0
    shown = runner.invoke(bridge, ["deliveries", one.id]).stdout
    assert "none: it was cancelled before there was one" in shown
    assert "due" not in shown


def test_a_message_that_could_not_be_rendered_says_so(shop: BackgroundShop, runner: CliRunner) -> None:
    async def failing(shop: Shop) -> Delivery:
        broken = RULES.replace("{{ deal.name }} lost", "{{ 1 / (deal.amount_total - deal.amount_total) }} lost")
        shop.rules = load_rules(shop.folder, shop.clock, broken)
        (lost,) = await shop.receive(Deal("d1").lost())
        return (await shop.deliveries(lost))[0]

    assert "none: it could not be rendered" in runner.invoke(bridge, ["deliveries", shop.do(failing).id]).stdout


def test_a_message_is_shown_even_when_the_rules_are_broken(shop: BackgroundShop, runner: CliRunner) -> None:
    sales, _ = shop.do(a_loss)
    (shop.folder / "routes.yaml").write_text("version: 9")
    result = runner.invoke(bridge, ["deliveries", sales.id])
    assert result.exit_code == 0
    assert "Loja Ação lost: Preço" in result.stdout


def test_the_id_of_an_event_is_told_as_what_it_is(shop: BackgroundShop, runner: CliRunner) -> None:
    sales, _ = shop.do(a_loss)
    told = runner.invoke(bridge, ["deliveries", sales.event_id]).stderr
    assert f"that is the id of an event: bridge events {sales.event_id}" in told
    assert "that is the id" not in runner.invoke(bridge, ["deliveries", "dlv_none"]).stderr
    for command in ("events", "explain", "replay"):
        told = runner.invoke(bridge, [command, sales.id]).stderr
        assert f"a delivery, which names its event: bridge deliveries {sales.id}" in told


def test_an_id_and_filters_exclude_each_other(runner: CliRunner) -> None:
    assert runner.invoke(bridge, ["deliveries", "dlv_1", "--state", "dead"]).exit_code == 2
