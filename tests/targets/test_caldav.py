from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import vobject
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from radicale.item import check_and_sanitize_items
from yarl import URL

from bridge.component import Answer, AnyTarget, Http, Request
from bridge.component.client import Client
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Message, Receipt, new_id
from bridge.options import Secret
from bridge.targets.caldav import Caldav, CaldavAction, CaldavOptions
from bridge.targets.caldav.objects import Wanted, identity
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import KnownLinks
from tests.support.contract_server import ContractServer, Step, answer
from tests.support.radicale_server import NAME, PASSWORD, USER, Asked, Fault, RadicaleServer

KEY = "deal:65"
UID = identity("sales", KEY, "event", 1)
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MEETING: JsonObject = {
    "summary": "Reunião: Padaria Estrela",
    "start": "2026-12-24T15:00-03:00",
    "description": "Levar a proposta",
}
CALL: JsonObject = {"kind": "todo", "summary": "Ligar", "due": "2026-12-24T15:00-03:00"}


class TestContract(HttpTargetContract):
    type_name = "caldav"
    content: ClassVar[JsonObject] = MEETING
    seen_by_people = "Reunião: Padaria Estrela"
    secrets = (PASSWORD, CaldavOptions(url="https://x.example", username=USER, password=Secret(PASSWORD)).pair)

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        options = {"url": f"{url}/vendas/agenda/", "username": USER, "password": PASSWORD, "timeout": timeout}
        return Caldav("sales", CaldavOptions.model_validate(options))

    async def test_every_status_has_its_meaning(self, server: ContractServer, client: Client) -> None:
        later = {408, 412, 423, 425, 429, *range(500, 600)}
        for status in range(300, 600):
            server.script(answer(status, b"no"))
            failure = await self.failure(server.url, client)
            refused = AccessRefused if status in {401, 403, 404, 409, 410} else PermanentFailure
            assert type(failure) is (TransientFailure if status in later else refused), status


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RadicaleServer]:
    async with RadicaleServer(tmp_path / "radicale") as running:
        yield running


class Sender:
    """A target, with the links that its receipts left."""

    def __init__(self, server: RadicaleServer, client: Client, **options: Any) -> None:
        self.target = Caldav("sales", CaldavOptions.model_validate(server.options(**options)))
        self.links, self._client = KnownLinks(), client

    async def send(self, **content: Any) -> Receipt:
        receipt = await self.target.send(Message(new_id("dlv"), KEY, content), self.links, self._client)
        self.links.keep(receipt)
        return receipt

    async def failure(self, **content: Any) -> DeliveryFailure:
        with pytest.raises(DeliveryFailure) as caught:
            await self.send(**content)
        return caught.value


@pytest.fixture
def sender(server: RadicaleServer, client: Client) -> Sender:
    return Sender(server, client)


# the life of an event


async def test_an_event_is_made_under_the_address_that_its_key_gives(server: RadicaleServer, sender: Sender) -> None:
    receipt = await sender.send(**MEETING)
    event = server.one
    assert (event.uid.value, event.summary.value, event.description.value) == (UID, *_texts(MEETING))
    assert event.dtstart.value == datetime(2026, 12, 24, 18, tzinfo=UTC)
    assert event.dtend.value == datetime(2026, 12, 24, 19, tzinfo=UTC)
    assert (event.status.value, event.sequence.value) == ("CONFIRMED", "0")
    (link,) = receipt.links
    assert (link.target, link.key, link.external_id) == ("sales", KEY, UID)
    assert link.data == {"url": f"{server.url}/{USER}/agenda/{UID}.ics"}
    put = server.asked[-1]
    assert (put.method, put.headers["If-None-Match"]) == ("PUT", "*")


def _texts(content: JsonObject) -> tuple[Any, Any]:
    return content["summary"], content["description"]


async def test_a_later_message_changes_it_and_leaves_alone_what_it_does_not_name(
    server: RadicaleServer, sender: Sender
) -> None:
    await sender.send(**MEETING)
    server.edit("STATUS:CONFIRMED", "STATUS:CONFIRMED\r\nCOLOR:red")
    await sender.send(summary="Reunião adiada", start="2026-12-26")
    event = server.one
    assert (event.summary.value, event.description.value) == ("Reunião adiada", "Levar a proposta")
    assert (event.dtstart.value, event.dtend.value) == (date(2026, 12, 26), date(2026, 12, 27))
    assert (event.contents["color"][0].value, event.sequence.value) == ("red", "1")
    assert server.lines() == ["PUT", "GET", "PUT"]
    assert server.asked[-1].headers["If-Match"].startswith('"')


