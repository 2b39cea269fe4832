import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Message, Receipt
from bridge.options import Secret, StandIns
from bridge.targets.google_calendar import GoogleCalendar, GoogleCalendarAction, GoogleCalendarOptions
from bridge.targets.google_calendar.event import escape, event_id, fields
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.contract_server import ContractServer, Step, answer, says
from tests.support.google_calendar import CALENDAR, EMAIL, FakeGoogleCalendar, Fault, account_key, google_key
from tests.support.openapi import GOOGLE_CALENDAR, Asked

KEY = "deal:65"
ID = event_id("sales", KEY)
MEETING: JsonObject = {
    "summary": "Reunião: Padaria Estrela",
    "start": "2026-12-24T15:00-03:00",
    "description": "Levar a proposta",
}
EVENT = f"GET /calendars/{CALENDAR}/events/ID"
MAKE, READ, WRITE = (
    f"POST /calendars/{CALENDAR}/events",
    f"GET /calendars/{CALENDAR}/events/ID",
    f"PUT /calendars/{CALENDAR}/events/ID",
)


class TestContract(HttpTargetContract):
    type_name = "google_calendar"
    content: ClassVar[JsonObject] = MEETING
    seen_by_people = "Reunião: Padaria Estrela"
    secrets = ("ya29.hush", account_key()[0])

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        options = {
            "calendar": CALENDAR,
            "service_account": google_key(f"{url}/token"),
            "api_url": url,
            "timeout": timeout,
        }
        target = GoogleCalendar("sales", GoogleCalendarOptions.model_validate(options))
        target._calendar._tokens.known(Secret("ya29.hush"), 3600)
        return target

    def accepted(self) -> Step:
        return says({"id": ID, "status": "confirmed", "etag": '"1"'})

    async def test_every_status_has_its_meaning(self, server: ContractServer, client: Client) -> None:
        later = {408, 425, 429, *range(500, 600)}
        for status in range(300, 600):
            server.script(answer(status, b"no"))
            failure = await self.failure(server.url, client)
            refused = AccessRefused if status in {401, 403, 404, 410} else PermanentFailure
            assert type(failure) is (TransientFailure if status in later else refused), status


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def google() -> AsyncIterator[FakeGoogleCalendar]:
    async with FakeGoogleCalendar() as running:
        yield running


class Sender:
    """A target, with the links that its receipts left."""

    def __init__(self, google: FakeGoogleCalendar, client: Client, **options: Any) -> None:
        self.target = GoogleCalendar("sales", GoogleCalendarOptions.model_validate(google.options(**options)))
        self.links, self._client = KnownLinks(), client

    async def send(self, **content: Any) -> Receipt:
        receipt = await self.target.send(Message(DELIVERY, KEY, content), self.links, self._client)
        self.links.keep(receipt)
        return receipt

    async def failure(self, **content: Any) -> DeliveryFailure:
        with pytest.raises(DeliveryFailure) as caught:
            await self.send(**content)
        return caught.value


@pytest.fixture
def sender(google: FakeGoogleCalendar, client: Client) -> Sender:
    return Sender(google, client)


# the life of an event


async def test_an_event_is_made_with_the_id_that_its_key_gives(google: FakeGoogleCalendar, sender: Sender) -> None:
    receipt = await sender.send(**MEETING)
    assert google.lines() == [MAKE]
    assert google.event["id"] == ID
    assert google.event["start"] == {"dateTime": "2026-12-24T15:00:00-03:00"}
    assert google.event["end"] == {"dateTime": "2026-12-24T16:00:00-03:00"}
    (link,) = receipt.links
    assert (link.target, link.key, link.external_id, link.data) == ("sales", KEY, ID, {"url": f"https://cal/{ID}"})


async def test_a_later_message_changes_it_and_leaves_alone_what_it_does_not_name(
    google: FakeGoogleCalendar, sender: Sender
) -> None:
    await sender.send(**MEETING)
    google.event["colorId"] = "7"
    await sender.send(summary="Reunião adiada", start="2026-12-26")
    assert google.lines() == [MAKE, READ, WRITE]
    assert google.event["summary"] == "Reunião adiada"
    assert (google.event["start"], google.event["end"]) == ({"date": "2026-12-26"}, {"date": "2026-12-27"})
    assert (google.event["description"], google.event["colorId"]) == ("Levar a proposta", "7")


async def test_it_is_cancelled_and_brought_back(google: FakeGoogleCalendar, sender: Sender) -> None:
    await sender.send(**MEETING)
    await sender.send(status="cancelled")
    assert google.event["status"] == "cancelled"
    await sender.send(summary="De novo")
    assert (google.event["status"], google.event["summary"]) == ("confirmed", "De novo")


