import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from bridge.model import DeliveryState, Outcome
from bridge.store.nouns import Retention
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import RULES, Shop


async def lost_and_dead(shop: Shop) -> list[str]:
    """Receive two losses whose messages to sales die; return the ids of the events."""
    events = await shop.receive(Deal("d1").lost(), Deal("d2").lost())
    for _ in events:
        await shop.attempt("sales", Outcome.PERMANENT, DeliveryState.DEAD, "refused")
    return [event.id for event in events]


async def a_loss(shop: Shop) -> str:
    return (await shop.receive(Deal("d1").lost()))[0].id


async def a_small_loss(shop: Shop) -> str:
    return (await shop.receive(Deal("d1", amount_total=10).lost()))[0].id


@pytest.mark.parametrize("served", [False, True])
def test_an_event_that_no_route_wanted_is_sent_by_the_rules_of_today(
    shop: BackgroundShop, runner: CliRunner, *, served: bool
) -> None:
    lost = shop.do(a_small_loss)
    if served:
        shop._rules = RULES.replace("5000", "5")
        shop.serve()
    else:
        (shop.folder / "routes.yaml").write_text(RULES.replace("5000", "5"), encoding="utf-8")
    result = runner.invoke(bridge, ["replay", lost])
    assert result.exit_code == 0
    assert f"{lost}  crm_deal_updated  routed" in result.stdout
    assert "losses → sales" in result.stdout


def test_what_is_on_its_way_is_left_out_with_the_way_to_send_it_again(shop: BackgroundShop, runner: CliRunner) -> None:
    lost = shop.do(a_loss)
    result = runner.invoke(bridge, ["replay", lost])
    assert result.exit_code == 1
    assert "--again" in result.stdout
    assert runner.invoke(bridge, ["replay", lost, "--again"]).exit_code == 0


def test_what_no_route_wants_points_to_the_explanation(shop: BackgroundShop, runner: CliRunner) -> None:
    lost = shop.do(a_small_loss)
    result = runner.invoke(bridge, ["replay", lost])
    assert result.exit_code == 1
    assert f"bridge explain {lost}" in result.stdout


def test_of_many_that_get_nothing_the_number_is_told_with_the_reason(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(a_loss)
    result = runner.invoke(bridge, ["replay", "--source", "crm", "--route", "people", "--yes"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Nothing added for 1 event: the route does not match; why: bridge explain EVENT_ID" in result.stderr


def test_filters_ask_first_with_the_count(shop: BackgroundShop, runner: CliRunner) -> None:
    lost = shop.do(a_loss)
    refused = runner.invoke(bridge, ["replay", "--source", "crm", "--again"], input="n\n")
    assert "Replay 1 event, which adds 2 deliveries?" in refused.stderr
    assert refused.exit_code == 1
    result = runner.invoke(bridge, ["replay", "--source", "crm", "--again", "--yes", "--format", "json"])
    (event,) = json.loads(result.stdout)["events"]
    assert (event["id"], event["planned"], len(event["added"])) == (lost, 2, 2)


def test_broken_rules_are_told_with_every_problem(shop: BackgroundShop, runner: CliRunner) -> None:
    lost = shop.do(a_loss)
    (shop.folder / "routes.yaml").write_text(RULES.replace("deal.lost", "deal.lots"), encoding="utf-8")
    result = runner.invoke(bridge, ["replay", lost])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "routes.yaml:9:9: unknown-event" in result.stderr


def test_a_limit_and_a_rate_are_told_before_it_is_asked(shop: BackgroundShop, runner: CliRunner) -> None:
    first, _ = shop.do(lost_and_dead)
    everything = ["replay", "--source", "crm"]
    asked = runner.invoke(bridge, [*everything, "--again", "--limit", "1", "--rate", "1/m"], input="n\n").stderr
    assert "Replay 1 event, which adds 2 deliveries, over 1m, and leaves 1 event?" in asked
    result = runner.invoke(bridge, [*everything, "--limit", "1", "--yes", "--format", "json"])
    answer = json.loads(result.stdout)
    assert ([each["id"] for each in answer["events"]], answer["left"]) == ([first], 1)
    result = runner.invoke(bridge, [*everything, "--limit", "1", "--yes"])
    assert result.exit_code == 0, "the next one"
    assert "left for another time" not in result.stderr


@pytest.mark.parametrize("served", [False, True])
def test_what_was_planned_then_is_sent_again_without_any_rules(
    shop: BackgroundShop, runner: CliRunner, *, served: bool
) -> None:
    first, _ = shop.do(lost_and_dead)
    if served:
        shop.serve()
    (shop.folder / "routes.yaml").unlink()
    result = runner.invoke(bridge, ["replay", first, "--as-planned"])
    assert result.exit_code == 0
    assert "losses → sales" in result.stdout
    assert "billing" not in result.stdout, "that one is on its way"


def test_an_event_without_its_body_is_told_with_what_can_be_done(shop: BackgroundShop, runner: CliRunner) -> None:
    async def old_and_let_go(shop: Shop) -> str:
        deal = Deal()
        first, *_ = await shop.receive(deal.lost(), deal.updated(rating=2), deal.updated(rating=3))
        for target in ("sales", "billing"):
            await shop.attempt(target, Outcome.DELIVERED, DeliveryState.DELIVERED)
        shop.clock.advance(days=8)
        bounds, mark = Retention(shop.clock.now() - timedelta(days=30), shop.clock.now()), None
        while (step := await shop.store.prune(bounds, mark)).next:
            mark = step.next
        return first.id

    result = runner.invoke(bridge, ["replay", shop.do(old_and_let_go)])
    assert result.exit_code == 1
    assert result.stdout.endswith(
        "  nothing added: its body is not kept any more: see BRIDGE_KEEP_BODIES, "
        "so it cannot be decided anew; --as-planned sends again what was planned\n"
    )


def test_nothing_planned_then_is_told(shop: BackgroundShop, runner: CliRunner) -> None:
    lost = shop.do(a_small_loss)
    result = runner.invoke(bridge, ["replay", lost, "--as-planned"])
    assert (result.exit_code, "nothing was planned for it" in result.stdout) == (1, True)


def test_one_route_alone_is_replayed(shop: BackgroundShop, runner: CliRunner) -> None:
    first, _ = shop.do(lost_and_dead)
    result = runner.invoke(bridge, ["replay", first, "--route", "people"])
    assert result.exit_code == 1
    assert f"the route does not match; why: bridge explain {first}" in result.stdout
    assert runner.invoke(bridge, ["replay", first, "--route", "losses"]).exit_code == 0
    result = runner.invoke(bridge, ["replay", first, "--route", "loses"])
    assert (result.exit_code, 'did you mean "losses"' in result.stderr) == (2, True)


def test_a_held_target_is_told(shop: BackgroundShop, runner: CliRunner) -> None:
    async def held(shop: Shop) -> str:
        await shop.store.pause("sales", "the service moves")
        return await a_loss(shop)

    result = runner.invoke(bridge, ["replay", shop.do(held), "--again"])
    assert "sales is held, so what goes to it is parked; why: bridge targets" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["evt_1", "--source", "crm"]])
def test_ids_or_filters_are_needed_and_never_both(runner: CliRunner, arguments: list[str]) -> None:
    assert runner.invoke(bridge, ["replay", *arguments]).exit_code == 2
