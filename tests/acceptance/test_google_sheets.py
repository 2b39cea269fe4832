"""A deal's row in Google Sheets, from its webhooks to the sheet, with all that can go wrong in between."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bridge.trial import MovedClock
from tests.support.deals import Deal
from tests.support.google_calendar import Fault
from tests.support.google_sheets import FakeGoogleSheets
from tests.support.life import IN_HASTE, Mishaps, live, one_by_one, outlived, staged

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  sheet: TARGET
routes:
  - name: row
    on: [deal.created, crm_deal_updated]
    deliver:
      - to: sheet
        row: {name: "{{ deal.name }}", rating: "{{ deal.rating }}", status: "{{ deal.status }}"}
"""
NAMES = ["key", "name", "rating", "status"]
FAULTS = (Fault(403, "quota"), Fault(503), Fault(504, done=True), Fault(lost=True), Fault(lost=True, done=True))


def rules_for(google: FakeGoogleSheets, **options: Any) -> str:
    return RULES.replace("TARGET", json.dumps({"type": "google_sheets", **google.options(**options)}))


@pytest.mark.parametrize(
    ("point", "passage", "last"),
    [
        ("request after it left", 4, "append"),
        ("answer before record", 1, "append"),
        ("record before commit", 2, "write"),
    ],
)
async def test_a_daemon_that_is_killed_beside_its_service_adds_one_row(
    tmp_path: Path, point: str, passage: int, last: str
) -> None:
    deal = Deal("65", rating=3)
    async with FakeGoogleSheets() as google:

        def killed() -> None:
            assert google.lines()[-1] == last, "the last that the daemon did"

        rules = one_by_one(rules_for(google, **IN_HASTE), "sheet")
        async with outlived(tmp_path, rules, (point, passage), deal, killed):
            assert google.rows == [NAMES, ["deal:65", "Padaria Estrela", 4, "ongoing"]]


@pytest.mark.parametrize("seed", range(4))
async def test_thirty_webhooks_in_any_order_leave_one_row_in_the_state_of_the_newest(tmp_path: Path, seed: int) -> None:
    chance, clock = random.Random(seed), MovedClock()  # noqa: S311 (the same chances in each run)
    deal, mishaps = Deal("65", rating=3), Mishaps(chance, FAULTS, share=0.5)
    async with (
        FakeGoogleSheets(mishaps) as google,
        staged(tmp_path, rules_for(google), "sheet", clock) as (stage, _, rules),
    ):
        await live(deal, chance, stage, rules, clock)
        assert mishaps.counted >= 2
        document = deal.document
        assert google.rows == [NAMES, ["deal:65", "Padaria Estrela", document["rating"], document["status"]]]
