"""No service is asked: what a test sends is answered here, whatever the target."""

import socket
from pathlib import Path
from typing import NoReturn

import pytest

from bridge.component.discovery import target_types
from tests.trial.test_running import failure_of


def _refuse(*_: object) -> NoReturn:
    raise AssertionError("a socket was connected")


def test_nothing_leaves_the_machine_and_the_screen_stays_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(socket.socket, "connect", _refuse)
    body = """
steps:
  - send: deal.lost
  - send: deal.stage_changed
  - {send: deal.won, set: {deal.id: other}}
  - expect: [{to: sales}, {to: screen}, {to: billing}]
"""
    assert failure_of(tmp_path, body) == ""
    assert "Negociação" not in capfd.readouterr().out


def test_a_target_that_prints_is_never_run_itself() -> None:
    assert not target_types()["log"].over_http
