import json
from collections.abc import AsyncIterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.component.client import Client
from bridge.errors import AccessRefused, PermanentFailure, TransientFailure
from bridge.model import JsonObject, Link, Message, Receipt
from bridge.targets.http import HttpAction, HttpOptions, HttpService
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.contract_server import ContractServer, answer, says

KEY = "deal:65"
THING: JsonObject = {
    "path": "/things",
    "body": {"name": "Padaria"},
    "link": {"id": "body.data.id", "url": "body.data.page"},
    "update": {"method": "PATCH", "path": "/things/{id}"},
}
REMOVE: JsonObject = {"method": "DELETE", "path": "/things/{id}", "success": {"status": ["2xx", 404]}}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer() as running:
        yield running


class Sender:
    """A target, with the links that its receipts left."""

    def __init__(self, server: ContractServer, client: Client, **options: Any) -> None:
        self.target = HttpService("shop", HttpOptions.model_validate({"url": f"{server.url}/api", **options}))
        self.links, self._client, self._server = KnownLinks(), client, server

    async def send(self, **content: Any) -> Receipt:
        message = Message(DELIVERY, KEY, self.target.prepare(content))
        receipt = await self.target.send(message, self.links, self._client)
        self.links.keep(receipt)
        return receipt

    @property
    def lines(self) -> list[str]:
        return [f"{seen.method} {seen.target}" for seen in self._server.seen]


@pytest.fixture
def sender(server: ContractServer, client: Client) -> Sender:
    return Sender(server, client)


# What is a success


async def test_a_status_that_the_entry_calls_a_success_is_one(sender: Sender, server: ContractServer) -> None:
    server.script(answer(404, b"no such thing"))
    receipt = await sender.send(method="DELETE", path="/things/7", success={"status": ["2xx", 404]})
    assert (receipt.status, receipt.excerpt) == (404, "no such thing")


async def test_a_status_that_is_not_among_them_is_none(sender: Sender, server: ContractServer) -> None:
    server.script(answer(204))
    with pytest.raises(PermanentFailure, match="answered 204 No Content, which the rules do not name as a success"):
        await sender.send(body={}, success={"status": 200})


@pytest.mark.parametrize(
    ("status", "kind"),
    [(503, TransientFailure), (429, TransientFailure), (401, AccessRefused), (404, PermanentFailure)],
)
async def test_any_other_status_means_what_it_means_elsewhere(
    sender: Sender, server: ContractServer, status: int, kind: type[Exception]
) -> None:
    server.script(answer(status))
    with pytest.raises(kind):
        await sender.send(body={}, success={"status": [200, 409]})


ANSWER = {"ok": True, "data": {"state": "queued", "tags": ["a"]}, "n": 1, "none": None}


@pytest.mark.parametrize(
    ("success", "holds"),
    [
        ({"body.ok": True}, True),
        ({"body.ok": False}, False),
        ({"body.ok": 1}, False),
        ({"body.n": True}, False),
        ({"body.n": 1}, True),
        ({"body.n": "1"}, False),
        ({"body.data.state": ["done", "queued"]}, True),
        ({"body.data.state": ["done", "failed"]}, False),
        ({"body.ok": True, "body.data.state": "done"}, False),
        ({"body.error": None}, True),
        ({"body.none": ""}, True),
        ({"body.ok": None}, False),
        ({"headers.x-state": "fine"}, True),
        ({"headers.x-state": "bad"}, False),
        ({"body.data.state.deeper": "x"}, False),
        ({"status": 200, "body.ok": True}, True),
        ({}, True),
    ],
)
async def test_what_an_answer_holds_decides(
    sender: Sender, server: ContractServer, success: JsonObject, *, holds: bool
) -> None:
    server.script(says(ANSWER, X_State="fine"))
    if holds:
        assert (await sender.send(body={}, success=success)).status == 200
        return
    with pytest.raises(PermanentFailure, match="is not what the rules call a success") as caught:
        await sender.send(body={}, success=success)
    assert json.loads(caught.value.excerpt) == ANSWER


async def test_an_answer_that_is_no_json_is_a_text(sender: Sender, server: ContractServer) -> None:
    server.script(answer(200, b"OK\n"))
    await sender.send(body={}, success={"body": "OK"})
    with pytest.raises(PermanentFailure, match=r'"body\.ok"'):
        await sender.send(body={}, success={"body.ok": True})


