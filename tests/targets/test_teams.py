import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.component import Request
from bridge.component.client import Client
from bridge.component.http import json_body
from bridge.component.markdown import escape
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure
from bridge.model import Json, JsonObject, Message, Rate, Receipt
from bridge.targets.teams import Teams, TeamsAction, TeamsOptions
from bridge.targets.teams.card import MOST_BYTES, payload
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.chat_contracts import teams_violations
from tests.support.contract_server import ContractServer, Seen, answer, says
from tests.support.targets import NoHttp

FLOW = "/powerautomate/automations/direct/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=hush-hush"
HEADERS = {"content-type": "application/json"}


class TestContract(HttpTargetContract):
    type_name = "teams"
    content: ClassVar[JsonObject] = {
        "title": "Perdida",
        "text": r"**Acme** \& Cia",
        "facts": {"Valor": "R$ 1"},
        "buttons": {"Abrir": "https://crm.example/deals/1"},
    }
    seen_by_people = "Perdida\n**Acme** & Cia\nValor: R$ 1\nAbrir"
    secrets = ("hush",)
    violations = staticmethod(teams_violations)

    def build(self, url: str, timeout: float = 15) -> Teams:
        return workflow(url, timeout=timeout)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer(answer(202, b""), contract=teams_violations) as running:
        yield running


def workflow(url: str, **options: object) -> Teams:
    return Teams("sales", TeamsOptions.model_validate({"workflow_url": f"{url}{FLOW}"} | options))


async def sent(target: Teams, client: Client, **content: Any) -> Receipt:
    return await target.send(Message(DELIVERY, "deal:65", content), KnownLinks(), client)


def card_of(server: ContractServer) -> Any:
    return server.seen[-1].json["attachments"][0]["content"]


async def test_a_card_is_handed_to_the_workflow(server: ContractServer, client: Client) -> None:
    receipt = await sent(
        workflow(server.url),
        client,
        title="Perdida",
        text="**Acme**",
        facts={"Valor": 5, "Motivo": None, "Etapa": " "},
        buttons={"Abrir": "https://crm.example/1", "Nada": None},
    )
    assert server.seen[0].target == FLOW
    assert card_of(server) == {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": [
            {"type": "TextBlock", "text": "Perdida", "weight": "Bolder", "size": "Medium", "wrap": True},
            {"type": "TextBlock", "text": "**Acme**", "wrap": True},
            {"type": "FactSet", "facts": [{"title": "Valor", "value": "5"}]},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": "Abrir", "url": "https://crm.example/1"}],
    }
    assert (receipt.status, receipt.links) == (202, ())


