"""A deal's row in a database, from its webhooks to the table, with all that can go wrong in between."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bridge.store.nouns import DeliveryQuery
from bridge.trial import MovedClock
from tests.support.between import BREAKS, Wire
from tests.support.daemon import Daemon
from tests.support.databases import Bank, postgres_bank, sqlite_bank
from tests.support.deals import Deal
from tests.support.life import Mishaps, StoreFault, let_fail, live, outlived, staged
from tests.support.postgres import Postgres

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  bi: TARGET
routes:
  - name: row
    on: [deal.created, crm_deal_updated]
    deliver:
      - to: bi
        table: deals
        row: {name: "{{ deal.name }}", rating: "{{ deal.rating }}", status: "{{ deal.status }}"}
  - name: gone
    on: deal.deleted
    deliver:
      - {to: bi, table: deals, delete: true}
"""
COLUMNS = {"name": "text", "rating": "integer", "status": "text"}
NEWEST = 'SELECT "name", rating, status, deleted_at IS NULL FROM deals'


def rules_for(bank: Bank, *, history: bool = False, **options: Any) -> str:
    """Return the rules for a database."""
    table = {"columns": COLUMNS, **({"history": "past"} if history else {})}
    target = {"type": "database", "url": bank.url, "create": True, "tables": {"deals": table}, **options}
    return RULES.replace("TARGET", json.dumps(target))


@pytest.fixture(params=["sqlite", "postgresql"])
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Bank:
    if request.param == "sqlite":
        return sqlite_bank(tmp_path / "bi.db")
    return postgres_bank(request.getfixturevalue("postgres_server"))


@pytest.mark.parametrize(
    ("point", "passage"),
    [
        ("claim after commit", 1),
        ("answer before record", 1),
        ("record before commit", 3),
    ],
)
async def test_a_daemon_that_is_killed_beside_its_database_leaves_one_row_and_one_of_each_event(
    tmp_path: Path, bank: Bank, point: str, passage: int
) -> None:
    deal = Deal("65", rating=3)
    rules = rules_for(bank, history=True, retry={"first": "1ms", "max": "1ms"}, breaker=None)
    async with outlived(tmp_path, rules, (point, passage), deal) as daemon:
        assert bank.ask(NEWEST) == [("Padaria Estrela", 4, "ongoing", 1)]
        assert bank.ask("SELECT COUNT(*), COUNT(DISTINCT event_id) FROM past") == [(4, 4)]
        assert (await daemon.post(deal.deleted()))[0] == 200
        await daemon.settle()
        assert bank.ask(NEWEST) == [(None, None, None, 0)]


@pytest.mark.parametrize("history", [False, True])
@pytest.mark.parametrize("seed", range(4))
async def test_thirty_webhooks_in_any_order_leave_one_row_in_the_state_of_the_newest(
    tmp_path: Path, postgres_server: Postgres, seed: int, *, history: bool
) -> None:
    chance, clock = random.Random(seed), MovedClock()  # noqa: S311 (the same chances in each run)
    deal, mishaps = Deal("65", rating=3), Mishaps(chance, BREAKS, share=0.6)
    async with Wire(postgres_server.port, mishaps) as wire:
        bank = postgres_bank(postgres_server, wire.port)
        rules = rules_for(bank, history=history)
        async with staged(tmp_path, rules, "bi", clock) as (stage, store, ruleset):
            await live(deal, chance, stage, ruleset, clock)
            told = await store.deliveries(DeliveryQuery(limit=1000))
        assert mishaps.counted >= 2
        document = deal.document
        assert bank.ask(NEWEST) == [("Padaria Estrela", document["rating"], document["status"], True)]
        if history:
            assert {each.state for each in told} == {"delivered"}
            assert bank.ask("SELECT event_id FROM past ORDER BY 1") == sorted((each.event_id,) for each in told)


@pytest.mark.parametrize("seed", range(2))
async def test_the_same_life_in_a_file_of_which_records_are_lost(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, clock = random.Random(seed), MovedClock()  # noqa: S311 (the same chances in each run)
    deal, bank = Deal("65", rating=3), sqlite_bank(tmp_path / "bi.db")
    mishaps = Mishaps(chance, (StoreFault.UNRECORDED, StoreFault.RECORDED), share=0.6)
    async with staged(tmp_path, rules_for(bank), "bi", clock) as (stage, store, ruleset):
        let_fail(store, mishaps, monkeypatch)
        await live(deal, chance, stage, ruleset, clock)
    assert mishaps.counted >= 3
    document = deal.document
    assert bank.ask(NEWEST) == [("Padaria Estrela", document["rating"], document["status"], 1)]


async def test_a_replay_of_an_old_event_changes_no_row_and_adds_nothing_to_the_history(
    tmp_path: Path, bank: Bank
) -> None:
    deal, daemon = Deal("65", rating=3), Daemon(tmp_path)
    try:
        await daemon.start(rules_for(bank, history=True))
        for body in (deal.created(), deal.updated(name="Padaria Estrela", rating=4)):
            await daemon.post(body)
        await daemon.settle()
        first = min(row[0] for row in bank.ask("SELECT event_id FROM past"))
        await daemon.bridge("replay", first)
        await daemon.settle()
    finally:
        await daemon.kill()
    assert bank.ask(NEWEST) == [("Padaria Estrela", 4, deal.document["status"], 1)]
    assert bank.ask("SELECT COUNT(*) FROM past") == [(2,)]
