import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.component import Request
from bridge.component.client import Client
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Message, Rate, Receipt
from bridge.targets.whatsapp import Whatsapp, WhatsappAction, WhatsappOptions
from bridge.targets.whatsapp.refusals import HINTS, LATER, NO_ACCESS, TOO_FAST
from bridge.targets.whatsapp.saying import free, number, templated
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.chat_contracts import whatsapp_reply_violations, whatsapp_violations
from tests.support.contract_server import ContractServer, Seen, Step, answer, says

SENT = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "5511987654321", "wa_id": "5511987654321"}],
    "messages": [{"id": "wamid.1", "message_status": "accepted"}],
}
TO = "(11) 98765-4321"
HEADERS = {"authorization": "Bearer x", "content-type": "application/json"}


class TestContract(HttpTargetContract):
    type_name = "whatsapp"
    content: ClassVar[JsonObject] = {"recipient": TO, "template_name": "proposta", "parameters": ["Ana", "R$ 1"]}
    seen_by_people = f"to {TO}\n[proposta] Ana, R$ 1"
    secrets = ("EAA-hush",)
    violations = staticmethod(whatsapp_violations)

    def build(self, url: str, timeout: float = 15) -> Whatsapp:
        return cloud(url, timeout=timeout)

    def accepted(self) -> Step:
        return says(SENT)

    def filled(self, text: str) -> JsonObject:
        return {**self.content, "parameters": [text]}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer(says(SENT), contract=whatsapp_violations) as running:
        yield running


def cloud(url: str, **options: object) -> Whatsapp:
    values = {"token": "EAA-hush", "phone_number_id": 1234, "api_url": f"{url}/v23.0"} | options
    return Whatsapp("sales", WhatsappOptions.model_validate(values))


async def sent(target: Whatsapp, client: Client, **content: Any) -> Receipt:
    return await target.send(Message(DELIVERY, "deal:65", {"recipient": TO, **content}), KnownLinks(), client)


def refused(code: int, status: int = 400, **more: object) -> Step:
    return says({"error": {"message": f"(#{code}) No", "type": "OAuthException", "code": code, **more}}, status)


# messages


async def test_a_template_goes_out_with_its_values(server: ContractServer, client: Client) -> None:
    values = ["Ana\n Souza", None, 5.0]
    receipt = await sent(cloud(server.url), client, template_name="proposta", header="Acme", parameters=values)
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("POST", "/v23.0/1234/messages")
    assert seen.headers["authorization"] == "Bearer EAA-hush"
    body = [{"type": "text", "text": text} for text in ("Ana Souza", "—", "5.0")]
    assert seen.json == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "5511987654321",
        "type": "template",
        "template": {
            "name": "proposta",
            "language": {"policy": "deterministic", "code": "pt_BR"},
            "components": [
                {"type": "header", "parameters": [{"type": "text", "text": "Acme"}]},
                {"type": "body", "parameters": body},
            ],
        },
    }
    assert (receipt.status, receipt.links) == (200, ())


async def test_a_template_may_have_no_values_and_another_language(server: ContractServer, client: Client) -> None:
    await sent(cloud(server.url, language="es"), client, template_name="hola")
    await sent(cloud(server.url), client, template_name="hello", language="en_US")
    assert [seen.json["template"] for seen in server.seen] == [
        {"name": "hola", "language": {"policy": "deterministic", "code": "es"}},
        {"name": "hello", "language": {"policy": "deterministic", "code": "en_US"}},
    ]


async def test_a_text_goes_out_as_it_is(server: ContractServer, client: Client) -> None:
    await sent(cloud(server.url), client, text="*Olá*\nAna", unfurl=True)
    assert server.seen[0].json["type"] == "text"
    assert server.seen[0].json["text"] == {"body": "*Olá*\nAna", "preview_url": True}


async def test_where_the_time_for_a_text_is_over_the_template_goes_out(server: ContractServer, client: Client) -> None:
    server.script(refused(131047), says(SENT))
    receipt = await sent(cloud(server.url), client, text="Olá", template_name="proposta", parameters=["Ana"])
    assert [seen.json["type"] for seen in server.seen] == ["text", "template"]
    assert receipt.excerpt.startswith("sent as a template after 131047")


async def test_without_a_template_a_text_that_comes_too_late_is_refused(server: ContractServer, client: Client) -> None:
    server.script(refused(131047))
    with pytest.raises(PermanentFailure, match="has not written for 24 hours"):
        await sent(cloud(server.url), client, text="Olá")


