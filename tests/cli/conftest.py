"""The command line in a folder of its own, untouched by the settings of whoever runs the tests."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.background import BackgroundShop
from tests.support.shop import DIGEST


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in São Paulo."""
    monkeypatch.setenv("TZ", "America/Sao_Paulo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a command."""
    for name in [name for name in os.environ if name.startswith("BRIDGE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def runner(folder: Path) -> CliRunner:
    """Runs commands in that folder."""
    assert folder.is_dir()
    return CliRunner()


@pytest.fixture
def shop(folder: Path) -> Iterator[BackgroundShop]:
    """A shop in that folder, closed: its store lies there, and no daemon runs."""
    shop = BackgroundShop(folder)
    yield shop
    shop.close()


@pytest.fixture
def later(folder: Path) -> Iterator[BackgroundShop]:
    """A closed shop whose rules gather what they tell until six."""
    shop = BackgroundShop(folder, DIGEST)
    yield shop
    shop.close()


@pytest.fixture
def daemon(shop: BackgroundShop) -> BackgroundShop:
    """The same, answering as a daemon."""
    shop.serve()
    return shop