async def test_lines_stay_lines_and_lists_stay_lists(server: ContractServer, client: Client) -> None:
    await sent(workflow(server.url), client, text="a\nb\n\nc\n- d\n- e\n1. f")
    assert card_of(server)["body"][0]["text"] == "a\n\nb\n\nc\n- d\n- e\n1. f"


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_card_of_ones_own_is_sent_as_it_is(server: ContractServer, client: Client, *, as_json: bool) -> None:
    told = escape("a_*b*")
    card: JsonObject = {
        "body": [
            {"type": "TextBlock", "text": told, "color": "Good"},
            {"type": "TextBlock", "text": None},
            {"type": "Container", "items": [{"type": "FactSet", "facts": [{"title": told, "value": 5}]}]},
            {"type": "Image", "url": told, "altText": None},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": told, "url": told}],
    }
    content: Any = {"card_json": json.dumps(card)} if as_json else {"card": card}
    await sent(workflow(server.url), client, **content)
    assert card_of(server)["version"] == "1.5"
    assert card_of(server)["body"] == [
        {"type": "TextBlock", "text": told, "color": "Good"},
        {"type": "TextBlock", "text": "—"},
        {"type": "Container", "items": [{"type": "FactSet", "facts": [{"title": told, "value": "5"}]}]},
        {"type": "Image", "url": "a_*b*"},
    ]
    assert card_of(server)["actions"] == [{"type": "Action.OpenUrl", "title": "a_*b*", "url": "a_*b*"}]
    assert workflow("https://x.example").preview(content) == "a_*b*\n—\na_*b*: 5\na_*b*"


def test_a_template_fills_what_its_name_says() -> None:
    assert Teams.filled_by("teams/lost.JSON.j2") == "card_json"
    assert Teams.filled_by("teams/lost.md.j2") == "text"


# limits

LEAVES = st.one_of(st.text(), st.text(min_size=50, max_size=60).map(lambda text: text * 300), st.integers(), st.none())


def made_of(action: TeamsAction) -> bytes:
    return json_body(payload(action))


@settings(max_examples=40, deadline=None)
@given(LEAVES, LEAVES, st.integers(0, 8))
def test_any_data_makes_a_card_that_teams_accepts(text: Json, value: Json, many: int) -> None:
    inert = escape(text) if isinstance(text, str) else text
    content: JsonObject = {"title": "x", "facts": dict.fromkeys(map(str, range(many)), value)}
    if str(text or "").strip():
        content["text"] = inert
    simple = made_of(TeamsAction.model_validate(content))
    items: list[Json] = [{"type": "TextBlock", "text": inert}] * (many + 1)
    own = made_of(TeamsAction.model_validate({"card": {"body": [{"type": "Container", "items": items}]}}))
    for body in (simple, own):
        assert teams_violations(Seen("POST", FLOW, HEADERS, body)) == []


@given(st.text())
def test_no_data_leaves_the_json_that_it_stands_in(data: str) -> None:
    text = '{"body": [{"type": "TextBlock", "text": "DATA"}]}'.replace("DATA", Teams.escapes["card_json"](data))
    [block] = json.loads(made_of(TeamsAction(card_json=text)))["attachments"][0]["content"]["body"]
    assert block == {"type": "TextBlock", "text": escape(data) if escape(data).strip() else "—"}


async def test_what_is_too_long_ends_where_people_see_it(server: ContractServer, client: Client) -> None:
    await sent(workflow(server.url), client, text="ç" * 40_000, title="Perdida")
    title, text = card_of(server)["body"]
    assert title["text"] == "Perdida"
    assert text["text"].startswith("ççç")
    assert text["text"].endswith("…")
    assert MOST_BYTES // 4 < len(server.seen[0].body) <= MOST_BYTES


async def test_of_too_many_parts_the_last_are_left_out(server: ContractServer, client: Client) -> None:
    body: list[Json] = [{"type": "TextBlock", "text": f"parte {number}"} for number in range(2000)]
    await sent(workflow(server.url), client, card={"body": body})
    shown = card_of(server)["body"]
    assert shown[0]["text"] == "parte 0"
    assert shown[-1]["text"] == "…"
    assert 300 < len(shown) < 1000
    one: JsonObject = {"type": "Container", "items": body}
    await sent(workflow(server.url), client, card={"body": [one]})
    assert card_of(server)["body"] == [{"type": "TextBlock", "text": "…"}]


# refusals


@pytest.mark.parametrize(
    ("status", "word", "kind", "hint"),
    [
        (404, "WorkflowNotFound", AccessRefused, "was deleted"),
        (400, "WorkflowTriggerIsNotEnabled", AccessRefused, "switched off"),
        (401, "DirectApiAuthorizationRequired", AccessRefused, "lacks its signature"),
        (403, "SomethingOfTomorrow", AccessRefused, "SomethingOfTomorrow"),
        (400, "TriggerInputSchemaMismatch", PermanentFailure, "TriggerInputSchemaMismatch"),
    ],
)
async def test_a_refusal_tells_its_word_and_what_to_do(
    server: ContractServer, client: Client, status: int, word: str, kind: type[DeliveryFailure], hint: str
) -> None:
    server.script(says({"error": {"code": word, "message": "No."}}, status))
    with pytest.raises(DeliveryFailure, match=hint) as caught:
        await sent(workflow(server.url), client, text="x")
    assert (type(caught.value), caught.value.status) == (kind, status)


# options


@pytest.mark.parametrize(
    "address",
    [
        "https://acme.webhook.office.com/webhookb2/hush",
        "https://outlook.office.com/webhook/hush",
        "prod-01.westus.logic.azure.com/hush",
    ],
)
def test_an_address_that_cannot_work_is_refused_without_telling_it(address: str) -> None:
    with pytest.raises(ValidationError, match=r"workflow|whole address") as caught:
        TeamsOptions.model_validate({"workflow_url": address})
    assert "hush" not in str(caught.value)


def test_the_signature_is_blotted_out_wherever_it_stands() -> None:
    target = Teams("sales", TeamsOptions.model_validate({"workflow_url": f"https://x.example/a?sig={'a1' * 20}"}))
    assert "a1a1" not in target.redactor.redacted(f"no such signature: {'a1' * 20}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "needs"),
        ({"facts": {"a": "b"}}, "needs"),
        ({"text": " "}, "empty"),
        ({"text": "x", "card": {}}, "leave .text. out"),
        ({"card_json": "{}", "card": {}}, "leave .card_json. out"),
        ({"card_json": "[]"}, "an Adaptive Card"),
        ({"card_json": "{"}, "not JSON"),
    ],
)
def test_an_entry_that_cannot_work_is_refused(content: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TeamsAction.model_validate(content)


async def test_it_is_asked_nothing_and_takes_four_a_second() -> None:
    target = workflow("https://x.example")
    assert await target.probe(NoHttp()) is None  # type: ignore[arg-type] # it asks nothing
    assert target.limits.rate == Rate(4, 1.0)
    assert not target.never_doubles
    assert target.accepted(Request("POST", "https://x.example"), 1).status == 202
    assert target.preview({"text": "x", "of_an_older": "version"}) == "x"