async def test_cancelling_what_is_not_there_is_done_already(google: FakeGoogleCalendar, sender: Sender) -> None:
    receipt = await sender.send(status="cancelled")
    assert (receipt.excerpt, receipt.links, google.events) == ("there is no event to cancel", (), {})


async def test_cancelling_twice_writes_once(google: FakeGoogleCalendar, sender: Sender) -> None:
    await sender.send(**MEETING)
    await sender.send(status="cancelled")
    await sender.send(status="cancelled")
    assert google.lines() == [MAKE, READ, WRITE, READ]


async def test_an_event_that_was_made_without_our_noting_it_is_not_made_again(
    google: FakeGoogleCalendar, sender: Sender
) -> None:
    google.fail = lambda asked: Fault(lost=True, done=True) if asked.method == "POST" else None
    assert isinstance(await sender.failure(**MEETING), UnknownOutcome)
    google.fail = lambda _: None
    await sender.send(**MEETING)
    assert len(google.events) == 1
    assert google.lines() == [MAKE, MAKE, READ, WRITE]


async def test_an_event_that_is_gone_for_good_is_made_again(google: FakeGoogleCalendar, sender: Sender) -> None:
    await sender.send(**MEETING)
    google.events.clear()
    await sender.send(**MEETING)
    assert google.lines() == [MAKE, READ, MAKE]


async def test_a_change_that_somebody_makes_in_between_is_not_overwritten(
    google: FakeGoogleCalendar, sender: Sender
) -> None:
    await sender.send(**MEETING)

    def meanwhile(asked: Asked) -> None:
        if asked.method == "PUT":
            google.events[ID] |= {"etag": '"9"', "location": "Sala 2"}

    google.fail = meanwhile
    failure = await sender.failure(**MEETING)
    assert (type(failure), failure.status) == (TransientFailure, 412)
    google.fail = lambda _: None
    await sender.send(summary="Outra")
    assert (google.event["location"], google.event["summary"]) == ("Sala 2", "Outra")


async def test_guests_keep_what_they_answered(google: FakeGoogleCalendar, sender: Sender) -> None:
    await sender.send(**MEETING, attendees=["ana@acme.example", "rui@acme.example"])
    google.event["attendees"][0]["responseStatus"] = "accepted"
    await sender.send(attendees=["Ana@acme.example", "eva@acme.example"])
    assert google.event["attendees"] == [
        {"email": "Ana@acme.example", "responseStatus": "accepted"},
        {"email": "eva@acme.example"},
    ]


async def test_an_event_that_is_not_there_needs_a_start(sender: Sender, google: FakeGoogleCalendar) -> None:
    failure = await sender.failure(summary="Reunião")
    assert isinstance(failure, PermanentFailure)
    assert "names no `start`" in failure.reason
    assert google.asked == []


async def test_an_end_before_the_start_is_refused_before_anything_is_asked(
    sender: Sender, google: FakeGoogleCalendar
) -> None:
    failure = await sender.failure(**MEETING, end="2026-12-24T10:00-03:00")
    assert isinstance(failure, PermanentFailure)
    assert "ends before it begins" in failure.reason
    assert google.asked == []


async def test_everything_that_can_be_said_of_an_event(google: FakeGoogleCalendar, client: Client) -> None:
    sender = Sender(google, client, notify="external", timezone="America/Manaus")
    await sender.send(
        summary="Visita",
        start="2026-12-24T15:00",
        duration="90m",
        location="Rua das Flores, 120",
        attendees=["ana@acme.example"],
        reminders=["1d", "30m"],
        busy=False,
        private=True,
        status="tentative",
    )
    assert google.asked[0].query == {"sendUpdates": "externalOnly"}
    assert (
        google.event
        | {
            "start": {"dateTime": "2026-12-24T15:00:00-04:00", "timeZone": "America/Manaus"},
            "end": {"dateTime": "2026-12-24T16:30:00-04:00", "timeZone": "America/Manaus"},
            "location": "Rua das Flores, 120",
            "attendees": [{"email": "ana@acme.example"}],
            "reminders": {
                "useDefault": False,
                "overrides": [{"method": "popup", "minutes": 1440}, {"method": "popup", "minutes": 30}],
            },
            "transparency": "transparent",
            "visibility": "private",
            "status": "tentative",
        }
        == google.event
    )


# the way in


