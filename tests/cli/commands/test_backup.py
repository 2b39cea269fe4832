import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from bridge.errors import StoreDamagedError
from bridge.model import Event
from bridge.store.nouns import EventQuery
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import Shop


async def two_events(shop: Shop) -> list[Event]:
    deal = Deal("d1")
    return await shop.receive(deal.created(), deal.lost())


async def stored(shop: Shop) -> list[str]:
    return [event.id for event in reversed(await shop.store.events(EventQuery()))]


@pytest.mark.parametrize("served", [False, True])
def test_a_backup_is_a_data_directory_that_its_owner_alone_can_read(
    shop: BackgroundShop, runner: CliRunner, folder: Path, *, served: bool
) -> None:
    events = shop.do(two_events)
    (folder / "data/secrets").mkdir(mode=0o755)
    (folder / "data/secrets/crm").write_text("s3cret")
    (folder / "data/secrets/.crm").write_text("a draft")
    if served:
        shop.serve()
    mask = os.umask(0)
    result = runner.invoke(bridge, ["backup", "backups/monday"])
    os.umask(mask)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("backups/monday  2 events, ")
    made = {path.relative_to(folder / "backups"): stat.S_IMODE(path.stat().st_mode) for path in tree(folder)}
    assert {str(path): oct(mode) for path, mode in made.items()} == {
        "monday": "0o700",
        "monday/bridge.db": "0o600",
        "monday/secrets": "0o700",
        "monday/secrets/crm": "0o600",
    }
    assert (folder / "backups/monday/secrets/crm").read_text() == "s3cret"
    listed = runner.invoke(bridge, ["events", "--data", "backups/monday", "--format", "json"])
    assert [each["id"] for each in json.loads(listed.stdout)["events"]] == [event.id for event in reversed(events)]


def tree(folder: Path) -> list[Path]:
    return sorted((folder / "backups").rglob("*"))


def test_programs_get_the_numbers(shop: BackgroundShop, runner: CliRunner, folder: Path) -> None:
    shop.do(two_events)
    answer = json.loads(runner.invoke(bridge, ["backup", "b", "--format", "json"]).stdout)
    assert answer == {"folder": "b", "events": 2, "bytes": (folder / "b/bridge.db").stat().st_size}


def test_a_folder_that_is_there_is_left_alone(shop: BackgroundShop, runner: CliRunner, folder: Path) -> None:
    shop.do(two_events)
    (folder / "b").mkdir()
    result = runner.invoke(bridge, ["backup", "b"])
    assert (result.exit_code, result.stderr) == (2, "bridge: b exists already: name a folder that does not\n")
    assert list((folder / "b").iterdir()) == []


def test_where_nothing_is_stored_there_is_nothing_to_back_up(runner: CliRunner, folder: Path) -> None:
    result = runner.invoke(bridge, ["backup", "b"])
    assert (result.exit_code, result.stderr) == (1, "bridge: nothing is stored in data\n")
    assert list(folder.iterdir()) == []


def test_of_a_backup_that_fails_nothing_is_left(
    shop: BackgroundShop, runner: CliRunner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.do(two_events)
    before = sorted(folder.iterdir())

    def damaged(*_: object) -> None:
        raise StoreDamagedError("it is damaged")

    monkeypatch.setattr("bridge.store.sqlite.copying.check", damaged)
    result = runner.invoke(bridge, ["backup", "b"])
    assert (result.exit_code, result.stderr) == (1, "bridge: it is damaged\n")
    assert sorted(folder.iterdir()) == before


def test_a_backup_that_cannot_be_written_is_told_in_a_sentence(
    shop: BackgroundShop, runner: CliRunner, folder: Path
) -> None:
    shop.do(two_events)
    (folder / "file").touch()
    result = runner.invoke(bridge, ["backup", "file/b"])
    assert result.exit_code == 1
    assert result.stderr == "bridge: file cannot be used: File exists\n"
