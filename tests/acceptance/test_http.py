"""A deal's thing at a service that gives it an id, from its webhooks to the service, with all that can go wrong."""

import random
from pathlib import Path
from typing import Any

import pytest

from bridge.trial import MovedClock
from tests.support.deals import Deal
from tests.support.life import Mishaps, live, outlived, staged
from tests.support.things import Fault, Things

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  shop: {type: http, url: "ADDRESS", concurrency: 4 OPTIONS}
routes:
  - name: kept
    on: [deal.created, crm_deal_updated]
    match:
      status: {ne: lost}
    deliver:
      - to: shop
        path: /things
        body: {name: "{{ deal.name }}", rating: "{{ deal.rating }}"}
        link: {id: body.data.id}
        update: {path: "/things/{id}"}
  - name: removed
    on: crm_deal_updated
    match:
      status: lost
    deliver:
      - {to: shop, method: DELETE, path: "/things/{id}", success: {status: [2xx, 404]}}
"""
FAULTS = (Fault(429), Fault(503), Fault(504, done=True), Fault(lost=True), Fault(lost=True, done=True))
MAKES, CHANGES, REMOVES = "POST /things", "PUT /things/ID", "DELETE /things/ID"


def rules_for(things: Things, options: str = "") -> str:
    """Return the rules for a service."""
    return RULES.replace("ADDRESS", things.url).replace("OPTIONS", options)


def assert_as_newest(things: Things, document: dict[str, Any]) -> None:
    """Fail unless there is one thing, as the newest document has the deal, or none if it is lost."""
    if document["status"] == "lost":
        assert things.things == {}
    else:
        assert list(things.things.values()) == [{"name": document["name"], "rating": document["rating"]}]


@pytest.mark.parametrize(
    ("point", "passage", "last"),
    [
        ("request after it left", 1, MAKES),
        ("answer before it is read", 1, MAKES),
        ("answer before record", 1, MAKES),
        ("record before commit", 1, MAKES),
        ("answer before record", 2, REMOVES),
        ("answer before it is read", 3, CHANGES),
        ("answer before it is read", 4, MAKES),
        ("answer before record", 3, MAKES),
    ],
)
async def test_a_daemon_that_is_killed_beside_its_service_makes_one_thing(
    tmp_path: Path, point: str, passage: int, last: str
) -> None:
    deal = Deal("65", rating=3)
    async with Things() as things:

        def killed() -> None:
            assert things.lines[-1] == last, "the last that the daemon did"

        rules = rules_for(things, ", rate: 1000/s, retry: {first: 1ms, max: 1ms}, breaker: null")
        async with outlived(tmp_path, rules, (point, passage), deal, killed):
            assert_as_newest(things, deal.document)


@pytest.mark.parametrize("seed", range(4))
async def test_thirty_webhooks_in_any_order_leave_one_thing_in_the_state_of_the_newest(
    tmp_path: Path, seed: int
) -> None:
    chance, clock = random.Random(seed), MovedClock()  # noqa: S311 (the same chances in each run)
    deal, mishaps = Deal("65", rating=3), Mishaps(chance, FAULTS, share=0.7)
    async with (
        Things(mishaps) as things,
        staged(tmp_path, rules_for(things), "shop", clock) as (stage, _, rules),
    ):
        await live(deal, chance, stage, rules, clock)
        assert mishaps.counted >= 3
        assert_as_newest(things, deal.document)
