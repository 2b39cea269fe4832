import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from bridge.model import DeliveryState, Outcome
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import Shop


def test_the_status_tells_rules_and_what_waits(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(lambda shop: shop.receive(Deal().lost()))
    shop.serve()
    result = runner.invoke(bridge, ["status"])
    assert result.exit_code == 0
    for shown in ("losses, people", "sales, billing", "1  pending  to sales", "unfinished deliveries"):
        assert shown in result.stdout


def test_dead_letters_stand_apart_from_what_waits(shop: BackgroundShop, runner: CliRunner) -> None:
    async def one_dead(shop: Shop) -> None:
        await shop.receive(Deal().lost())
        await shop.attempt("billing", Outcome.PERMANENT, DeliveryState.DEAD, "refused")

    async def the_other_delivered(shop: Shop) -> None:
        await shop.attempt("sales", Outcome.DELIVERED, DeliveryState.DELIVERED)

    dead = "dead letters\n       1  dead  to billing\n"
    shop.do(one_dead)
    shop.serve()
    assert runner.invoke(bridge, ["status"]).stdout.endswith(
        f"\nunfinished deliveries\n       1  pending  to sales\n\n{dead}"
    )
    shop.pause()
    shop.do(the_other_delivered)
    shop.serve()
    assert runner.invoke(bridge, ["status"]).stdout.endswith(f"\nnothing waits\n\n{dead}")


def test_events_that_wait_are_counted_as_people_count(shop: BackgroundShop, runner: CliRunner) -> None:
    async def arrived(shop: Shop) -> None:
        await shop.store.add(shop.arrival(Deal().lost()))

    shop.do(arrived)
    shop.serve()
    told = runner.invoke(bridge, ["status"]).stdout
    assert "\n1 event to route, the oldest from 2026-11-24" in told
    assert "nothing waits" not in told


def test_what_is_told_later_waits_too(later: BackgroundShop, runner: CliRunner) -> None:
    later.do(lambda shop: shop.receive(Deal("d1").lost()))
    later.serve()
    told = runner.invoke(bridge, ["status"]).stdout
    assert told.endswith("\n\ntold later\n       1  deferred  to sales\n")
    assert "nothing waits" not in told


@pytest.mark.usefixtures("daemon")
def test_the_status_is_json_on_demand(runner: CliRunner) -> None:
    status = json.loads(runner.invoke(bridge, ["status", "--format", "json"]).stdout)
    assert status["backlog"] == {"events_received": 0, "oldest_received_at": None, "deliveries": {}}
    assert "nothing waits" in runner.invoke(bridge, ["status"]).stdout


def test_webhooks_that_are_turned_away_are_told_with_the_reason(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.no_room = "the backlog has reached its limit: 3 of 3 wait"
    shop.serve()
    told = runner.invoke(bridge, ["status"]).stdout
    assert "\n\ntaking no webhooks: the backlog has reached its limit: 3 of 3 wait\n\nnothing waits\n" in told
    assert json.loads(runner.invoke(bridge, ["status", "--format", "json"]).stdout)["no_room"] == shop.no_room
    shop.no_room = None
    assert "webhooks" not in runner.invoke(bridge, ["status"]).stdout


def test_held_targets_are_told_with_the_reason(shop: BackgroundShop, runner: CliRunner) -> None:
    async def paused(shop: Shop) -> None:
        await shop.store.pause("sales", "the service moves")

    shop.do(paused)
    shop.serve()
    told = runner.invoke(bridge, ["status"]).stdout
    assert "\nheld targets\n  sales  paused since " in told
    assert "by a person: the service moves" in told
    assert "revision" in told


def test_a_store_without_its_daemon_is_not_healthy(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(lambda shop: shop.receive())
    result = runner.invoke(bridge, ["status"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no daemon answers on data/bridge.sock; start one with: bridge run" in result.stderr


ASK = """
import sys
from bridge.__main__ import main
sys.argv = ["bridge", "status"]
try:
    main()
finally:
    print(*sys.modules)
"""


def test_whoever_asks_a_daemon_loads_nothing_that_only_the_daemon_needs(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ASK], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
    loaded = {*done.stdout.split()}
    assert done.returncode == 1
    assert "bridge.control.client" in loaded
    assert loaded.isdisjoint({"structlog", "apsw", "jinja2", "bridge.control.api", "bridge.control.operations"})