@pytest.mark.parametrize("code", [131026, 190])
async def test_what_would_refuse_the_template_too_is_not_tried_with_it(
    server: ContractServer, client: Client, code: int
) -> None:
    server.script(refused(code))
    with pytest.raises((PermanentFailure, AccessRefused), match=str(code)):
        await sent(cloud(server.url), client, text="Olá", template_name="proposta")
    assert len(server.seen) == 1


# numbers


@pytest.mark.parametrize(
    ("written", "country", "sent_to"),
    [
        ("(11) 98765-4321", "BR", "5511987654321"),
        ("011 98765 4321", "BR", "5511987654321"),
        ("+55 11 98765-4321", "US", "5511987654321"),
        ("+351 912 345 678", "BR", "351912345678"),
        ("912 345 678", "PT", "351912345678"),
    ],
)
def test_a_number_is_written_in_any_way(written: str, country: str, sent_to: str) -> None:
    assert number(written, country) == sent_to


@pytest.mark.parametrize("written", ["1", "ramal 12", "+999 1234", "5" * 40])
async def test_what_is_no_number_is_refused_and_not_sent(server: ContractServer, client: Client, written: str) -> None:
    with pytest.raises(PermanentFailure, match="no telephone number"):
        await sent(cloud(server.url), client, recipient=written, text="x")
    assert server.seen == []


def test_each_recipient_has_a_pace_of_its_own() -> None:
    target = cloud("https://graph.facebook.com")
    assert target.limits.rate == Rate(1, 6.0)
    assert target.bucket({"recipient": TO}) == target.bucket({"recipient": "(11) 9 8765 4321"}) == "11987654321"


# text


@settings(deadline=None)
@given(st.lists(st.text() | st.text(min_size=50).map(lambda text: text * 40) | st.none(), max_size=30), st.text())
def test_any_data_makes_a_message_that_whatsapp_accepts(values: list[str | None], text: str) -> None:
    options = WhatsappOptions.model_validate({"token": "a", "phone_number_id": "1"})
    said = [templated(WhatsappAction(recipient=TO, template_name="a", parameters=values, header=text), options)]
    if text.strip():
        said.append(free(WhatsappAction(recipient=TO, text=text * 900)))
    for each in said:
        body = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "1", **each}
        assert whatsapp_violations(Seen("POST", "/v23.0/1/messages", HEADERS, json.dumps(body).encode())) == []


async def test_what_is_too_long_ends_where_people_see_it(server: ContractServer, client: Client) -> None:
    await sent(cloud(server.url), client, text="x" * 5000)
    assert server.seen[0].json["text"]["body"] == "x" * 4095 + "…"
    await sent(cloud(server.url), client, template_name="a", parameters=["x" * 900, "y"])
    first, second = server.seen[1].json["template"]["components"][0]["parameters"]
    assert (first["text"], second["text"]) == ("x" * 449 + "…", "y")


# refusals


@pytest.mark.parametrize(
    ("code", "status", "kind", "hint"),
    [
        (190, 401, AccessRefused, "expired"),
        (0, 401, AccessRefused, "token is wrong"),
        (200, 403, AccessRefused, "200"),
        (33, 400, AccessRefused, "id is wrong"),
        (131042, 400, AccessRefused, "payment"),
        (100, 400, PermanentFailure, "check the template"),
        (131026, 400, PermanentFailure, "no WhatsApp"),
        (132000, 400, PermanentFailure, "count of parameters"),
        (132001, 404, PermanentFailure, "not approved"),
        (131049, 400, PermanentFailure, "spares"),
        (135000, 400, PermanentFailure, "No"),
        (130429, 429, TransientFailure, "130429"),
        (4, 400, TransientFailure, "4"),
        (131000, 500, TransientFailure, "131000"),
        (131016, 400, TransientFailure, "131016"),
        (999999, 503, TransientFailure, "503"),
    ],
)
async def test_a_refusal_is_sorted_by_whatsapps_number(
    server: ContractServer, client: Client, code: int, status: int, kind: type[DeliveryFailure], hint: str
) -> None:
    server.script(refused(code, status))
    with pytest.raises(DeliveryFailure, match=hint) as caught:
        await sent(cloud(server.url), client, text="x")
    assert (type(caught.value), caught.value.status) == (kind, status)


