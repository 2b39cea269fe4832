import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Link, Message, Receipt
from bridge.options import Secret, StandIns
from bridge.targets.microsoft_calendar import MicrosoftCalendar, MicrosoftCalendarAction, MicrosoftCalendarOptions
from bridge.targets.microsoft_calendar.event import PROPERTY, escape, fields, mark_of, marked
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.contract_server import ContractServer, Step, answer, says
from tests.support.microsoft_calendar import MAILBOX, SECRET, FakeGraph, Fault, graph_violations
from tests.support.openapi import Asked

KEY = "deal:65"
MEETING: dict[str, Any] = {
    "summary": "Reunião: Padaria Estrela",
    "start": "2026-12-24T15:00-03:00",
    "description": "Levar a proposta\ne o contrato",
}
GUEST: JsonObject = {"emailAddress": {"address": "a@b.example"}, "type": "required"}
LOOK, MAKE, CHANGE, REMOVE = "GET /events", "POST /events", "PATCH /events/ID", "DELETE /events/ID"


class TestContract(HttpTargetContract):
    type_name = "microsoft_calendar"
    content: ClassVar[JsonObject] = MEETING
    seen_by_people = "Reunião: Padaria Estrela"
    secrets = ("ey.hush", SECRET)

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        options = {"tenant": "t", "client_id": "a", "client_secret": SECRET, "mailbox": MAILBOX}
        addresses = {"login_url": url, "api_url": url, "timeout": timeout}
        target = MicrosoftCalendar("sales", MicrosoftCalendarOptions.model_validate(options | addresses))
        target._graph._tokens.known(Secret("ey.hush"), 3600)
        return target

    def links(self) -> KnownLinks:
        return KnownLinks(Link("sales", "deal:1", "event-1", {"mailbox": MAILBOX}))

    def accepted(self) -> Step:
        return says({"id": "event-1"})

    async def test_every_status_has_its_meaning(self, server: ContractServer, client: Client) -> None:
        later = {408, 409, 412, 425, 429, *range(500, 600)}
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
async def graph() -> AsyncIterator[FakeGraph]:
    async with FakeGraph() as running:
        yield running


class Sender:
    """A target, with the links that its receipts left."""

    def __init__(self, graph: FakeGraph, client: Client, **options: Any) -> None:
        options = graph.options(**options)
        self.target = MicrosoftCalendar("sales", MicrosoftCalendarOptions.model_validate(options))
        self.links, self._client = KnownLinks(), client

    async def send(self, delivery: str = DELIVERY, **content: Any) -> Receipt:
        receipt = await self.target.send(Message(delivery, KEY, content), self.links, self._client)
        self.links.keep(receipt)
        return receipt

    async def failure(self, **content: Any) -> DeliveryFailure:
        with pytest.raises(DeliveryFailure) as caught:
            await self.send(**content)
        return caught.value


@pytest.fixture
def sender(graph: FakeGraph, client: Client) -> Sender:
    return Sender(graph, client)


# The life of an event


async def test_an_event_is_made_with_its_mark(graph: FakeGraph, sender: Sender) -> None:
    receipt = await sender.send(**MEETING)
    assert graph.lines == [LOOK, MAKE]
    event = graph.event
    assert event["start"] == {"dateTime": "2026-12-24T15:00:00", "timeZone": "America/Sao_Paulo"}
    assert event["end"] == {"dateTime": "2026-12-24T16:00:00", "timeZone": "America/Sao_Paulo"}
    assert event["body"] == {"contentType": "html", "content": "Levar a proposta<br>\ne o contrato"}
    assert event["_marks"] == [{"id": PROPERTY, "value": mark_of("sales", KEY)}]
    assert event["transactionId"] == DELIVERY
    (link,) = receipt.links
    assert (link.key, link.external_id, link.data["url"]) == (KEY, "event-1=", "https://outlook/event-1=")


async def test_a_later_message_changes_it_and_leaves_alone_what_it_does_not_name(
    graph: FakeGraph, sender: Sender
) -> None:
    await sender.send(**MEETING)
    graph.event["importance"] = "high"
    await sender.send(summary="Reunião adiada", start="2026-12-26")
    assert graph.lines == [LOOK, MAKE, CHANGE]
    event = graph.event
    assert (event["subject"], event["isAllDay"], event["importance"]) == ("Reunião adiada", True, "high")
    assert [event[end]["dateTime"] for end in ("start", "end")] == ["2026-12-26T00:00:00", "2026-12-27T00:00:00"]
    assert event["body"]["content"].startswith("Levar")
    await sender.send(start="2026-12-26T10:00")
    assert graph.event["isAllDay"] is False