async def test_what_is_so_already_is_not_written_again(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**MEETING)
    receipt = await sender.send(**MEETING)
    assert server.lines() == ["PUT", "GET"]
    assert (receipt.status, receipt.excerpt, len(receipt.links)) == (200, "it is so already", 1)


async def test_it_is_cancelled_and_brought_back_and_never_deleted(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**MEETING)
    await sender.send(status="cancelled")
    assert (server.one.status.value, server.one.sequence.value) == ("CANCELLED", "1")
    await sender.send(summary="De novo")
    assert (server.one.status.value, server.one.summary.value, server.one.sequence.value) == (
        "CONFIRMED",
        "De novo",
        "2",
    )
    assert "DELETE" not in server.lines()


async def test_cancelling_what_is_not_there_is_done_already(server: RadicaleServer, sender: Sender) -> None:
    receipt = await sender.send(status="cancelled")
    assert (receipt.excerpt, receipt.links, server.objects) == ("there is nothing to end", (), [])


async def test_an_event_that_was_made_without_our_noting_it_is_not_made_again(
    server: RadicaleServer, sender: Sender
) -> None:
    server.fail = lambda asked: Fault(lost=True, done=True) if asked.method == "PUT" else None
    assert isinstance(await sender.failure(**MEETING), UnknownOutcome)
    server.fail = lambda _: None
    await sender.send(**{**MEETING, "summary": "Outra"})
    assert (len(server.objects), server.one.summary.value) == (1, "Outra")
    assert server.lines() == ["PUT", "PUT", "GET", "PUT"]


async def test_an_event_that_a_person_deleted_is_made_again(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**MEETING)
    server.delete()
    await sender.send(**MEETING)
    assert server.lines() == ["PUT", "GET", "PUT"]
    assert server.one.uid.value == UID


async def test_a_change_that_somebody_makes_in_between_is_not_overwritten(
    server: RadicaleServer, sender: Sender
) -> None:
    await sender.send(**MEETING)

    def meanwhile(asked: Asked) -> None:
        if asked.method == "PUT":
            server.edit("STATUS:CONFIRMED", "STATUS:CONFIRMED\r\nLOCATION:Sala 2")

    server.fail = meanwhile
    failure = await sender.failure(summary="Outra")
    assert (type(failure), failure.status) == (TransientFailure, 412)
    server.fail = lambda _: None
    await sender.send(summary="Outra")
    assert (server.one.location.value, server.one.summary.value) == ("Sala 2", "Outra")


async def test_guests_keep_what_they_answered(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**MEETING, attendees=["ana@acme.example", "rui@acme.example"])
    server.edit("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED")
    await sender.send(attendees=["Ana@acme.example", "eva@acme.example"])
    guests = server.one.contents["attendee"]
    assert [(each.value, each.params["PARTSTAT"]) for each in guests] == [
        ("mailto:ana@acme.example", ["ACCEPTED"]),
        ("mailto:eva@acme.example", ["NEEDS-ACTION"]),
    ]
    assert {str(each.params["SCHEDULE-AGENT"]) for each in guests} == {"['NONE']"}, "and the server tells nobody"


async def test_of_a_repeated_event_the_days_that_differ_stay(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**MEETING)
    lines = ("BEGIN:VEVENT", f"UID:{UID}", "RECURRENCE-ID:20261231T180000Z", "DTSTART:20261231T200000Z")
    other = "\r\n".join((*lines, "DTSTAMP:20261124T120000Z", "SUMMARY:Noutra hora", "END:VEVENT", ""))
    server.edit("STATUS:CONFIRMED", "STATUS:CONFIRMED\r\nRRULE:FREQ=WEEKLY")
    server.edit("END:VEVENT\r\nEND", f"END:VEVENT\r\n{other}END")
    await sender.send(summary="Semanal")
    (text,) = server.objects
    assert [event.summary.value for event in vobject.readOne(text).vevent_list] == ["Semanal", "Noutra hora"]


async def test_an_event_that_is_not_there_needs_a_start(sender: Sender, server: RadicaleServer) -> None:
    failure = await sender.failure(summary="Reunião")
    assert isinstance(failure, PermanentFailure)
    assert failure.reason == "there is no event yet, and the entry names no `start`"
    assert server.lines() == ["GET"]


