from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from radicale.item import check_and_sanitize_items

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.errors import PermanentFailure, StoreUnavailableError
from bridge.model import OVER, JsonObject, Link, Message, Receipt, new_id
from bridge.targets.calendar_feed import CalendarFeed, CalendarFeedAction, CalendarFeedOptions
from bridge.targets.calendar_feed.document import document
from bridge.targets.calendar_feed.entry import ENTRY, uid_of
from tests.contracts.target import KnownLinks, Service, TargetContract, Trouble, once

KEY = "deal:65"
AT = datetime(2024, 9, 17, 12, 40, 52, tzinfo=UTC)
"""When the id of ``EARLY`` was made."""
EARLY = "dlv_019200000000aaaaaaaaaaaaaaaa"
SECRET = "a-secret-of-some-length"
MEETING: dict[str, Any] = {
    "summary": "Assinatura: Padaria Estrela",
    "start": "2026-12-24",
    "description": "Contrato anual",
}


def options(**more: Any) -> CalendarFeedOptions:
    return CalendarFeedOptions.model_validate({"secrets": [SECRET], **more})


class UnreadableLinks(KnownLinks):
    """Those of a store that cannot be read: the only service that a feed needs."""

    async def find(self, key: str) -> Link | None:
        raise StoreUnavailableError("the disk is gone")


class TestContract(TargetContract):
    type_name = "calendar_feed"
    content: ClassVar[JsonObject] = MEETING
    seen_by_people = "Assinatura: Padaria Estrela"
    secrets = (SECRET,)
    spared: ClassVar[Mapping[Trouble, str]] = dict.fromkeys(
        {*Trouble} - {Trouble.LATER}, "nothing leaves: the entry is what the receipt holds"
    )
    unreadable = False

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        return CalendarFeed("sales", options(timeout=timeout))

    @asynccontextmanager
    async def facing(self, trouble: Trouble | None, seconds: float) -> AsyncIterator[Service]:
        service, self.unreadable = Service(self.build("", seconds)), trouble is Trouble.LATER
        service.got = lambda: once(str(link.data[ENTRY]) for each in service.receipts for link in each.links)
        yield service

    def links(self) -> KnownLinks:
        return UnreadableLinks() if self.unreadable else KnownLinks()


class Sender:
    """A target, with the links that its receipts left; an attempt says when it was made."""

    def __init__(self, **more: Any) -> None:
        self.target = CalendarFeed("sales", options(**more))
        self.links = KnownLinks()

    async def send(self, key: str = KEY, id_: str = "", **content: Any) -> Receipt:
        message = Message(id_ or new_id("dlv"), key, content)
        async with Client() as client:
            receipt = await self.target.send(message, self.links, client)
        self.links.keep(receipt)
        return receipt

    @property
    def data(self) -> JsonObject:
        """What is kept of the one entry."""
        (link,) = self.links.kept.values()
        return link.data

    @property
    def body(self) -> bytes:
        """The feed as it is served."""
        entries = [str(link.data[ENTRY]) for link in self.links.kept.values()]
        return document("sales", self.target.options, entries)

    @property
    def feed(self) -> Any:
        """The feed, read by another library."""
        return vobject.readOne(self.body.decode())

    @property
    def one(self) -> Any:
        """The one entry."""
        return self.feed.vevent


async def test_an_entry_is_made_with_the_uid_that_its_key_gives() -> None:
    sender = Sender()
    receipt = await sender.send(**MEETING, url="https://crm.example/deals/65")
    event = sender.one
    assert (event.uid.value, event.summary.value) == (uid_of("sales", KEY), "Assinatura: Padaria Estrela")
    assert (event.status.value, event.sequence.value) == ("CONFIRMED", "0")
    assert event.url.value == "https://crm.example/deals/65"
    (link,) = receipt.links
    assert (link.target, link.key, link.external_id) == ("sales", KEY, uid_of("sales", KEY))


async def test_days_are_days_and_end_before_the_next() -> None:
    sender = Sender()
    await sender.send(**MEETING, end="2026-12-26")
    assert (sender.one.dtstart.value, sender.one.dtend.value) == (date(2026, 12, 24), date(2026, 12, 27))
    assert b"DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\n" in sender.body
    assert sender.data[OVER] == "2026-12-27T03:00:00Z", "midnight in São Paulo"


async def test_moments_are_in_utc() -> None:
    sender = Sender(timezone="America/Manaus")
    await sender.send(**{**MEETING, "start": "2026-12-24T15:00"}, duration="90m")
    assert sender.one.dtstart.value == datetime(2026, 12, 24, 19, tzinfo=UTC)
    assert sender.one.dtend.value == datetime(2026, 12, 24, 20, 30, tzinfo=UTC)
    assert sender.data[OVER] == "2026-12-24T20:30:00Z"


async def test_a_later_message_changes_it_and_leaves_alone_what_it_does_not_name() -> None:
    sender = Sender()
    await sender.send(**MEETING, reminders=["1d"])
    await sender.send(summary="Assinatura adiada", start="2026-12-28T10:00-03:00")
    event = sender.one
    assert (event.summary.value, event.description.value) == ("Assinatura adiada", "Contrato anual")
    assert event.dtstart.value == datetime(2026, 12, 28, 13, tzinfo=UTC)
    assert event.valarm.trigger.value == timedelta(days=-1)
    assert event.sequence.value == "1"