async def test_it_is_cancelled_and_made_anew(graph: FakeGraph, sender: Sender) -> None:
    await sender.send("dlv_1", **MEETING)
    receipt = await sender.send("dlv_2", status="cancelled")
    assert (receipt.status, receipt.excerpt, graph.events) == (204, "cancelled", {})
    await sender.send("dlv_3", **MEETING)
    assert graph.lines == [LOOK, MAKE, REMOVE, CHANGE, LOOK, MAKE]
    assert graph.event["subject"] == "Reunião: Padaria Estrela"
    assert sender.links.kept[KEY].external_id == "event-2="


async def test_cancelling_what_is_not_there_is_done_already(graph: FakeGraph, sender: Sender) -> None:
    receipt = await sender.send(status="cancelled")
    assert (receipt.status, receipt.excerpt, graph.lines) == (None, "there is no event to cancel", [LOOK])


async def test_cancelling_twice_removes_once(graph: FakeGraph, sender: Sender) -> None:
    await sender.send(**MEETING)
    await sender.send(status="cancelled")
    receipt = await sender.send(status="cancelled")
    assert receipt.excerpt == "there is no event to cancel"
    assert graph.lines == [LOOK, MAKE, REMOVE, REMOVE, LOOK]


async def test_an_event_that_was_made_without_our_noting_it_is_found_by_its_mark(
    graph: FakeGraph, sender: Sender
) -> None:
    graph.fail = lambda asked: Fault(lost=True, done=True) if asked.method == "POST" else None
    assert isinstance(await sender.failure(**MEETING), UnknownOutcome)
    graph.fail = lambda _: None
    await sender.send(**MEETING)
    assert graph.lines == [LOOK, MAKE, LOOK, CHANGE]
    assert len(graph.events) == 1


async def test_an_event_that_was_made_without_our_noting_it_can_be_cancelled(graph: FakeGraph, sender: Sender) -> None:
    await sender.send(**MEETING)
    sender.links.kept.clear()
    await sender.send(status="cancelled")
    assert graph.events == {}


async def test_an_event_that_is_not_shown_yet_is_not_made_twice(graph: FakeGraph, sender: Sender) -> None:
    graph.fail = lambda asked: Fault(lost=True, done=True) if asked.method == "POST" else None
    await sender.failure(**MEETING)
    graph.fail, graph.hidden = lambda _: None, True
    failure = await sender.failure(**MEETING)
    assert (type(failure), failure.status, len(graph.events)) == (TransientFailure, 409, 1)
    graph.hidden = False
    await sender.send(**MEETING)
    assert len(graph.events) == 1


async def test_an_event_that_a_person_removed_is_made_again(graph: FakeGraph, sender: Sender) -> None:
    await sender.send("dlv_1", **MEETING)
    graph.events.clear()
    await sender.send("dlv_2", **MEETING)
    assert graph.lines == [LOOK, MAKE, CHANGE, LOOK, MAKE]


async def test_a_link_to_another_mailbox_is_over(graph: FakeGraph, sender: Sender) -> None:
    sender.links.kept[KEY] = Link("sales", KEY, "elsewhere", {"mailbox": "outra@empresa.example"})
    await sender.send(**MEETING)
    assert graph.lines == [LOOK, MAKE]


async def test_an_event_that_is_not_there_needs_a_start(sender: Sender) -> None:
    failure = await sender.failure(summary="Reunião")
    assert isinstance(failure, PermanentFailure)
    assert "names no `start`" in failure.reason


async def test_who_was_unsure_and_is_sure_again_is_busy_again(graph: FakeGraph, sender: Sender) -> None:
    await sender.send(**MEETING, status="tentative")
    assert graph.event["showAs"] == "tentative"
    await sender.send(summary="Certa")
    assert graph.event["showAs"] == "busy"
    graph.event["showAs"] = "oof"
    await sender.send(summary="Mudou")
    assert graph.event["showAs"] == "oof", "what a person has chosen stays"


async def test_a_calendar_is_found_by_its_name_once(graph: FakeGraph, client: Client) -> None:
    sender = Sender(graph, client, calendar="reuniões de vendas")
    await sender.send("dlv_1", **MEETING)
    graph.events.clear()
    await sender.send("dlv_2", **MEETING)
    assert graph.event["_calendar"] == "cal-2"
    assert graph.lines.count("GET /calendars") == 1


