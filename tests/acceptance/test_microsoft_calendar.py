"""A deal's event in a calendar of Microsoft 365, from its webhooks to the mailbox, with all that can go wrong."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bridge.trial import MovedClock
from tests.support.deals import Deal
from tests.support.life import IN_HASTE, Mishaps, live, one_by_one, outlived, staged
from tests.support.microsoft_calendar import FakeGraph, Fault

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
    Fault(429, "ApplicationThrottled"),
    Fault(503),
    Fault(504, "GatewayTimeout", done=True),
    Fault(lost=True),
    Fault(lost=True, done=True),
)


def rules_for(graph: FakeGraph, **options: Any) -> str:
    """Return the rules for a calendar."""
    return RULES.replace("TARGET", json.dumps({"type": "microsoft_calendar", **graph.options(**options)}))


def assert_as_newest(graph: FakeGraph, document: dict[str, Any]) -> None:
    """Fail unless there is one event as the newest document has the deal, or none if it is lost."""
    if document["status"] == "lost":
        assert graph.events == {}
        return
    assert graph.event["subject"] == "Padaria Estrela"
    assert graph.event["body"]["content"] == f"Nota {document['rating']}"


@pytest.mark.parametrize(
    ("point", "passage", "last"),
    [
        ("request after it left", 3, "POST"),
        ("answer before it is read", 3, "POST"),
        ("answer before record", 1, "POST"),
        ("record before commit", 1, "POST"),
        ("answer before it is read", 4, "DELETE"),
        ("answer before record", 2, "DELETE"),
        ("answer before it is read", 7, "POST"),
        ("answer before record", 4, "PATCH"),
    ],
)
async def test_a_daemon_that_is_killed_beside_its_service_makes_one_event(
    tmp_path: Path, point: str, passage: int, last: str
) -> None:
    deal = Deal("65", rating=3)
    async with FakeGraph() as graph:

        def killed() -> None:
            assert graph.asked[-1].method == last, "the last that the daemon did"

        rules = one_by_one(rules_for(graph, **IN_HASTE), "agenda")
        async with outlived(tmp_path, rules, (point, passage), deal, killed):
            assert_as_newest(graph, deal.document)


@pytest.mark.parametrize("seed", range(4))
async def test_thirty_webhooks_in_any_order_leave_one_event_in_the_state_of_the_newest(
    tmp_path: Path, seed: int
) -> None:
    chance, clock = random.Random(seed), MovedClock()  # noqa: S311 (the same chances in each run)
    deal, mishaps = Deal("65", rating=3), Mishaps(chance, FAULTS, share=0.6)
    async with (
        FakeGraph(mishaps) as graph,
        staged(tmp_path, rules_for(graph), "agenda", clock) as (stage, _, rules),
    ):
        await live(deal, chance, stage, rules, clock)
        assert mishaps.counted >= 3
        assert_as_newest(graph, deal.document)