async def test_a_service_account_asks_for_no_more_than_events(google: FakeGoogleCalendar, client: Client) -> None:
    await Sender(google, client, subject="vendas@acme.example").send(**MEETING)
    (claims,) = google.claims
    assert claims["iss"] == EMAIL
    assert claims["sub"] == "vendas@acme.example"
    assert claims["scope"] == "https://www.googleapis.com/auth/calendar.events"
    assert claims["exp"] - claims["iat"] == 3600


async def test_a_person_consents_with_a_refresh_token(google: FakeGoogleCalendar, client: Client) -> None:
    consent = {
        "client_id": "c",
        "client_secret": "hush-1",
        "refresh_token": "hush-2",
        "token_url": f"{google.url}/token",
    }
    await Sender(google, client, service_account=None, consent=consent).send(**MEETING)
    told = {"client_id": "c", "client_secret": "hush-1", "refresh_token": "hush-2", "grant_type": "refresh_token"}
    assert google.claims == [told]


async def test_one_token_serves_many_messages(google: FakeGoogleCalendar, sender: Sender) -> None:
    for number in range(5):
        await sender.send(**{**MEETING, "summary": str(number)})
    assert len(google.tokens) == 1


async def test_a_token_that_ends_early_is_replaced_once(google: FakeGoogleCalendar, sender: Sender) -> None:
    await sender.send(**MEETING)
    google.tokens.append("ya29.another")
    await sender.send(summary="Nova")
    assert len(google.tokens) == 3
    assert google.event["summary"] == "Nova"


async def test_a_consent_that_was_withdrawn_stops_the_target(google: FakeGoogleCalendar, sender: Sender) -> None:
    google.revoked = True
    failure = await sender.failure(**MEETING)
    assert isinstance(failure, AccessRefused)
    assert failure.reason == "no access token: invalid_grant: Token has been expired or revoked."


def test_the_numbers_of_a_key_are_proved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    proved: list[bytes] = []

    def load(pem: bytes, password: None) -> object:
        proved.append(pem)
        return load_pem_private_key(pem, password)

    monkeypatch.setattr("bridge.component.google.load_pem_private_key", load)
    key = google_key("https://token-of-this-test.example")
    for _ in range(2):
        options = GoogleCalendarOptions.model_validate({"calendar": CALENDAR, "service_account": key})
        assert list(options.made_secrets()) == [account_key()[0]]
    assert len(proved) == 1


async def test_the_token_of_the_moment_is_blotted_out(sender: Sender) -> None:
    await sender.send(**MEETING)
    assert sender.target.redactor.redacted("he sent Bearer ya29.hush-0!") == "he sent Bearer ***!"
    assert account_key()[0] not in sender.target.redactor.redacted(account_key()[0])


# refusals


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (403, "rateLimitExceeded", TransientFailure),
        (403, "userRateLimitExceeded", TransientFailure),
        (403, "quotaExceeded", TransientFailure),
        (403, "forbidden", AccessRefused),
        (403, "accessNotConfigured", AccessRefused),
        (403, "forbiddenForServiceAccounts", PermanentFailure),
        (403, "forbiddenForNonOrganizer", PermanentFailure),
        (400, "invalid", PermanentFailure),
        (404, "notFound", AccessRefused),
        (429, "rateLimitExceeded", TransientFailure),
        (500, "backendError", TransientFailure),
    ],
)
async def test_a_refusal_means_what_its_reason_says(
    google: FakeGoogleCalendar, sender: Sender, status: int, reason: str, kind: type[DeliveryFailure]
) -> None:
    google.fail = lambda _: Fault(status, reason)
    failure = await sender.failure(**MEETING)
    assert type(failure) is kind
    assert failure.status == status
    assert reason in failure.excerpt
    if isinstance(failure, TransientFailure):
        assert failure.throttled == (status < 500)


async def test_who_may_only_read_is_told_how_to_share(google: FakeGoogleCalendar, sender: Sender) -> None:
    google.role = "reader"
    failure = await sender.failure(**MEETING)
    assert isinstance(failure, AccessRefused)
    assert "requiredAccessLevel, says Google (share the calendar with the account" in failure.reason


async def test_an_id_that_google_keeps_and_does_not_show_is_no_endless_matter(
    google: FakeGoogleCalendar, sender: Sender
) -> None:
    google.fail = lambda asked: Fault(409, "duplicate") if asked.method == "POST" else None
    failure = await sender.failure(**MEETING)
    assert isinstance(failure, PermanentFailure)
    assert "does not show the event" in failure.reason


# what people see