async def test_an_end_before_the_start_is_refused(sender: Sender, server: RadicaleServer) -> None:
    failure = await sender.failure(**MEETING, end="2026-12-24T10:00-03:00")
    assert isinstance(failure, PermanentFailure)
    assert "ends before it begins" in failure.reason
    assert server.lines() == []


async def test_everything_that_can_be_said_of_an_event(server: RadicaleServer, client: Client) -> None:
    sender = Sender(server, client, timezone="America/Manaus", organizer="vendas@acme.example", notify="all")
    await sender.send(
        summary="Visita\r\na eles",
        start="2026-12-24T15:00",
        duration="90m",
        location="Rua das Flores, 120; fundos",
        attendees=["ana@acme.example"],
        reminders=["1d", "30m"],
        url="https://crm.example/deals/65?a=1,2;3",
        busy=False,
        private=True,
        status="tentative",
    )
    event = server.one
    assert event.summary.value == "Visita a eles"
    assert event.dtstart.value == datetime(2026, 12, 24, 19, tzinfo=UTC)
    assert event.dtend.value - event.dtstart.value == timedelta(minutes=90)
    assert event.location.value == "Rua das Flores, 120; fundos"
    assert event.url.value == "https://crm.example/deals/65?a=1,2;3"
    assert (event.transp.value, event.contents["class"][0].value) == ("TRANSPARENT", "PRIVATE")
    assert event.status.value == "TENTATIVE"
    assert event.organizer.value == "mailto:vendas@acme.example"
    assert event.attendee.params["RSVP"] == ["TRUE"]
    assert [alarm.trigger.value for alarm in event.valarm_list] == [timedelta(days=-1), timedelta(minutes=-30)]


async def test_reminders_are_replaced_whole(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**MEETING, reminders=["1d", "30m"])
    await sender.send(reminders=["2h"])
    assert [alarm.trigger.value for alarm in server.one.valarm_list] == [timedelta(hours=-2)]
    await sender.send(reminders=[])
    assert "valarm" not in server.one.contents


# the life of something to do


async def test_something_to_do_is_made_done_and_open_again(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**CALL, reminders=["30m"])
    todo = server.one
    assert (todo.name, todo.summary.value, todo.status.value) == ("VTODO", "Ligar", "NEEDS-ACTION")
    assert todo.due.value == datetime(2026, 12, 24, 18, tzinfo=UTC)
    assert todo.valarm.trigger.params["RELATED"] == ["END"]
    await sender.send(kind="todo", status="completed", completed="2026-12-23T10:00-03:00")
    done = server.one
    assert (done.status.value, done.contents["percent-complete"][0].value) == ("COMPLETED", "100")
    assert done.completed.value == datetime(2026, 12, 23, 13, tzinfo=UTC)
    await sender.send(kind="todo", due="2026-12-30")
    again = server.one
    assert (again.status.value, again.due.value) == ("NEEDS-ACTION", date(2026, 12, 30))
    assert not {"completed", "percent-complete"} & again.contents.keys()


async def test_what_is_done_was_done_when_it_was_said_first(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**CALL)
    before = datetime.now(UTC) - timedelta(seconds=2)
    await sender.send(kind="todo", status="completed")
    first = server.one.completed.value
    assert before <= first <= datetime.now(UTC)
    server.edit(f"COMPLETED:{first:%Y%m%dT%H%M%SZ}", "COMPLETED:20261201T120000Z")
    await sender.send(kind="todo", status="completed")
    assert server.one.completed.value == datetime(2026, 12, 1, 12, tzinfo=UTC)


async def test_a_day_on_which_it_was_done_begins_in_the_zone(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**CALL, completed="2026-12-23")
    assert server.one.completed.value == datetime(2026, 12, 23, 3, tzinfo=UTC)


async def test_what_was_begun_and_what_was_called_off(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**CALL, status="started")
    assert server.one.status.value == "IN-PROCESS"
    await sender.send(kind="todo", status="cancelled")
    assert server.one.status.value == "CANCELLED"


