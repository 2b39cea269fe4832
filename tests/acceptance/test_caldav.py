"""A deal's event in a real Radicale, from its webhooks to the calendar, with all that can go wrong in between."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bridge.trial import MovedClock
from tests.support.deals import Deal
from tests.support.life import IN_HASTE, Mishaps, live, one_by_one, outlived, staged
from tests.support.radicale_server import Fault, RadicaleServer

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  agenda: TARGET
routes:
  - name: meeting
    on: [deal.created, crm_deal_updated]
    deliver:
      - to: agenda
        summary: "{{ deal.name }}"
        description: "Nota {{ deal.rating }}"
        start: "2026-12-24T15:00-03:00"
        status: "{{ 'cancelled' if deal.status == 'lost' else 'confirmed' }}"
"""
FAULTS = (
    Fault(429),
    Fault(503),
    Fault(412),
    Fault(504, done=True),
    Fault(lost=True),
    Fault(lost=True, done=True),
)


def rules_for(server: RadicaleServer, **options: Any) -> str:
    """Return the rules for a calendar."""
    return RULES.replace("TARGET", json.dumps({"type": "caldav", **server.options(**options)}))


def assert_as_newest(server: RadicaleServer, document: dict[str, Any]) -> None:
    """Fail unless there is one event, and it is as the newest document has the deal.

    A deal that was lost before anything of it could be written has none.
    """
    if document["status"] == "lost" and not server.objects:
        return
    event = server.one
    assert event.summary.value == "Padaria Estrela"
    assert event.description.value == f"Nota {document['rating']}"
    assert event.status.value == ("CANCELLED" if document["status"] == "lost" else "CONFIRMED")


@pytest.mark.parametrize(
    ("point", "passage", "last"),
    [
        ("request after it left", 5, "PUT"),
        ("answer before it is read", 5, "PUT"),
        ("answer before record", 1, "PUT"),
        ("record before commit", 1, "PUT"),
        ("answer before it is read", 7, "PUT"),
        ("answer before record", 2, "PUT"),
    ],
)
async def test_a_daemon_that_is_killed_beside_its_service_makes_one_event(
    tmp_path: Path, point: str, passage: int, last: str
) -> None:
    deal = Deal("65", rating=3)
    async with RadicaleServer(tmp_path / "radicale") as server:

        def killed() -> None:
            assert server.asked[-1].method == last, "the last that the daemon did"

        rules = one_by_one(rules_for(server, **IN_HASTE), "agenda")
        async with outlived(tmp_path, rules, (point, passage), deal, killed):
            assert_as_newest(server, deal.document)


@pytest.mark.parametrize("seed", range(4))
async def test_thirty_webhooks_in_any_order_leave_one_event_in_the_state_of_the_newest(
    tmp_path: Path, seed: int
) -> None:
    chance, clock = random.Random(seed), MovedClock()  # noqa: S311 (the same chances in each run)
    deal, mishaps = Deal("65", rating=3), Mishaps(chance, FAULTS, share=0.6)
    async with (
        RadicaleServer(tmp_path / "radicale", mishaps) as server,
        staged(tmp_path, rules_for(server), "agenda", clock) as (stage, _, rules),
    ):
        await live(deal, chance, stage, rules, clock)
        assert mishaps.counted >= 3
        assert_as_newest(server, deal.document)
