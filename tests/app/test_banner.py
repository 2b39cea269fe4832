"""What a person reads when the daemon is ready."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.app.banner import Started, banner

STARTED = Started(
    url="http://127.0.0.1:8080",
    addresses={"crm": "http://127.0.0.1:8080/hooks/crm/m4"},
    rules=Path("routes.yaml"),
    routes=6,
    data=Path("data"),
)


@pytest.fixture(autouse=True)
def called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Call it as a fresh checkout does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv/bin/bridge")])


def test_an_address_with_a_made_secret_is_there_to_be_pasted() -> None:
    told = banner(STARTED)
    assert "Paste this address into the CRM's webhooks (source 'crm'):\n    http://127.0.0.1:8080/hooks/crm/m4" in told
    assert "through HTTPS" in told
    public = replace(STARTED, addresses={"crm": "https://bridge.example.com/hooks/crm/m4"})
    assert "through HTTPS" not in banner(public)


@pytest.mark.parametrize(("data", "flag"), [("data", ""), ("/srv/bridge", " --data /srv/bridge")])
def test_of_an_address_with_a_chosen_secret_the_command_that_prints_it_is_told(data: str, flag: str) -> None:
    told = banner(replace(STARTED, addresses={"crm": None}, data=Path(data)))
    assert f"\n    .venv/bin/bridge address crm{flag}\n" in told
    assert "Paste" not in told


def test_where_bridge_registers_the_webhooks_nobody_is_asked_to_paste_an_address() -> None:
    ours = replace(STARTED, subscribed=frozenset({"crm"}))
    told = "  bridge registers the CRM's webhooks (source 'crm') itself"
    assert f"{told}, for this address:\n    http://127.0.0.1:8080/hooks/crm/m4\n\n" in banner(ours)
    assert f"{told}. How they are:\n    .venv/bin/bridge crm status\n" in banner(replace(ours, addresses={"crm": None}))
    assert "Paste" not in banner(ours)


@pytest.mark.parametrize(("routes", "told"), [(0, "(0 routes)"), (1, "(1 route)"), (2, "(2 routes)")])
def test_routes_are_counted_as_people_count(routes: int, told: str) -> None:
    assert told in banner(replace(STARTED, routes=routes))


def test_what_to_try_next_can_be_pasted_into_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "    .venv/bin/bridge send deal.lost\n" in banner(STARTED)
    monkeypatch.setattr(sys, "argv", ["/src/bridge/__main__.py"])
    assert "    python -m bridge send deal.lost --data d\n" in banner(replace(STARTED, data=Path("d")))