async def test_without_a_date_there_is_nothing_to_remind_of(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(kind="todo", summary="Ligar", reminders=["30m"])
    assert "valarm" not in server.one.contents


async def test_what_is_done_and_was_never_there_is_not_made(server: RadicaleServer, sender: Sender) -> None:
    assert (await sender.send(kind="todo", status="completed")).excerpt == "there is nothing to end"
    failure = await sender.failure(kind="todo", due="2026-12-24")
    assert failure.reason == "there is no todo yet, and the entry names no `summary`"
    assert server.objects == []


async def test_a_key_may_have_an_event_and_something_to_do(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**MEETING)
    await sender.send(**CALL)
    await sender.send(summary="Nova")
    assert sorted(text.count("BEGIN:VTODO") for text in server.objects) == [0, 1]
    assert ["SUMMARY:Nova" in text for text in server.objects] == [True, False]


# what Nextcloud keeps in its trash

TRASHED = b"""<?xml version="1.0" encoding="utf-8"?>
<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception\\BadRequest</s:exception>
<s:message>Deleted calendar object with uid already exists in this calendar's trashbin.</s:message></d:error>"""


async def test_a_uid_that_is_in_the_trash_is_passed_over_and_the_next_one_kept(
    server: RadicaleServer, sender: Sender
) -> None:
    server.fail = lambda asked: Fault(400, body=TRASHED) if asked.path.endswith(f"{UID}.ics") and asked.body else None
    receipt = await sender.send(**MEETING)
    assert receipt.links[0].external_id == f"{UID}-2"
    await sender.send(summary="Nova")
    assert (server.one.uid.value, server.one.summary.value) == (f"{UID}-2", "Nova")
    assert [asked.path.endswith("-2.ics") for asked in server.asked[-2:]] == [True, True]


async def test_a_trash_without_end_is_no_endless_matter(server: RadicaleServer, sender: Sender) -> None:
    server.fail = lambda asked: Fault(400, body=TRASHED) if asked.body and asked.method == "PUT" else None
    failure = await sender.failure(**MEETING)
    assert isinstance(failure, PermanentFailure)
    assert "empty its trash" in failure.reason


async def test_a_refusal_is_told_in_the_words_of_the_server(server: RadicaleServer, sender: Sender) -> None:
    said = TRASHED.replace(b"Deleted calendar object", b"Calendar object").replace(b"'s trashbin", b"")
    server.fail = lambda asked: Fault(400, body=said) if asked.method == "PUT" else None
    failure = await sender.failure(**MEETING)
    assert type(failure) is PermanentFailure
    assert failure.reason == "the server refused it: Calendar object with uid already exists in this calendar."


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'<error xmlns="DAV:"><no-uid-conflict xmlns="urn:ietf:params:xml:ns:caldav"/></error>', "has its UID"),
        (b'<error xmlns="DAV:"><C:supported-calendar-component/></error>', "does not take this kind"),
    ],
)
async def test_a_precondition_that_is_not_met_is_of_the_message(
    server: RadicaleServer, sender: Sender, body: bytes, words: str
) -> None:
    server.fail = lambda asked: Fault(409, body=body) if asked.method == "PUT" else None
    failure = await sender.failure(**MEETING)
    assert type(failure) is PermanentFailure
    assert words in failure.reason