async def test_the_target_says_it_for_entries_that_do_not(server: ContractServer, client: Client) -> None:
    sender = Sender(server, client, success={"body.ok": True})
    server.script(says({"ok": False}))
    with pytest.raises(PermanentFailure):
        await sender.send(body={})
    await sender.send(body={}, success={})


async def test_a_long_answer_is_read_to_its_end(sender: Sender, server: ContractServer) -> None:
    server.script(says({"padding": "x" * 500_000, "ok": True}))
    await sender.send(body={}, success={"body.ok": True})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"success": {"status": 700}}, "200 to 599"),
        ({"success": {"status": ["2xx", "3xx"]}}, "200 to 599"),
        ({"success": {"ok": True}}, "path of the answer"),
        ({"success": {"headers": True}}, "path of the answer"),
        ({"success": {"body..ok": True}}, "path of the answer"),
        ({"link": {"id": "data.id"}}, "path of the answer"),
        ({"link": {"url": "body.url"}}, "id"),
        ({"update": {"path": "/a/../b"}}, "segment"),
        ({"update": {"path": "/a", "method": "put"}}, "in capitals"),
        ({"url": "https://a.example", "update": {"path": "/a"}}, '"url" or "update"'),
    ],
)
def test_what_no_answer_can_be_read_by_is_refused(content: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        HttpAction.model_validate(content)


# What was made before


async def test_what_was_made_is_changed_and_not_made_again(sender: Sender, server: ContractServer) -> None:
    server.script(says({"data": {"id": 7, "page": "https://shop.example/7"}}, 201))
    receipt = await sender.send(**THING)
    assert receipt.links == (Link("shop", KEY, "7", {"url": "https://shop.example/7"}),)
    server.script(answer(204))
    receipt = await sender.send(**THING)
    assert sender.lines == ["POST /api/things", "PATCH /api/things/7"]
    assert server.seen[1].json == {"name": "Padaria"}
    assert receipt.links == (Link("shop", KEY, "7", {"url": "https://shop.example/7"}),)


async def test_the_id_may_stand_in_a_header(sender: Sender, server: ContractServer) -> None:
    server.script(answer(201, b"", X_Id="a/b c"))
    await sender.send(**{**THING, "link": {"id": "headers.x-id"}})
    await sender.send(**THING)
    assert sender.lines[1] == "PATCH /api/things/a%2Fb%20c"


async def test_what_is_gone_at_the_service_is_made_again(sender: Sender, server: ContractServer) -> None:
    server.script(
        says({"data": {"id": 7}}), answer(404), says({"data": {"id": 8}}), answer(410), says({"data": {"id": 9}})
    )
    for _ in range(3):
        await sender.send(**THING)
    assert sender.lines == [
        "POST /api/things",
        "PATCH /api/things/7",
        "POST /api/things",
        "PATCH /api/things/8",
        "POST /api/things",
    ]
    assert sender.links.kept[KEY].external_id == "9"


async def test_it_is_removed_and_brought_back(sender: Sender, server: ContractServer) -> None:
    server.script(says({"data": {"id": 7}}), answer(204), answer(404), answer(404), says({"data": {"id": 8}}))
    await sender.send(**THING)
    await sender.send(**REMOVE)
    await sender.send(**REMOVE)
    await sender.send(**THING)
    assert sender.lines[1:] == [
        "DELETE /api/things/7",
        "DELETE /api/things/7",
        "PATCH /api/things/7",
        "POST /api/things",
    ]


async def test_what_was_never_made_is_not_asked_for(sender: Sender, server: ContractServer) -> None:
    receipt = await sender.send(**REMOVE)
    assert (receipt.status, receipt.excerpt) == (None, "nothing was made for this key, so there is nothing to change")
    assert server.seen == []


async def test_a_failed_change_makes_nothing(sender: Sender, server: ContractServer) -> None:
    server.script(says({"data": {"id": 7}}), answer(422, b"no"))
    await sender.send(**THING)
    with pytest.raises(PermanentFailure, match="422"):
        await sender.send(**THING)
    assert sender.lines == ["POST /api/things", "PATCH /api/things/7"]


async def test_an_answer_without_the_id_is_told_for_else_each_message_would_make_another(
    sender: Sender, server: ContractServer
) -> None:
    server.script(says({"id": 7}))
    with pytest.raises(PermanentFailure, match=r'accepted, but the answer has no id at "body\.data\.id"') as caught:
        await sender.send(**THING)
    assert caught.value.status == 200


@pytest.mark.parametrize("identity", [True, None, "", [], {"a": 1}, 1.5])
async def test_only_a_text_or_a_whole_number_is_an_id(sender: Sender, server: ContractServer, identity: object) -> None:
    server.script(says({"data": {"id": identity}}))
    with pytest.raises(PermanentFailure, match="no id"):
        await sender.send(**THING)


async def test_a_success_that_made_nothing_needs_no_id(sender: Sender, server: ContractServer) -> None:
    server.script(answer(409, b"is there already"))
    receipt = await sender.send(**THING, success={"status": ["2xx", 409]})
    assert (receipt.status, receipt.links) == (409, ())


@pytest.mark.parametrize("identity", [".", ".."])
async def test_an_id_cannot_climb(sender: Sender, server: ContractServer, identity: str) -> None:
    server.script(says({"data": {"id": identity}}))
    await sender.send(**THING)
    with pytest.raises(PermanentFailure, match="cannot stand in a path"):
        await sender.send(**THING)
    assert len(server.seen) == 1


def test_data_cannot_ask_for_an_id() -> None:
    assert HttpService.escapes["path"]("{id}") == "%7Bid%7D"


@pytest.mark.parametrize(
    ("content", "key"), [(THING, KEY), (REMOVE, KEY), ({"path": "/things"}, None), ({"body": "{id}"}, None)]
)
def test_explain_is_told_what_a_message_is_about(content: JsonObject, key: str | None) -> None:
    target = HttpService("shop", HttpOptions.model_validate({"url": "https://shop.example"}))
    assert target.link_key(Message(DELIVERY, KEY, content)) == key


@pytest.mark.parametrize(
    ("content", "replaces"),
    [
        ({**THING, "update": {"path": "/things/{id}"}}, False),
        ({**THING, "method": "PUT"}, False),
        ({"method": "PUT", "path": "/things/{id}"}, True),
    ],
)
def test_what_makes_something_is_not_left_out_for_a_newer_one(content: JsonObject, *, replaces: bool) -> None:
    target = HttpService("shop", HttpOptions.model_validate({"url": "https://shop.example"}))
    assert target.upserts(content) is replaces


def test_a_preview_shows_both_requests() -> None:
    target = HttpService("shop", HttpOptions.model_validate({"url": "https://shop.example/hush"}))
    shown = target.preview({**THING, "body": 1})
    assert shown == "POST https://shop.example/…/things\nPATCH https://shop.example/…/things/{id}\n\n1"


def test_an_update_that_never_comes_to_pass_is_worth_a_warning() -> None:
    target = HttpService("shop", HttpOptions.model_validate({"url": "https://shop.example"}))
    assert target.warnings(THING) == ()
    (warning,) = target.warnings({name: value for name, value in THING.items() if name != "link"})
    assert "every message makes another" in warning


# XML


async def test_xml_says_what_it_is(sender: Sender, server: ContractServer) -> None:
    await sender.send(xml="<deal>São</deal>")
    assert server.seen[0].headers["content-type"] == "application/xml; charset=utf-8"
    assert server.seen[0].body.decode() == "<deal>São</deal>"


@given(st.text())
def test_any_data_is_text_in_xml(data: str) -> None:
    safe = HttpService.escapes["xml"](data)
    written = f'<deal name="{safe}">{safe}</deal>'
    HttpAction(xml=written)
    read = ET.fromstring(written)  # noqa: S314 (what we wrote ourselves)
    kept = "".join(each if each in "\t\n\r" or each >= " " else " " for each in data)
    assert len(read) == 0
    assert (read.text or "").split() == kept.replace("\ufffe", " ").replace("\uffff", " ").split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<a>", "no element found, in line 1"),
        ("<a>\n<b></a>", "mismatched tag, in line 2"),
        ("", "no well-formed XML"),
        ("<a>&nbsp;</a>", "undefined entity"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE"),
    ],
)
def test_what_is_no_xml_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        HttpAction(xml=text)


def test_a_template_in_a_file_for_xml_fills_it() -> None:
    assert HttpService.filled_by("erp/deal.xml.j2") == "xml"
    assert HttpService.filled_by("erp/deal.j2") == "text"
