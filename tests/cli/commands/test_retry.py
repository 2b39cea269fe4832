import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from bridge.store.nouns import DeliveryQuery
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import RULES, Shop, load_rules, two_dead

SALES = DeliveryQuery(target="sales")


async def states(shop: Shop) -> set[str]:
    return {each["state"] for each in (await shop.operations.deliveries(SALES))["deliveries"]}


@pytest.mark.parametrize("served", [False, True])
def test_ids_are_retried_without_asking(shop: BackgroundShop, runner: CliRunner, *, served: bool) -> None:
    dead = shop.do(two_dead)
    if served:
        shop.serve()
    result = runner.invoke(bridge, ["retry", *dead])
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [[id_, "pending"] for id_ in dead]


def test_filters_ask_first_with_the_count(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(two_dead)
    result = runner.invoke(bridge, ["retry", "--target", "sales"], input="n\n")
    assert "Retry 2 deliveries?" in result.stderr
    assert result.exit_code == 1
    assert shop.do(states) == {"dead"}
    assert runner.invoke(bridge, ["retry", "--target", "sales"], input="y\n").exit_code == 0
    assert shop.do(states) == {"pending"}


def test_yes_does_not_ask(shop: BackgroundShop, runner: CliRunner) -> None:
    dead = shop.do(two_dead)
    result = runner.invoke(bridge, ["retry", "--state", "dead", "--yes", "--format", "json"])
    assert json.loads(result.stdout) == {
        "dry_run": False,
        "retried": dead,
        "skipped": [],
        "left": 0,
        "held": [],
    }


def test_a_limit_and_a_rate_are_told_before_it_is_asked(shop: BackgroundShop, runner: CliRunner) -> None:
    dead = shop.do(two_dead)
    retry = ["retry", "--target", "sales"]
    assert "Retry 2 deliveries, over 6s?" in runner.invoke(bridge, [*retry, "--rate", "10/m"], input="n\n").stderr
    result = runner.invoke(bridge, [*retry, "--limit", "1"], input="y\n")
    assert "Retry 1 delivery, the oldest of 2?" in result.stderr
    assert (result.exit_code, result.stdout.split()[0]) == (0, dead[0])
    assert "1 delivery left for another time." in result.stderr


def test_a_rate_makes_them_due_one_after_another(shop: BackgroundShop, runner: CliRunner) -> None:
    dead = shop.do(two_dead)
    shop.serve()
    assert runner.invoke(bridge, ["retry", *dead, "--rate", "1/h"]).exit_code == 0
    shown = json.loads(runner.invoke(bridge, ["deliveries", "--target", "sales", "--format", "json"]).stdout)
    due = {each["id"]: datetime.fromisoformat(each["due_at"]) for each in shown["deliveries"]}
    assert due[dead[1]] - due[dead[0]] == timedelta(hours=1)


@pytest.mark.parametrize("rate", ["quick", "0/m", "10"])
def test_a_rate_that_is_none_is_misuse(runner: CliRunner, rate: str) -> None:
    result = runner.invoke(bridge, ["retry", "dlv_1", "--rate", rate])
    assert (result.exit_code, "write a rate such as" in result.stderr) == (2, True)


def test_a_held_target_is_told_as_what_is_retried_goes_on_waiting(shop: BackgroundShop, runner: CliRunner) -> None:
    async def held(shop: Shop) -> list[str]:
        await shop.store.pause("sales", "the service moves")
        return dead

    dead = shop.do(two_dead)
    result = runner.invoke(bridge, ["retry", *shop.do(held)])
    assert result.exit_code == 0
    assert "sales is held, so what goes to it is parked; why: bridge targets" in result.stderr


def test_nothing_to_retry_is_said_and_is_exit_code_1(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(two_dead)
    result = runner.invoke(bridge, ["retry", "--target", "billing"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "No such delivery is dead; --state chooses others." in result.stderr


def test_a_dead_delivery_without_a_message_is_told_with_the_way_out(shop: BackgroundShop, runner: CliRunner) -> None:
    async def unrendered(shop: Shop) -> tuple[str, str]:
        broken = RULES.replace("{{ deal.name }} lost", "{{ 1 / (deal.amount_total - deal.amount_total) }} lost")
        (lost,) = await replace(shop, rules=load_rules(shop.folder, shop.clock, broken)).receive(Deal().lost())
        return lost.id, (await shop.deliveries(lost))[0].id

    event, delivery = shop.do(unrendered)
    result = runner.invoke(bridge, ["retry", delivery])
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{delivery} is left as it is: it has no message to send" in result.stderr
    assert f"bridge replay {event}" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["dlv_1", "--state", "dead"]])
def test_ids_or_filters_are_needed_and_never_both(runner: CliRunner, arguments: list[str]) -> None:
    assert runner.invoke(bridge, ["retry", *arguments]).exit_code == 2