async def test_a_calendar_is_found_by_its_id(graph: FakeGraph, client: Client) -> None:
    await Sender(graph, client, calendar="cal-2").send(**MEETING)
    assert graph.event["_calendar"] == "cal-2"


# Refusals


async def test_a_calendar_that_is_not_there_stops_the_target(graph: FakeGraph, client: Client) -> None:
    failure = await Sender(graph, client, calendar="Reunioes de Venda").failure(**MEETING)
    assert isinstance(failure, AccessRefused)
    assert failure.reason.endswith('did you mean "Reuniões de Vendas"?')


async def test_a_mailbox_that_is_not_there_stops_the_target(graph: FakeGraph, client: Client) -> None:
    failure = await Sender(graph, client, mailbox="x@empresa.example").failure(**MEETING)
    assert isinstance(failure, AccessRefused)
    assert "there is no such mailbox" in failure.reason


async def test_a_secret_that_is_wrong_stops_the_target(graph: FakeGraph, client: Client) -> None:
    failure = await Sender(graph, client, client_secret="hush-wrong").failure(**MEETING)
    assert isinstance(failure, AccessRefused)
    assert failure.reason == "no access token: invalid_client: AADSTS7000215: Invalid client secret provided."
    assert graph.forms[0]["tenant"] == "empresa.example"


async def test_a_permission_that_lacks_is_named(graph: FakeGraph, sender: Sender) -> None:
    graph.fail = lambda _: Fault(403, "ErrorAccessDenied")
    failure = await sender.failure(**MEETING)
    assert isinstance(failure, AccessRefused)
    assert failure.reason.startswith("Microsoft refused it: ErrorAccessDenied, says Microsoft (grant the application")


async def test_a_token_that_was_revoked_is_replaced_once(graph: FakeGraph, sender: Sender) -> None:
    await sender.send(**MEETING)
    graph.tokens.append("another")
    await sender.send(**MEETING)
    assert len(graph.forms) == 2
    assert graph.lines == [LOOK, MAKE, CHANGE, CHANGE]


async def test_a_change_of_somebody_else_in_the_same_moment_is_tried_again(graph: FakeGraph, sender: Sender) -> None:
    await sender.send(**MEETING)
    graph.fail = lambda _: Fault(412, "ErrorIrresolvableConflict")
    assert isinstance(await sender.failure(**MEETING), TransientFailure)


async def test_what_no_event_can_be_made_of_is_refused_for_good(graph: FakeGraph, sender: Sender) -> None:
    graph.fail = lambda asked: Fault(400, "ErrorInvalidProperty") if asked.method == "POST" else None
    failure = await sender.failure(**MEETING)
    assert isinstance(failure, PermanentFailure)
    assert "ErrorInvalidProperty" in failure.reason


async def test_the_token_of_the_moment_is_blotted_out(graph: FakeGraph, sender: Sender) -> None:
    await sender.send(**MEETING)
    assert "ey.hush" not in sender.target.redactor.redacted(f"{graph.tokens[0]} {SECRET}")
    assert SECRET not in sender.target.redactor.redacted(SECRET)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, f'writes to the calendar "Calendário" of {MAILBOX}'),
        ({"calendar": "cal-2"}, f'writes to the calendar "Reuniões de Vendas" of {MAILBOX}'),
    ],
)
async def test_a_probe_asks_for_the_calendar(graph: FakeGraph, client: Client, options: JsonObject, said: str) -> None:
    assert await Sender(graph, client, **options).target.probe(client) == said
    graph.writable = False
    with pytest.raises(AccessRefused, match="may only be read"):
        await Sender(graph, client, **options).target.probe(client)
    assert {asked.method for asked in graph.asked} == {"GET"}


# What entries say


def told(**content: Any) -> JsonObject:
    action = MicrosoftCalendarAction.model_validate(content)
    return fields(action, ZoneInfo("America/Sao_Paulo"), was_tentative=False)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"summary": " a\n b "}, {"subject": "a b"}),
        ({"location": "Sala 1"}, {"location": {"displayName": "Sala 1"}}),
        ({"attendees": ["a@b.example", "a@b.example"]}, {"attendees": [GUEST]}),
        ({"attendees": []}, {"attendees": []}),
        ({"reminders": ["1d"]}, {"isReminderOn": True, "reminderMinutesBeforeStart": 1440}),
        ({"reminders": []}, {"isReminderOn": False}),
        ({"busy": False}, {"showAs": "free"}),
        ({"busy": True}, {"showAs": "busy"}),
        ({"status": "tentative", "busy": False}, {"showAs": "tentative"}),
        ({"private": True}, {"sensitivity": "private"}),
        ({"private": False}, {"sensitivity": "normal"}),
        ({"categories": ["Vendas", " ", "Vendas"]}, {"categories": ["Vendas"]}),
        ({}, {}),
    ],
)
def test_each_key_says_one_thing(content: JsonObject, expected: JsonObject) -> None:
    assert told(**content) == expected