async def test_too_many_to_one_person_wait_six_seconds(server: ContractServer, client: Client) -> None:
    server.script(refused(131056), refused(131056, 429), refused(80007))
    for seconds in (6.0, 6.0, None):
        with pytest.raises(TransientFailure) as caught:
            await sent(cloud(server.url), client, text="x")
        assert (caught.value.retry_after, caught.value.throttled) == (seconds, True)


async def test_what_has_no_hint_is_told_with_whatsapps_details(server: ContractServer, client: Client) -> None:
    server.script(refused(132999, error_data={"messaging_product": "whatsapp", "details": "body: too short"}))
    with pytest.raises(PermanentFailure, match=r"132999 \(body: too short\)"):
        await sent(cloud(server.url), client, text="x")


def test_each_refusal_means_one_thing() -> None:
    kinds = (TOO_FAST, LATER, NO_ACCESS)
    assert all(sum(code in kind for kind in kinds) <= 1 for code in (*HINTS, *TOO_FAST, *LATER, *NO_ACCESS))


@pytest.mark.parametrize("step", [answer(200, b"<html>hotel</html>"), says([]), says({"messages": []})])
async def test_an_answer_that_is_none_of_whatsapps_leaves_the_outcome_unknown(
    server: ContractServer, client: Client, step: Step
) -> None:
    server.script(step)
    with pytest.raises(UnknownOutcome, match="not one of WhatsApp's"):
        await sent(cloud(server.url), client, text="x")


# probe, options


async def test_a_probe_tells_who_sends(server: ContractServer, client: Client) -> None:
    server.script(says({"display_phone_number": "+55 11 4000-0000", "verified_name": "Acme", "id": "1234"}))
    assert await cloud(server.url).probe(client) == 'sends as "Acme", +55 11 4000-0000'
    assert server.seen[0].target == "/v23.0/1234?fields=display_phone_number,verified_name"
    server.script(refused(190, 401))
    with pytest.raises(AccessRefused, match="expired"):
        await cloud(server.url).probe(client)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"token": "EAA hush", "phone_number_id": "1"}, "one word"),
        ({"token": "EAA-hush", "phone_number_id": "+55 11 4000-0000"}, "not the number itself"),
        ({"token": "EAA-hush", "phone_number_id": True}, "phone_number_id"),
        ({"token": "EAA-hush", "phone_number_id": "1", "country": "Brasil"}, "country"),
        ({"token": "EAA-hush", "phone_number_id": "1", "language": "pt-BR"}, "language"),
    ],
)
def test_options_that_cannot_work_are_refused_without_telling_secrets(options: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        WhatsappOptions.model_validate(options)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"recipient": "1"}, "needs"),
        ({"text": "x"}, "recipient"),
        ({"recipient": "", "text": "x"}, "no telephone number"),
        ({"recipient": "1", "text": " "}, "empty"),
        ({"recipient": "1", "template_name": "Proposta Nova"}, "small letters"),
        ({"recipient": "1", "text": "x", "parameters": ["a"]}, "go with"),
        ({"recipient": "1", "template_name": "a", "language": "pt-BR"}, "code of a language"),
        ({"recipient": "1", "template_name": "a", "parameters": ["a"] * 31}, "30"),
    ],
)
def test_an_entry_that_cannot_work_is_refused(content: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        WhatsappAction.model_validate(content)


def test_a_preview_tells_who_gets_what() -> None:
    target = cloud("https://graph.facebook.com")
    content: JsonObject = {"recipient": "1", "text": "Olá", "template_name": "a", "header": "h", "parameters": [None]}
    assert target.preview(content) == "to 1\nOlá\n[a] h, —"
    assert target.preview({"recipient": "1", "template_name": "a"}) == "to 1\n[a]"
    assert target.preview({"text": "x", "of_an_older": "version"}) == "x"


async def test_in_a_test_of_rules_everything_is_accepted() -> None:
    target = cloud("https://graph.facebook.com")

    class Accepting:
        async def call(self, request: Request) -> Any:
            told = target.accepted(request, 7)
            seen = Seen("POST", request.url.removeprefix("https://graph.facebook.com"), {}, request.body or b"")
            assert whatsapp_reply_violations(seen, told.status, json.loads(told.body)) == []
            return told

        deliver = call

    message = Message(DELIVERY, "deal:65", {"recipient": TO, "text": "x"})
    assert (await target.send(message, KnownLinks(), Accepting())).status == 200
