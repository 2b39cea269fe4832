"""A deal's entry in a feed, from its webhooks to whoever subscribes, with all that can go wrong in between."""

import random
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import vobject

from bridge.targets.calendar_feed import CalendarFeed
from bridge.targets.calendar_feed.document import document
from bridge.targets.calendar_feed.entry import ENTRY
from bridge.trial import MovedClock
from tests.support.daemon import Daemon
from tests.support.deals import Deal
from tests.support.life import Mishaps, StoreFault, let_fail, live, outlived, staged

SECRET = "the-secret-of-this-feed"
RULES = f"""\
version: 1
sources:
  crm: {{type: rdstation_crm}}
targets:
  agenda: {{type: calendar_feed, secrets: [{SECRET}], title: Vendas}}
routes:
  - name: meeting
    on: [deal.created, crm_deal_updated]
    deliver:
      - to: agenda
        supersede: false
        summary: "{{{{ deal.name }}}}"
        description: "Nota {{{{ deal.rating }}}}"
        start: "2026-12-24T15:00-03:00"
        status: "{{{{ 'cancelled' if deal.status == 'lost' else 'confirmed' }}}}"
"""


def assert_as_newest(feed: str, document_: dict[str, Any]) -> None:
    """Fail unless there is one entry, and it is as the newest document has the deal."""
    (event,) = vobject.readOne(feed).vevent_list
    assert event.summary.value == "Padaria Estrela"
    assert event.description.value == f"Nota {document_['rating']}"
    assert event.status.value == ("CANCELLED" if document_["status"] == "lost" else "CONFIRMED")


async def fetched(daemon: Daemon) -> str:
    """Return the feed as a calendar fetches it, whose secret no log holds."""
    address = f"{daemon.base}/feeds/agenda/{SECRET}.ics"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        assert answer.status == 200
        tag, text = answer.headers["ETag"], await answer.text()
        async with session.get(address, headers={"If-None-Match": tag}) as again:
            assert again.status == 304
    assert SECRET not in daemon.log + daemon.out
    return text


@pytest.mark.parametrize(
    ("point", "passage"),
    [("answer before record", 1), ("record before commit", 1), ("answer before record", 3), ("record after commit", 2)],
)
async def test_a_daemon_that_is_killed_beside_its_record_keeps_one_entry(
    tmp_path: Path, point: str, passage: int
) -> None:
    deal = Deal("65", rating=3)
    async with outlived(tmp_path, RULES, (point, passage), deal) as daemon:
        assert_as_newest(await fetched(daemon), deal.document)


@pytest.mark.parametrize("seed", range(4))
async def test_thirty_webhooks_in_any_order_leave_one_entry_in_the_state_of_the_newest(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, clock = random.Random(seed), MovedClock()  # noqa: S311 (the same chances in each run)
    deal, mishaps = Deal("65", rating=3), Mishaps(chance, tuple(StoreFault), share=0.6)
    async with staged(tmp_path, RULES, "agenda", clock) as (stage, store, rules):
        let_fail(store, mishaps, monkeypatch)
        await live(deal, chance, stage, rules, clock)
        assert mishaps.counted >= 3
        target = rules.targets["agenda"]
        assert isinstance(target, CalendarFeed)
        links = await store.links("agenda", clock.now(), 100)
        feed = document("agenda", target.options, [str(link.data[ENTRY]) for link in links])
        assert_as_newest(feed.decode(), deal.document)
