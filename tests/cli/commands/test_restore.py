import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli.main import bridge
from bridge.model import Event
from bridge.store.nouns import EventQuery
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import Shop


async def an_event(shop: Shop) -> list[Event]:
    return await shop.receive(Deal("d1").created())


async def stored(shop: Shop) -> list[str]:
    return [event.id for event in reversed(await shop.store.events(EventQuery()))]


@pytest.fixture
def backup(shop: BackgroundShop, runner: CliRunner, folder: Path) -> list[str]:
    """A backup in ``b``, after which another event came; returns what the backup holds."""
    (event,) = shop.do(an_event)
    (folder / "data/secrets").mkdir()
    (folder / "data/secrets/crm").write_text("of the backup")
    assert runner.invoke(bridge, ["backup", "b"]).exit_code == 0
    shop.do(an_event)
    (folder / "data/secrets/crm").write_text("made since")
    (folder / "data/secrets/new").write_text("of a source that is new")
    return [event.id]


def restored(runner: CliRunner, *arguments: str) -> Result:
    return runner.invoke(bridge, ["restore", "b", *arguments])


def test_a_backup_takes_the_place_of_what_is_stored(
    shop: BackgroundShop, runner: CliRunner, folder: Path, backup: list[str]
) -> None:
    result = restored(runner, "--yes")
    assert (result.exit_code, result.stdout.startswith("data  1 event, ")) == (0, True), result.output
    assert shop.do(stored) == backup
    secrets = {path.name: path.read_text() for path in (folder / "data/secrets").iterdir()}
    assert secrets == {"crm": "of the backup", "new": "of a source that is new"}
    assert not list((folder / "data").glob("*.restoring"))
    assert restored(runner, "--yes").exit_code == 0, "and the backup is as it was"


def test_what_is_stored_is_replaced_only_if_that_is_said(
    shop: BackgroundShop, runner: CliRunner, folder: Path, backup: list[str]
) -> None:
    result = restored(runner)
    told = "bridge: data holds events already; to put the backup in their place: --yes\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", told)
    assert len(shop.do(stored)) == len(backup) + 1
    assert (folder / "data/secrets/crm").read_text() == "made since"


@pytest.mark.usefixtures("backup")
def test_an_empty_data_directory_needs_no_yes(runner: CliRunner, folder: Path) -> None:
    answer = json.loads(restored(runner, "--data", "new/data", "--format", "json").stdout)
    assert (answer["data"], answer["events"]) == ("new/data", 1)
    assert (folder / "new/data").stat().st_mode & 0o777 == 0o700
    assert (folder / "new/data/secrets/crm").read_text() == "of the backup"


@pytest.mark.usefixtures("backup")
def test_while_a_daemon_runs_nothing_is_restored(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.serve()
    result = restored(runner, "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        f"bridge: the data directory data is in use by process {os.getpid()}; "
        "end that bridge first, or set BRIDGE_DATA to another folder\n"
    )
    shop.pause()
    assert len(shop.do(stored)) == 2


def test_one_that_was_broken_off_is_finished_by_another(runner: CliRunner, folder: Path, backup: list[str]) -> None:
    draft = folder / "data/bridge.db.restoring"
    draft.write_bytes(b"half a backup")
    told = "bridge: a restore into data was broken off: restore again, or remove data/bridge.db.restoring "
    assert runner.invoke(bridge, ["events"]).stderr.startswith(told)
    assert restored(runner).exit_code == 1
    assert draft.exists(), "who is refused has decided nothing"
    assert restored(runner, "--yes").exit_code == 0
    assert backup[0] in runner.invoke(bridge, ["events"]).stdout


def test_a_damaged_backup_changes_nothing(
    shop: BackgroundShop, runner: CliRunner, folder: Path, backup: list[str]
) -> None:
    database = folder / "b/bridge.db"
    database.write_bytes(database.read_bytes()[:-8192])
    result = restored(runner, "--yes")
    assert result.exit_code == 1
    assert "damaged" in result.stderr
    assert len(shop.do(stored)) == len(backup) + 1
    assert (folder / "data/secrets/crm").read_text() == "made since"
    assert not list((folder / "data").glob("*.restoring"))


@pytest.mark.usefixtures("shop")
def test_what_is_no_backup_is_refused_before_anything_is_made(runner: CliRunner, folder: Path) -> None:
    result = restored(runner, "--data", "new")
    assert (result.exit_code, result.stderr) == (1, "bridge: nothing is stored in b\n")
    assert not (folder / "new").exists()


@pytest.mark.usefixtures("backup")
def test_a_data_directory_is_not_put_in_its_own_place(runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["restore", "data", "--yes"])
    assert (result.exit_code, result.stderr) == (2, "bridge: data is the data directory itself\n")
