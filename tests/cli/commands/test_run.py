import gc
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.app.settings import Settings
from bridge.cli.main import bridge
from bridge.errors import StoreInUseError


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of every daemon that was started; none runs for long."""
    started: list[Settings] = []

    def run(settings: Settings) -> int:
        started.append(settings)
        return 0

    monkeypatch.setattr("bridge.app.process.run", run)
    return started


def test_without_options_the_usual_settings_hold(runner: CliRunner, started: list[Settings]) -> None:
    assert runner.invoke(bridge, ["run"]).exit_code == 0
    (settings,) = started
    assert (settings.routes, settings.data, settings.listen) == (Path("routes.yaml"), Path("data"), "127.0.0.1:8080")


def test_an_option_wins_over_its_variable(runner: CliRunner, started: list[Settings]) -> None:
    environ = {"BRIDGE_ROUTES": "env.yaml", "BRIDGE_DATA": "env", "BRIDGE_LISTEN": "127.0.0.1:1"}
    runner.invoke(bridge, ["run"], env=environ)
    runner.invoke(bridge, ["run", "--routes", "r.yaml", "--data", "d", "--listen", "127.0.0.1:2"], env=environ)
    told = [(str(each.routes), str(each.data), each.listen) for each in started]
    assert told == [("env.yaml", "env", "127.0.0.1:1"), ("r.yaml", "d", "127.0.0.1:2")]


def test_a_setting_that_cannot_be_used_is_misuse(runner: CliRunner, started: list[Settings]) -> None:
    result = runner.invoke(bridge, ["run", "--listen", "everywhere"])
    assert (result.exit_code, result.stdout, started) == (2, "", [])
    assert result.stderr.startswith("bridge: BRIDGE_LISTEN: ")


def test_a_daemon_that_cannot_start_is_exit_code_1(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Settings) -> int:
        raise StoreInUseError("the data directory is in use")

    monkeypatch.setattr("bridge.app.process.run", refuse)
    result = runner.invoke(bridge, ["run"])
    assert (result.exit_code, result.stderr) == (1, "bridge: the data directory is in use\n")


def test_the_daemon_looks_for_garbage_but_not_among_its_modules(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[bool, int]] = []

    def run(_: Settings) -> int:
        found.append((gc.isenabled(), gc.get_freeze_count()))
        return 0

    monkeypatch.setattr("bridge.app.process.run", run)
    gc.unfreeze()
    assert runner.invoke(bridge, ["run"]).exit_code == 0
    [(enabled, frozen)] = found
    assert enabled
    assert frozen > 1000