async def test_what_cannot_be_read_is_not_overwritten(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**MEETING)
    for body in (b"no calendar", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"):
        server.fail = lambda asked, body=body: Fault(200, body=body) if asked.method == "GET" else None  # type: ignore[misc]
        assert type(await sender.failure(summary="Nova")) is PermanentFailure
    assert server.lines().count("PUT") == 1


# the way to the calendar


@pytest.mark.parametrize("name", [NAME, NAME.upper(), "agenda"])
async def test_a_calendar_is_found_by_its_name(server: RadicaleServer, client: Client, name: str) -> None:
    await Sender(server, client, calendar=name).send(**MEETING)
    questions = [asked.path for asked in server.asked if asked.method == "PROPFIND"]
    assert questions == ["/.well-known/caldav", "/", f"/{USER}/", f"/{USER}/"]
    assert server.one.uid.value == UID


async def test_it_is_looked_for_once_however_many_wait(server: RadicaleServer, sender: Sender) -> None:
    for number in range(3):
        await sender.send(**{**MEETING, "summary": str(number)})
    assert sum(asked.method == "PROPFIND" for asked in server.asked) == 4


async def test_of_one_name_the_calendar_that_takes_the_kind_is_taken(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**CALL)
    assert server.asked[-1].path.startswith(f"/{USER}/tarefas/")


async def test_a_calendar_that_was_moved_is_looked_for_again(server: RadicaleServer, sender: Sender) -> None:
    await sender.send(**MEETING)
    server.fail = lambda asked: Fault(409) if asked.method == "PUT" else None
    assert isinstance(await sender.failure(summary="Nova"), AccessRefused)
    server.fail = lambda _: None
    await sender.send(summary="Nova")
    assert sum(asked.method == "PROPFIND" for asked in server.asked) == 8


async def test_a_calendar_that_is_not_there_is_told_with_those_that_are(server: RadicaleServer, client: Client) -> None:
    failure = await Sender(server, client, calendar="Compras").failure(**MEETING)
    assert isinstance(failure, AccessRefused)
    assert failure.reason == f'the server shows no calendar "Compras"; it has: "{NAME}", "{NAME}"'


async def test_a_wrong_password_stops_the_target(server: RadicaleServer, client: Client) -> None:
    failure = await Sender(server, client, password="wrong").failure(**MEETING)
    assert isinstance(failure, AccessRefused)
    assert (failure.status, "password made for apps" in failure.reason) == (401, True)


async def test_an_answer_that_is_lost_on_the_way_to_the_calendar_loses_nothing(
    server: RadicaleServer, sender: Sender
) -> None:
    server.fail = lambda _: Fault(lost=True)
    failure = await sender.failure(**MEETING)
    assert type(failure) is TransientFailure
    assert "the calendar was not found" in failure.reason


async def test_a_probe_names_the_calendar(server: RadicaleServer, sender: Sender, client: Client) -> None:
    assert await sender.target.probe(client) == f'writes to the calendar "{NAME}"'
    direct = Sender(server, client, url=f"{server.url}/{USER}/agenda/", calendar=None)
    assert await direct.target.probe(client) == f'writes to the calendar "{NAME}"'
    no_calendar = Sender(server, client, url=f"{server.url}/{USER}/", calendar=None)
    with pytest.raises(AccessRefused, match="is no calendar"):
        await no_calendar.target.probe(client)


# as iCloud shows its calendars: at another server, in another spelling

PRINCIPAL = b"""<?xml version='1.0' encoding='UTF-8'?>
<multistatus xmlns='DAV:'><response><href>/</href><propstat><prop><current-user-principal>
<href>/1234567/principal/</href></current-user-principal></prop><status>HTTP/1.1 200 OK</status></propstat>
</response></multistatus>"""
HOME = b"""<?xml version='1.0' encoding='UTF-8'?>
<multistatus xmlns='DAV:'><response><href>/1234567/principal/</href><propstat><prop>
<calendar-home-set xmlns='urn:ietf:params:xml:ns:caldav'>
<href xmlns='DAV:'>https://p42-caldav.icloud.com:443/1234567/calendars/</href></calendar-home-set></prop>
<status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"""
LURING = HOME.replace(b"p42-caldav.icloud.com", b"icloud.com.example")
LIST = """<?xml version='1.0' encoding='UTF-8'?><multistatus xmlns='DAV:'>
<response><href>/1234567/calendars/</href><propstat><prop><resourcetype><collection/></resourcetype></prop>
<status>HTTP/1.1 200 OK</status></propstat><propstat><prop><displayname/></prop>
<status>HTTP/1.1 404 Not Found</status></propstat></response>
<response><href>/1234567/calendars/0F-1%40x/</href><propstat><prop><displayname>Reuniões &amp; visitas</displayname>
<resourcetype><collection/><calendar xmlns='urn:ietf:params:xml:ns:caldav'/></resourcetype>
<supported-calendar-component-set xmlns='urn:ietf:params:xml:ns:caldav'><comp name='VEVENT'/>
</supported-calendar-component-set><current-user-privilege-set><privilege><PRIVILEGE/></privilege>
</current-user-privilege-set></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"""
ICLOUD = {"url": "https://caldav.icloud.com", "calendar": "Reuniões & visitas", "username": "a@b.example"}


class Elsewhere:
    """The way to servers of the world, which all are this one; it notes whose each request was."""

    def __init__(self, inner: Http, url: str) -> None:
        self.inner, self.url = inner, URL(url)
        self.asked: list[str] = []

    async def call(self, request: Request) -> Answer:
        return await self.inner.call(self._here(request))

    async def deliver(self, request: Request) -> Answer:
        return await self.inner.deliver(self._here(request))

    def _here(self, request: Request) -> Request:
        self.asked.append(f"{request.method} {request.url}")
        here = URL(request.url).with_scheme("http").with_host("127.0.0.1").with_port(self.url.port)
        return replace(request, url=str(here))


def listed(privilege: str) -> Step:
    """Answer with the list of calendars."""
    return answer(207, LIST.replace("PRIVILEGE", privilege).encode())


def listed_at(address: str) -> Step:
    """Answer with a list whose calendar is elsewhere."""
    return answer(207, LIST.replace("<href>/1234567/calendars/0F-1", f"<href>{address}/0F-1").encode())


LURING_LIST = listed_at("https://icloud.com.example")
BARE_LIST = listed_at("http://p42-caldav.icloud.com")


async def at_icloud(client: Client, *steps: Step) -> tuple[Elsewhere, Receipt]:
    """Send a meeting to a server that answers so."""
    async with ContractServer(*steps) as server:
        http = Elsewhere(client, server.url)
        target = Caldav("sales", CaldavOptions.model_validate({**ICLOUD, "password": "abcd-efgh"}))
        return http, await target.send(Message(new_id("dlv"), KEY, MEETING), KnownLinks(), http)


async def test_a_calendar_is_found_at_another_server_of_the_family(client: Client) -> None:
    way = (answer(404), answer(207, PRINCIPAL), answer(207, HOME), listed("write"))
    http, receipt = await at_icloud(client, *way, answer(201))
    assert http.asked == [
        "PROPFIND https://caldav.icloud.com/.well-known/caldav",
        "PROPFIND https://caldav.icloud.com/",
        "PROPFIND https://caldav.icloud.com/1234567/principal/",
        "PROPFIND https://p42-caldav.icloud.com/1234567/calendars/",
        f"PUT https://p42-caldav.icloud.com/1234567/calendars/0F-1%40x/{UID}.ics",
    ]
    assert receipt.links[0].data["url"] == http.asked[-1].partition(" ")[2]


async def test_a_calendar_for_reading_only_is_told_by_the_probe(client: Client) -> None:
    async with ContractServer(answer(404), answer(207, PRINCIPAL), answer(207, HOME), listed("read")) as server:
        target = Caldav("sales", CaldavOptions.model_validate({**ICLOUD, "password": "abcd-efgh"}))
        with pytest.raises(AccessRefused, match="may only read"):
            await target.probe(Elsewhere(client, server.url))


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((answer(301, b"", Location="https://evil.example/"),), "https://evil.example, where the password"),
        ((answer(301, b"", Location="http://caldav.icloud.com/"),), "http://caldav.icloud.com, where the password"),
        ((answer(307, b"", Location="/again"),), "from one address to the next"),
        ((answer(404), answer(207, PRINCIPAL), answer(207, LURING)), "where the password"),
        ((answer(404), answer(207, PRINCIPAL), answer(207, HOME), LURING_LIST), "where the password"),
        ((answer(404), answer(207, PRINCIPAL), answer(207, HOME), BARE_LIST), "where the password"),
        ((answer(404), answer(207, PRINCIPAL), answer(207, PRINCIPAL)), "where the user's calendars are"),
        ((answer(207, HOME),), "does not say who the user is"),
        ((answer(404),), "check `url` and `calendar`"),
    ],
)
async def test_a_way_that_leads_nowhere_or_elsewhere_is_not_gone(client: Client, steps: Any, words: str) -> None:
    with pytest.raises(AccessRefused, match=words):
        await at_icloud(client, *steps)