def test_a_moment_elsewhere_is_told_by_the_clock_of_the_zone() -> None:
    start = told(start="2026-12-24T18:30Z")["start"]
    assert start == {"dateTime": "2026-12-24T15:30:00", "timeZone": "America/Sao_Paulo"}


def test_what_is_too_long_is_cut_visibly() -> None:
    event = told(summary="x" * 300, description="y" * 200_000)
    assert event["subject"] == "x" * 254 + "…"
    body = event["body"]
    assert isinstance(body, dict)
    assert body["content"] == "y" * 99_999 + "…"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"end": "2026-12-24"}, 'go with "start"'),
        ({"start": "2026-12-24", "end": "2026-12-25", "duration": "1d"}, "not both"),
        ({"start": "tomorrow"}, "must be a day"),
        ({"reminders": ["1h", "1d"]}, "reminders"),
        ({"reminders": ["11w"]}, "ten weeks"),
        ({"attendees": ["nobody"]}, "no e-mail address"),
        ({"status": "gone"}, "status"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(content: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        MicrosoftCalendarAction.model_validate(content)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tenant": "a/b"}, "id or a domain"),
        ({"mailbox": "Vendas"}, "the user's address"),
        ({"concurrency": 4}, "concurrency"),
        ({"timezone": "Nowhere"}, "time zone"),
        ({"api_url": "nonsense"}, "whole address"),
        ({"client_secret": ""}, "client_secret"),
    ],
)
def test_options_that_cannot_work_are_refused(options: JsonObject, words: str) -> None:
    known = {"tenant": "t", "client_id": "a", "client_secret": "hush-secret", "mailbox": MAILBOX}
    with pytest.raises(ValidationError, match=words) as caught:
        MicrosoftCalendarOptions.model_validate(known | options)
    assert "hush-secret" not in str(caught.value)


def test_where_there_is_no_tenant_another_stands_in() -> None:
    known = {"tenant": StandIns.value("TENANT"), "client_id": "a", "client_secret": "b", "mailbox": MAILBOX}
    options = MicrosoftCalendarOptions.model_validate(known)
    assert options.client.token_url == "https://login.microsoftonline.com/stand-in/oauth2/v2.0/token"


@given(
    st.fixed_dictionaries(
        {"summary": st.text(), "description": st.text().map(escape), "location": st.text()},
        optional={
            "start": st.datetimes(datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2200-01-01")).map(str),
            "categories": st.lists(st.text(), max_size=3),
            "private": st.booleans(),
            "busy": st.booleans(),
        },
    )
)
def test_any_entry_makes_an_event_that_the_contract_takes(content: dict[str, Any]) -> None:
    event = marked(told(**content), mark_of("sales", KEY), DELIVERY)
    body = json.dumps(event).encode()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer a"}
    assert graph_violations(Asked("POST", f"/users/{MAILBOX}/events", {}, body, headers)) == []


def test_the_contract_refuses_what_is_no_event() -> None:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer a"}
    body = json.dumps({"subject": 5, "colour": "red"}).encode()
    found = graph_violations(Asked("POST", f"/users/{MAILBOX}/events", {"$colour": "x"}, body, headers))
    assert any("colour" in each for each in found)
    assert any("unknown query name $colour" in each for each in found)


def test_a_preview_shows_the_event_as_the_calendar_does() -> None:
    options = {"tenant": "t", "client_id": "a", "client_secret": "b", "mailbox": MAILBOX}
    target = MicrosoftCalendar("sales", MicrosoftCalendarOptions.model_validate(options))
    shown = target.preview({**MEETING, "status": "tentative", "location": "Sala 1", "categories": ["Vendas"]})
    assert shown == (
        "(tentative)\nReunião: Padaria Estrela\n2026-12-24 15:00 to 2026-12-24 16:00\nSala 1\nVendas\n"
        "Levar a proposta\ne o contrato"
    )
