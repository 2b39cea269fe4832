"""A deal's event in Google Calendar, from its webhooks to the calendar, with all that can go wrong in between."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bridge.trial import MovedClock
from tests.support.deals import Deal
from tests.support.google_calendar import FakeGoogleCalendar, Fault
from tests.support.life import IN_HASTE, Mishaps, live, one_by_one, outlived, staged

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
    Fault(403, "rateLimitExceeded"),
    Fault(503),
    Fault(504, done=True),
    Fault(lost=True),
    Fault(lost=True, done=True),
)


def rules_for(google: FakeGoogleCalendar, **options: Any) -> str:
    """Return the rules for a calendar."""
    return RULES.replace("TARGET", json.dumps({"type": "google_calendar", **google.options(**options)}))


def assert_as_newest(google: FakeGoogleCalendar, document: dict[str, Any]) -> None:
    """Fail unless there is one event, and it is as the newest document has the deal."""
    assert google.event["summary"] == "Padaria Estrela"
    assert google.event["description"] == f"Nota {document['rating']}"
    assert google.event["status"] == ("cancelled" if document["status"] == "lost" else "confirmed")


@pytest.mark.parametrize(
    ("point", "passage", "last"),
    [
        ("request after it left", 2, "POST"),
        ("answer before it is read", 2, "POST"),
        ("answer before record", 1, "POST"),
        ("record before commit", 1, "POST"),
        ("answer before it is read", 4, "PUT"),
        ("answer before record", 2, "PUT"),
    ],
)
async def test_a_daemon_that_is_killed_beside_its_service_makes_one_event(
    tmp_path: Path, point: str, passage: int, last: str
) -> None:
    deal = Deal("65", rating=3)
    async with FakeGoogleCalendar() as google:

        def killed() -> None:
            assert google.asked[-1].method == last, "the last that the daemon did"

        rules = one_by_one(rules_for(google, **IN_HASTE), "agenda")
        async with outlived(tmp_path, rules, (point, passage), deal, killed):
            assert_as_newest(google, deal.document)


@pytest.mark.parametrize("seed", range(4))
async def test_thirty_webhooks_in_any_order_leave_one_event_in_the_state_of_the_newest(
    tmp_path: Path, seed: int
) -> None:
    chance, clock = random.Random(seed), MovedClock()  # noqa: S311 (the same chances in each run)
    deal, mishaps = Deal("65", rating=3), Mishaps(chance, FAULTS, share=0.6)
    async with (
        FakeGoogleCalendar(mishaps) as google,
        staged(tmp_path, rules_for(google), "agenda", clock) as (stage, _, rules),
    ):
        await live(deal, chance, stage, rules, clock)
        assert mishaps.counted >= 3
        assert_as_newest(google, deal.document)
