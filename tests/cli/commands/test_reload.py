from click.testing import CliRunner

from bridge.cli.main import bridge
from tests.support.background import BackgroundShop
from tests.support.shop import RULES


def test_new_rules_are_in_force_after_a_reload(daemon: BackgroundShop, runner: CliRunner) -> None:
    rules = RULES.replace("5000", "6000")
    (daemon.folder / "routes.yaml").write_text(rules, encoding="utf-8")
    result = runner.invoke(bridge, ["reload"])
    assert result.exit_code == 0
    assert "is in force, with 2 routes\n" in result.stdout
    assert '  route "losses": match.amount_total.gte 5000 → 6000\n' in result.stdout
    (daemon.folder / "routes.yaml").write_text(rules.partition("  - name: people")[0], encoding="utf-8")
    result = runner.invoke(bridge, ["reload"])
    assert "is in force, with 1 route\n" in result.stdout
    assert '  route "people" removed\n' in result.stdout
    assert "  nothing changed\n" in runner.invoke(bridge, ["reload"]).stdout


def test_broken_rules_are_refused_with_every_problem(daemon: BackgroundShop, runner: CliRunner) -> None:
    (daemon.folder / "routes.yaml").write_text(RULES.replace("deal.lost", "deal.lots"), encoding="utf-8")
    result = runner.invoke(bridge, ["reload"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "routes.yaml:9:9: unknown-event" in result.stderr


def test_without_a_daemon_there_is_nothing_to_reload(runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["reload"])
    assert result.exit_code == 1
    assert "start one with: bridge run" in result.stderr
