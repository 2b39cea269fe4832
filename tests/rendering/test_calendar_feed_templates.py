"""What the example of a feed makes of any payload: a calendar that others read."""

import asyncio
from pathlib import Path

import vobject
from hypothesis import given, settings
from hypothesis import strategies as st
from radicale.item import check_and_sanitize_items
from syrupy.assertion import SnapshotAssertion

from bridge.config import load
from bridge.model import Json, JsonObject, Message
from bridge.rendering import Rendering
from bridge.routing.router import in_order
from bridge.targets.calendar_feed import CalendarFeed
from bridge.targets.calendar_feed.document import document
from bridge.targets.calendar_feed.entry import ENTRY
from bridge.trial import MovedClock
from bridge.trial.service import PlayedHttp
from tests.contracts.target import KnownLinks
from tests.support.changes import NOW, change_of, crm, event_of, webhook
from tests.support.clock import ManualClock

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "closing-calendar" / "routes.yaml"
RULES = load(EXAMPLE, {"FEED_SECRET": "the-secret-of-this-feed"}, ManualClock()).ruleset
SOURCE = crm()
ANY_TEXT = st.text(st.sampled_from(',;:\\\n\r"<>é😀\x85N n'), max_size=40) | st.text(max_size=40)


def test_what_an_entry_says(snapshot: SnapshotAssertion) -> None:
    rendering = Rendering(ROOT / "templates", "pt-BR", "America/Sao_Paulo", "BRL")
    context = rendering.context(change_of(SOURCE.story("deal.created", NOW), SOURCE), SOURCE, NOW)
    texts = [rendering.file(f"{folder}calendar_feed/deal.txt.j2").render(context) for folder in ("", "en/")]
    assert texts == snapshot


def filled(shape: Json, text: str, field: str = "") -> Json:
    """Return a document of a shape with a text wherever one may stand."""
    if isinstance(shape, dict):
        return {key: filled(value, text, key) for key, value in shape.items()}
    if isinstance(shape, list):
        return [filled(item, text) for item in shape]
    return 5.0 if field.startswith("amount") or field in {"order", "rating"} else text


async def served(body: JsonObject) -> str:
    """Return the feed after what the example makes of a webhook."""
    target = RULES.targets["fechamentos"]
    assert isinstance(target, CalendarFeed)
    links = KnownLinks()
    for delivery in next(iter(in_order(RULES.router.decide, [event_of(SOURCE, body)], {}))).deliveries:
        assert delivery.reason is None, delivery.reason
        assert delivery.content is not None
        message = Message(delivery.id, delivery.key, delivery.content)
        links.keep(await target.send(message, links, PlayedHttp(target, (), MovedClock())))
    entries = [str(link.data[ENTRY]) for link in links.kept.values()]
    return document("fechamentos", target.options, entries).decode()


@settings(max_examples=60, deadline=None)
@given(text=ANY_TEXT)
def test_any_text_in_a_payload_makes_a_feed_that_others_read(text: str) -> None:
    document_ = filled(SOURCE.shapes["deal"], text)
    assert isinstance(document_, dict)
    fixed = {"id": "1", "status": "ongoing", "prediction_date": "2026-12-18"}
    feed = vobject.readOne(asyncio.run(served(webhook("deal", "created", **{**document_, **fixed}))))
    check_and_sanitize_items([feed], max_vevent_rrule_occurrence=1000, is_collection=True, tag="VCALENDAR")
    assert len(feed.vevent_list) == 1