async def test_what_is_said_again_changes_nothing() -> None:
    sender = Sender()
    await sender.send(**MEETING, id_=EARLY)
    before = sender.body
    await sender.send(**MEETING, id_="dlv_0192ffff0000aaaaaaaaaaaaaaaa")
    assert sender.body == before


async def test_an_attempt_that_is_made_again_makes_the_same() -> None:
    one, other = Sender(), Sender()
    for sender in (one, other):
        await sender.send(**MEETING, id_=EARLY)
    assert one.body == other.body
    assert one.one.dtstamp.value == AT


async def test_it_is_cancelled_for_a_while_and_brought_back() -> None:
    sender = Sender()
    await sender.send(**MEETING)
    await sender.send(status="cancelled")
    assert (sender.one.status.value, sender.one.sequence.value) == ("CANCELLED", "1")
    assert str(sender.data[OVER]) < "2026-12-24"
    await sender.send(summary="De novo")
    assert (sender.one.status.value, sender.one.sequence.value) == ("CONFIRMED", "2")
    assert sender.data[OVER] == "2026-12-25T03:00:00Z"


async def test_cancelling_twice_counts_from_the_first_time() -> None:
    sender = Sender()
    await sender.send(**MEETING)
    await sender.send(status="cancelled", id_=EARLY)
    before = sender.data[OVER]
    await sender.send(status="cancelled")
    assert sender.data[OVER] == before == "2024-09-17T12:40:52Z"


async def test_cancelling_what_is_not_there_is_done_already() -> None:
    receipt = await Sender().send(status="cancelled")
    assert (receipt.excerpt, receipt.links) == ("there is no entry to cancel", ())


async def test_an_entry_that_is_not_there_needs_a_start() -> None:
    with pytest.raises(PermanentFailure, match="names no `start`"):
        await Sender().send(summary="x")


async def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(PermanentFailure, match="ends before it begins"):
        await Sender().send(**MEETING, end="2026-12-01")


async def test_the_feed_says_what_it_is_and_how_often_to_look() -> None:
    sender = Sender(title="Vendas, 2026; já\nsim", refresh="90m")
    await sender.send(**MEETING)
    await sender.send(**{**MEETING, "summary": "Outra"}, key="deal:66")
    feed = sender.feed
    told = {name: feed.contents[name][0].value for name in ("version", "method", "calscale", "x-wr-timezone")}
    assert told == {
        "version": "2.0",
        "method": "PUBLISH",
        "calscale": "GREGORIAN",
        "x-wr-timezone": "America/Sao_Paulo",
    }
    assert feed.contents["x-wr-calname"][0].value == feed.contents["name"][0].value == "Vendas, 2026; já sim"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H30M\r\n" in sender.body
    assert b"X-PUBLISHED-TTL:PT1H30M\r\n" in sender.body
    assert [event.summary.value for event in feed.vevent_list] == ["Assinatura: Padaria Estrela", "Outra"]
    assert b"ATTENDEE" not in sender.body


def test_a_feed_of_nothing_is_a_calendar_with_the_name_of_its_target() -> None:
    feed = vobject.readOne(document("sales", options(), []).decode())
    assert feed.contents["x-wr-calname"][0].value == "sales"
    assert "vevent" not in feed.contents


async def test_a_probe_tells_where_it_is_served() -> None:
    async with Client() as client:
        told = await CalendarFeed("sales", options()).probe(client)
    assert told == "is served at /feeds/sales/…, to who knows one of 1 secrets"


def test_a_preview_is_what_calendars_show() -> None:
    content: JsonObject = {**MEETING, "location": "Sala 2", "url": "https://x.example/1", "status": "tentative"}
    assert CalendarFeed("sales", options()).preview(content).splitlines() == [
        "(tentative)",
        "Assinatura: Padaria Estrela",
        "2026-12-24",
        "Sala 2",
        "https://x.example/1",
        "Contrato anual",
    ]


@pytest.mark.parametrize(
    ("given_options", "words"),
    [
        ({"secrets": []}, "at least 1 item"),
        ({"secrets": ["hush-short"]}, "at least, such as of a generator"),
        ({"secrets": [SECRET, "hush/of a great length indeed"]}, "letters, digits"),
        ({"timezone": "Mars"}, "no time zone"),
    ],
)
def test_wrong_options_are_told(given_options: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        options(**given_options)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"start": "amanhã"}, "must be a day"),
        ({"end": "2026-12-25"}, 'go with "start"'),
        ({"url": "nowhere"}, "whole address"),
        ({"attendees": ["ana@acme.example"]}, "attendees"),
        ({"status": "done"}, "'confirmed', 'tentative' or 'cancelled'"),
    ],
)
def test_wrong_entries_are_told(entry: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        CalendarFeedAction.model_validate(entry)


ANY_TEXT = st.text(max_size=80) | st.text(st.sampled_from(',;:\\\n\r"N n\x85é😀BEGIN:END'), max_size=80)


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=1, max_size=4), title=ANY_TEXT.filter(bool))
async def test_any_text_makes_a_feed_that_others_read(texts: list[tuple[str, str]], title: str) -> None:
    sender = Sender(title=title)
    for number, (summary, description) in enumerate(texts):
        await sender.send(key=str(number), summary=summary, description=description, start="2026-12-24")
    assert all(len(line) <= 75 for line in sender.body.split(b"\r\n"))
    feed = sender.feed
    check_and_sanitize_items([feed], max_vevent_rrule_occurrence=1000, is_collection=True, tag="VCALENDAR")
    assert [len(event.contents["summary"]) for event in feed.vevent_list] == [1] * len(texts)