@pytest.mark.parametrize("body", [b"<html>", b"<html/>", b"", PRINCIPAL.replace(b"<multi", b"<!DOCTYPE x><multi", 1)])
async def test_what_is_no_answer_of_caldav_is_told(client: Client, body: bytes) -> None:
    with pytest.raises(PermanentFailure, match="does not answer as one of CalDAV"):
        await at_icloud(client, answer(200, body))


async def test_a_redirect_of_the_well_known_address_is_followed(client: Client) -> None:
    moved = answer(301, b"", Location="/remote.php/dav/")
    way = (moved, answer(207, PRINCIPAL), answer(207, HOME), listed("all"))
    http, _ = await at_icloud(client, *way, answer(201))
    assert http.asked[1] == "PROPFIND https://caldav.icloud.com/remote.php/dav/"


# what people see


def test_a_preview_is_what_the_calendar_shows() -> None:
    target = Caldav("sales", CaldavOptions(url="https://x.example", username=USER, password=Secret(PASSWORD)))
    content: JsonObject = {**MEETING, "location": "Sala 2", "attendees": ["ana@acme.example"], "status": "tentative"}
    assert target.preview(content).splitlines() == [
        "(tentative)",
        "Reunião: Padaria Estrela",
        "2026-12-24 15:00 to 2026-12-24 16:00",
        "Sala 2",
        "ana@acme.example",
        "Levar a proposta",
    ]
    assert target.preview({**CALL, "url": "https://x.example/1"}).splitlines() == [
        "Ligar",
        "due 2026-12-24T15:00-03:00",
        "https://x.example/1",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"username": "a:b"}, "must not hold a colon"),
        ({"url": "https://a:hush@x.example"}, "must hold neither a password nor a query"),
        ({"url": "cloud.example"}, "must be a whole address"),
        ({"timezone": "Mars"}, "no time zone"),
        ({"organizer": "vendas"}, "no e-mail address"),
        ({"notify": "all"}, 'needs an "organizer"'),
    ],
)
def test_wrong_options_are_told(options: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        CaldavOptions.model_validate({"url": "https://x.example", "username": "a", "password": "hush", **options})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"start": "amanhã"}, "must be a day"),
        ({"start": "2026-12-24", "end": "2026-12-25", "duration": "1h"}, "not both"),
        ({"attendees": ["ana"]}, "no e-mail address"),
        ({"due": "2026-12-24"}, '"due" is of something to do'),
        ({"kind": "todo", "start": "2026-12-24"}, '"start" is of an event'),
        ({"status": "open"}, "one of cancelled, confirmed, tentative"),
        ({"kind": "todo", "status": "confirmed"}, "one of cancelled, completed, open, started"),
        ({"kind": "todo", "status": "open", "completed": "2026-12-24"}, "not both"),
        ({"url": "javascript:alert(1)"}, "whole address"),
    ],
)
def test_wrong_entries_are_told(entry: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        CaldavAction.model_validate(entry)


# any text

ANY_TEXT = st.text(max_size=200) | st.text(st.sampled_from(',;:\\\n\r\t"^\x00\x85\u2028é😀BEGIN:'), max_size=200)
OPTIONS = CaldavOptions(url="https://x.example", username=USER, password=Secret(PASSWORD))


@example(summary=r"C:\Novo", description=r"\\N", location="", kind="event")
@settings(max_examples=200, deadline=None)
@given(summary=ANY_TEXT, description=ANY_TEXT, location=ANY_TEXT, kind=st.sampled_from(["event", "todo"]))
def test_any_text_makes_an_object_that_the_server_takes_and_others_read(
    summary: str, description: str, location: str, kind: str
) -> None:
    said = {"summary": summary, "description": description, "location": location, "kind": kind}
    when = {"start" if kind == "event" else "due": "2026-12-24"}
    wanted = Wanted("uid-1", CaldavAction.model_validate({**said, **when, "reminders": ["1h"]}), OPTIONS, AT)
    body = wanted.made()
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    whole = vobject.readOne(body.decode())
    check_and_sanitize_items([whole], max_vevent_rrule_occurrence=1000, tag="VCALENDAR")
    thing = whole.vevent if kind == "event" else whole.vtodo
    assert thing.summary.value.split() == _seen(summary).split()
    assert thing.location.value.split() == _seen(location).split()
    assert "".join(thing.description.value.split()) == "".join(_seen(description).split())
    assert wanted.changed(body) is None, "and what was read back is what was written"


def _seen(text: str) -> str:
    return "".join(" " if each.isspace() or ord(each) < 32 or ord(each) == 127 else each for each in text)


def test_what_is_too_long_is_cut_and_shows_it() -> None:
    action = CaldavAction(summary="é" * 2000, description="x" * 50_000, start="2026-12-24")
    event = vobject.readOne(Wanted("u", action, OPTIONS, AT).made().decode()).vevent
    assert (len(event.summary.value), event.summary.value[-1]) == (1024, "…")
    assert (len(event.description.value), event.description.value[-1]) == (32_768, "…")


@given(key=st.text(max_size=80), name=st.text(max_size=20))
def test_any_key_gives_a_uid_that_fits_an_address(key: str, name: str) -> None:
    assert str(URL("https://x.example/").joinpath(f"{identity(name, key, 'event', 2)}.ics")).isascii()
