import json

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from tests.support.background import BackgroundShop
from tests.support.deals import Deal


def test_the_status_tells_rules_and_what_waits(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(lambda shop: shop.receive(Deal().lost()))
    shop.serve()
    result = runner.invoke(bridge, ["status"])
    assert result.exit_code == 0
    for shown in ("losses, people", "sales, billing", "1  pending  to sales", "unfinished deliveries"):
        assert shown in result.stdout


@pytest.mark.usefixtures("daemon")
def test_the_status_is_json_on_demand(runner: CliRunner) -> None:
    status = json.loads(runner.invoke(bridge, ["status", "--format", "json"]).stdout)
    assert status["backlog"] == {"events_received": 0, "oldest_received_at": None, "deliveries": {}}
    assert "nothing waits" in runner.invoke(bridge, ["status"]).stdout


def test_a_store_without_its_daemon_is_not_healthy(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(lambda shop: shop.receive())
    result = runner.invoke(bridge, ["status"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no daemon answers" in result.stderr
