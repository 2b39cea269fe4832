import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from bridge.model import DeliveryState, Event, EventState, Outcome
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import Shop


async def a_loss(shop: Shop) -> list[Event]:
    deal = Deal("d1")
    events = await shop.receive(deal.created(), deal.lost())
    await shop.attempt("sales", Outcome.TRANSIENT, DeliveryState.PENDING, "503 from the service")
    return events


async def a_stranger(shop: Shop) -> None:
    reason = "\x1b]0;owned\x07 is no event"
    arrival = "evt_1", "crm", "", None, "x", b"{\x1b[2J", shop.clock.now()
    await shop.store.add(Event(*arrival, state=EventState.QUARANTINED, reason=reason))


def test_without_a_daemon_the_store_is_read_itself_and_that_is_said(shop: BackgroundShop, runner: CliRunner) -> None:
    created, lost = shop.do(a_loss)
    result = runner.invoke(bridge, ["events"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["ID", "RECEIVED", "STATE", "NAME", "ENTITY", "REASON"]
    assert [line.split()[0] for line in lines[1:]] == [lost.id, created.id]
    assert "deal:d1" in lines[1]
    assert "No daemon runs" in result.stderr


def test_with_a_daemon_it_answers(shop: BackgroundShop, runner: CliRunner) -> None:
    _, lost = shop.do(a_loss)
    shop.serve()
    result = runner.invoke(bridge, ["events", "--state", "routed", "--format", "json"])
    assert [event["id"] for event in json.loads(result.stdout)["events"]] == [lost.id]
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--name", "crm_deal_created"], 1),
        (["--source", "crm", "--entity", "deal:d1"], 2),
        (["--entity", "deal:d2"], 0),
        (["--state", "routed", "--state", "unmatched"], 2),
        (["--limit", "1"], 1),
        (["--since", "2026-11-24T12:00:00.5Z"], 1),
        (["--until", "2026-11-24T12:00:00.5Z"], 1),
        (["--until", "2020-01-01"], 0),
    ],
)
def test_filters_choose(shop: BackgroundShop, runner: CliRunner, filters: list[str], found: int) -> None:
    shop.do(a_loss)
    result = runner.invoke(bridge, ["events", "--format", "json", *filters])
    assert len(json.loads(result.stdout)["events"]) == found


def test_one_event_is_shown_with_body_deliveries_and_attempts(shop: BackgroundShop, runner: CliRunner) -> None:
    created, lost = shop.do(a_loss)
    result = runner.invoke(bridge, ["events", lost.id])
    assert result.exit_code == 0
    for shown in (created.id, "deal:d1", '"event_name": "crm_deal_updated"', "losses → sales", "#1", "503 from"):
        assert shown in result.stdout
    assert "try later" in result.stdout


def test_an_event_without_deliveries_points_to_the_explanation(shop: BackgroundShop, runner: CliRunner) -> None:
    created, _ = shop.do(a_loss)
    assert f"bridge explain {created.id}" in runner.invoke(bridge, ["events", created.id]).stdout


def test_what_a_stranger_sent_cannot_steer_the_terminal(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(a_stranger)
    for arguments in (["events"], ["events", "evt_1"]):
        result = runner.invoke(bridge, arguments, color=True)
        assert "\x1b]" not in result.output
        assert "\x1b[2J" not in result.output
        assert "\x07" not in result.output


def test_no_events_is_said_and_is_no_failure(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(lambda shop: shop.receive())
    result = runner.invoke(bridge, ["events"])
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No events." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["evt_none"], 1, 'there is no event "evt_none"'),
        (["--entity", "deal"], 2, "write it as kind:id"),
        (["evt_none", "--state", "routed"], 2, "an event id or filters, not both"),
    ],
)
def test_what_cannot_be_shown_is_told(
    shop: BackgroundShop, runner: CliRunner, arguments: list[str], code: int, message: str
) -> None:
    shop.do(a_loss)
    result = runner.invoke(bridge, ["events", *arguments])
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr


@pytest.mark.parametrize("command", [["events"], ["deliveries"], ["retry", "dlv_1"], ["replay", "evt_1"]])
def test_with_neither_daemon_nor_store_nothing_is_made(runner: CliRunner, folder: Path, command: list[str]) -> None:
    result = runner.invoke(bridge, command)
    assert result.exit_code == 1
    assert "start one with: bridge run" in result.stderr
    assert runner.invoke(bridge, [*command, "--data", "other"]).exit_code == 1
    assert list(folder.iterdir()) == []
