import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli.main import bridge
from tests.support.background import BackgroundShop
from tests.support.deals import Deal


def send(runner: CliRunner, *arguments: str) -> Result:
    return runner.invoke(bridge, ["send", *arguments])


def test_a_trigger_is_posted_with_what_must_come_before_it(daemon: BackgroundShop, runner: CliRunner) -> None:
    result = send(runner, "deal.lost")
    assert result.exit_code == 0
    assert [body["document"]["status"] for body in daemon.posted] == ["ongoing", "lost"]
    assert "routed" in result.stdout
    assert "losses → sales  delivered" in result.stdout
    assert "the message: bridge deliveries dlv_" in result.stdout


@pytest.mark.usefixtures("zone")
def test_what_is_told_later_says_when_and_where_to_see_what_it_would_say(
    later: BackgroundShop, runner: CliRunner
) -> None:
    later.serve()
    told = send(runner, "deal.lost").stdout
    assert "losses → sales  deferred\n    held for its digest; due 2026-11-24 18:00:00" in told
    assert "what it would say by now: bridge explain evt_" in told
    assert "the message:" not in told


def test_a_status_that_closes_a_deal_is_posted_as_the_crm_would(daemon: BackgroundShop, runner: CliRunner) -> None:
    settings = ("--set", "document.status=lost", "--set", "document.amount_total=9000")
    result = send(runner, "crm_deal_updated", *settings)
    (body,) = daemon.posted
    assert body["document"]["closed_at"] == body["document"]["updated_at"]
    assert body["document"]["amount_total"] == 9000
    assert "losses → billing  delivered" in result.stdout


@pytest.mark.usefixtures("daemon")
def test_why_nothing_was_sent_is_told_with_what_to_try_next(runner: CliRunner) -> None:
    result = send(runner, "deal.lost", "--set", "document.amount_total=10")
    assert result.exit_code == 0
    assert "Nothing was sent: no route matches." in result.stdout
    assert "losses: amount_total ≥ 5000  saw 10" in result.stdout
    assert "why, in full: bridge explain evt_" in result.stdout
    assert "--new" not in result.stdout, "the sample of a trigger is new each time"


@pytest.mark.usefixtures("daemon")
def test_that_it_was_a_first_sight_is_told_where_it_says_why_nothing_was_sent(runner: CliRunner) -> None:
    old = ("--set", "document.status=lost", "--set", "document.closed_at=2025-01-10T10:00:00.000-03:00")
    result = send(runner, "crm_deal_updated", *old, "--set", "document.amount_total=9000")
    assert 'losses: status to "lost"  saw null → "lost"' in result.stdout
    assert "first sight: nothing to compare with" in result.stdout
    assert "first sight" not in send(runner, "deal.lost", "--set", "document.amount_total=10").stdout


@pytest.mark.usefixtures("daemon")
def test_an_event_that_no_route_listens_to_says_so(runner: CliRunner) -> None:
    assert "no route listens to crm_task_created" in send(runner, "crm_task_created").stdout


def test_a_sample_that_is_known_already_is_offered_as_new(daemon: BackgroundShop, runner: CliRunner) -> None:
    closing = ("crm_deal_updated", "--set", "document.status=lost", "--set", "document.amount_total=9000")
    assert send(runner, *closing).exit_code == 0
    again = send(runner, *closing)
    assert "the same with --new" in again.stdout
    assert "delivered" in send(runner, *closing, "--new").stdout
    assert len({body["document"]["id"] for body in daemon.posted}) == 2


def test_a_file_is_posted_as_it_is(daemon: BackgroundShop, runner: CliRunner) -> None:
    body = Deal("ç").lost()
    (daemon.folder / "event.json").write_text(json.dumps(body), encoding="utf-8")
    assert send(runner, "--file", "event.json").exit_code == 0
    assert daemon.posted == [body]


@pytest.mark.usefixtures("daemon")
def test_the_outcome_is_json_on_demand(runner: CliRunner) -> None:
    outcome = json.loads(send(runner, "deal.lost", "--format", "json").stdout)
    assert outcome["status"] == 200
    assert outcome["event"]["id"] == outcome["answer"]["event_id"]
    assert [each["state"] for each in outcome["event"]["deliveries"]] == ["delivered", "delivered"]
    assert outcome["explanation"] is None


def test_a_refused_webhook_is_exit_code_1_with_the_reason(daemon: BackgroundShop, runner: CliRunner) -> None:
    address = json.loads(runner.invoke(bridge, ["address", "--format", "json"]).stdout)["sources"][0]["local_address"]
    result = send(runner, "deal.lost", "--url", address + "x")
    assert result.exit_code == 1
    assert "answered 404" in result.stdout
    assert "bridge address" in result.stdout
    assert send(runner, "deal.lost", "--url", address).exit_code == 0
    assert len(daemon.posted) == 2


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/hooks/crm/s3cret", "s3cret"])
def test_an_address_where_nobody_answers_is_told_without_the_secret(runner: CliRunner, url: str) -> None:
    result = send(runner, "deal.lost", "--url", url)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("bridge: ")
    assert "s3cret" not in result.output


def test_without_a_daemon_it_says_how_to_start_one(runner: CliRunner, folder: Path) -> None:
    result = send(runner, "deal.lost")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "start one with: bridge run" in result.stderr
    assert list(folder.iterdir()) == []


def test_the_samples_are_listed(runner: CliRunner) -> None:
    lines = send(runner, "--list").stdout.splitlines()
    assert {"crm_deal_updated", "deal.lost"} <= {line.split()[0] for line in lines}
    names = [each["name"] for each in json.loads(send(runner, "--list", "--format", "json").stdout)["samples"]]
    assert len(names) == len(lines) - 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a SAMPLE, or --file"),
        (["deal.lost", "--file", "x"], "give a SAMPLE, or --file"),
        (["deal.lots"], 'did you mean "deal.lost"?'),
        (["deal.lost", "--source", "none"], "there are: crm"),
        (["crm_deal_updated", "--new", "--set", "document.id=d1"], "leave it out, or the document.id"),
        (["--file", "none.json"], "none.json cannot be read"),
    ],
)
def test_misuse_is_told(daemon: BackgroundShop, runner: CliRunner, arguments: list[str], message: str) -> None:
    result = send(runner, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert daemon.posted == []