async def test_a_probe_names_the_calendar(google: FakeGoogleCalendar, sender: Sender, client: Client) -> None:
    assert await sender.target.probe(client) == 'writes to the calendar "Vendas"'
    google.role = "freeBusyReader"
    with pytest.raises(AccessRefused, match='may only read "Vendas"'):
        await sender.target.probe(client)
    google.fail = lambda _: Fault(404, "notFound")
    with pytest.raises(AccessRefused, match="share the calendar"):
        await sender.target.probe(client)


def test_a_preview_is_what_the_calendar_shows(google: FakeGoogleCalendar) -> None:
    google.url = "https://calendar.example"
    target = GoogleCalendar("sales", GoogleCalendarOptions.model_validate(google.options()))
    content: JsonObject = {**MEETING, "location": "Sala 2", "attendees": ["ana@acme.example"], "status": "tentative"}
    assert target.preview(content).splitlines() == [
        "(tentative)",
        "Reunião: Padaria Estrela",
        "2026-12-24 15:00 to 2026-12-24 16:00",
        "Sala 2",
        "ana@acme.example",
        "Levar a proposta",
    ]


def test_data_is_text_in_a_description() -> None:
    assert (
        escape('<a href="https://evil.example">5 & 6</a>') == '&lt;a href="https://evil.example"&gt;5 &amp; 6&lt;/a&gt;'
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, 'needs "service_account" or "consent"'),
        ({"service_account": "{}"}, "must hold the whole JSON key"),
        ({"service_account": "no json"}, "must hold the whole JSON key"),
        ({"service_account": json.dumps({"client_email": 1, "private_key": "x", "token_uri": "y"})}, "whole JSON key"),
        ({"calendar": "Vendas"}, "which holds an @"),
        ({"calendar": "https://calendar.google.com/calendar/u/0?cid=a@b"}, "which holds an @"),
        ({"service_account": "[]"}, "must hold the whole JSON key"),
        ({"consent": {"client_id": "a", "client_secret": "hush", "refresh_token": "b"}, "subject": "c"}, "goes with"),
        (
            {"consent": {"client_id": "a", "client_secret": "hush", "refresh_token": "b"}, "timezone": "Mars"},
            "no time zone",
        ),
    ],
)
def test_wrong_options_are_told(options: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        GoogleCalendarOptions.model_validate({"calendar": "x@y", **options})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"start": "amanhã"}, "must be a day"),
        ({"start": "2026-12-24", "end": "2026-12-25", "duration": "1h"}, "not both"),
        ({"end": "2026-12-25"}, 'go with "start"'),
        ({"reminders": ["5w"]}, "four weeks"),
        ({"attendees": ["ana"]}, "no e-mail address"),
        ({"attendees": ["ana@x.example, eva@x.example"]}, "no e-mail address"),
    ],
)
def test_wrong_entries_are_told(entry: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        GoogleCalendarAction.model_validate(entry)


@given(key=st.text(max_size=80), name=st.text(max_size=20))
def test_any_key_gives_an_id_that_google_takes(key: str, name: str) -> None:
    id_ = event_id(name, key)
    assert set(id_) <= set("0123456789abcdefghijklmnopqrstuv")
    assert 5 <= len(id_) <= 1024


@given(summary=st.text(), description=st.text(max_size=20_000), location=st.text())
def test_any_text_makes_an_event_that_the_contract_takes(summary: str, description: str, location: str) -> None:
    said = {"summary": summary, "description": description, "location": location}
    action = GoogleCalendarAction.model_validate({**said, "start": "2026-12-24", "reminders": []})
    event = fields(action, ZoneInfo("America/Sao_Paulo"))
    assert len(str(event["description"])) <= 8192
    body = json.dumps({"id": ID, **event}).encode()
    asked = Asked("POST", f"/calendars/{CALENDAR}/events", {}, body, {"Authorization": "Bearer x"})
    assert GOOGLE_CALENDAR.violations(asked) == []


def test_reminders_are_counted_in_minutes() -> None:
    action = GoogleCalendarAction.model_validate({"reminders": ["90s"]})
    assert action.reminders == [timedelta(seconds=90)]


async def test_without_a_key_a_test_of_rules_has_one_that_opens_nothing(client: Client) -> None:
    options = {"calendar": "x@y", "service_account": StandIns.value("GOOGLE_KEY")}
    target = GoogleCalendar("sales", GoogleCalendarOptions.model_validate(options))
    assert target.options.service_account is not None
    assert "stand-in.example" in target.options.service_account.reveal()
    with pytest.raises(TransientFailure):
        await target.send(Message(DELIVERY, KEY, MEETING), KnownLinks(), client)
