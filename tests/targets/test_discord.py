import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.component import Request
from bridge.component.client import Client
from bridge.component.markdown import escape
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import Json, JsonObject, Link, Message, Receipt
from bridge.targets.discord import Discord, DiscordAction, DiscordOptions
from bridge.targets.discord.target import _said
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.chat_contracts import discord_reply_violations, discord_violations
from tests.support.contract_server import ContractServer, Seen, Step, answer, says

POSTED = {"id": "11", "channel_id": "22", "content": "x"}
UNKNOWN_MESSAGE = {"code": 10008, "message": "Unknown Message"}
LINK = Link("sales", "deal:65", "7", {"webhook": "1234"})


class TestContract(HttpTargetContract):
    type_name = "discord"
    content: ClassVar[JsonObject] = {"text": r"**Perdida**: Acme \& Cia", "embeds": [{"title": "Motivo"}]}
    seen_by_people = "**Perdida**: Acme & Cia\nMotivo"
    secrets = ("hush-hush",)
    violations = staticmethod(discord_violations)

    def build(self, url: str, timeout: float = 15) -> Discord:
        return webhook(url, timeout=timeout)

    def accepted(self) -> Step:
        return says(POSTED)


class TestUpdateContract(TestContract):
    content: ClassVar[JsonObject] = {"text": "Em Proposta", "update": "deal:65"}
    seen_by_people = "Em Proposta"

    def links(self) -> KnownLinks:
        return KnownLinks(LINK)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer(says(POSTED), contract=discord_violations) as running:
        yield running


def webhook(url: str, query: str = "", **options: object) -> Discord:
    values = {"webhook_url": f"{url}/api/webhooks/1234/hush-hush{query}"} | options
    return Discord("sales", DiscordOptions.model_validate(values))


async def sent(target: Discord, client: Client, *links: Link, **content: Any) -> Receipt:
    return await target.send(Message(DELIVERY, "deal:65", content), KnownLinks(*links), client)


# messages


async def test_a_message_is_posted_and_waited_for_and_pings_nobody(server: ContractServer, client: Client) -> None:
    receipt = await sent(webhook(server.url, username="Vendas"), client, text="**Perdida** @everyone")
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("POST", "/api/v10/webhooks/1234/hush-hush?wait=true")
    assert seen.json == {
        "content": "**Perdida** @everyone",
        "embeds": [],
        "allowed_mentions": {"parse": []},
        "username": "Vendas",
    }
    assert (receipt.status, receipt.links) == (200, ())


async def test_a_thread_of_the_channel_may_be_named_in_the_address(server: ContractServer, client: Client) -> None:
    target = webhook(server.url, "?thread_id=99")
    receipt = await sent(target, client, text="x", update="deal:65")
    await sent(target, client, *receipt.links, text="y", update="deal:65")
    assert server.seen[0].target.endswith("?thread_id=99&wait=true")
    assert server.seen[1].target.endswith("/messages/11?thread_id=99")


async def test_the_message_of_a_key_is_changed(server: ContractServer, client: Client) -> None:
    target = webhook(server.url)
    first = await sent(target, client, text="1", embeds=[{"title": "a"}], update="deal:65")
    assert first.links == (Link("sales", "deal:65", "11", {"webhook": "1234"}),)
    second = await sent(target, client, *first.links, text="2", update="deal:65")
    seen = server.seen[1]
    assert (seen.method, seen.target) == ("PATCH", "/api/v10/webhooks/1234/hush-hush/messages/11")
    assert seen.json["embeds"] == [], "what it no longer has is taken away"
    assert second.links == ()


async def test_a_message_that_was_deleted_is_posted_anew(server: ContractServer, client: Client) -> None:
    server.script(says(UNKNOWN_MESSAGE, 404), says(POSTED))
    receipt = await sent(webhook(server.url), client, LINK, text="2", update="deal:65")
    assert [seen.method for seen in server.seen] == ["PATCH", "POST"]
    assert [link.external_id for link in receipt.links] == ["11"]


async def test_the_message_of_another_webhook_is_left_alone(server: ContractServer, client: Client) -> None:
    await sent(webhook(server.url), client, Link("sales", "k", "7", {"webhook": "9"}), text="2", update="k")
    assert [seen.method for seen in server.seen] == ["POST"]


def test_a_newer_state_replaces_one_that_waits() -> None:
    target = webhook("https://discord.com")
    assert target.upserts({"text": "x", "update": "k"})
    assert not target.upserts({"text": "x"})
    assert target.link_key(Message(DELIVERY, "k", {"text": "x", "update": "deal:65"})) == "deal:65"
    assert not target.never_doubles, "a webhook can neither look nor be told who asks twice"


# embeds


async def test_embeds_keep_what_they_say(server: ContractServer, client: Client) -> None:
    embed: JsonObject = {
        "title": "Acme",
        "url": "https://crm.example/deals/1",
        "color": 15158332,
        "description": "**Preço**",
        "fields": [{"name": "Valor", "value": "R$ 1", "inline": True}],
        "footer": {"text": "bridge"},
        "timestamp": "2026-11-24T12:00:00Z",
    }
    await sent(webhook(server.url), client, embeds=[embed])
    assert server.seen[0].json["embeds"] == [embed]


async def test_what_came_out_empty_is_left_out_or_shown_as_such(server: ContractServer, client: Client) -> None:
    embed: JsonObject = {
        "title": None,
        "url": "",
        "image": {"url": ""},
        "fields": [{"name": "Motivo", "value": None}, {"value": 5}, "x"],
        "footer": {"text": " "},
    }
    await sent(webhook(server.url), client, embeds=[embed])
    fields = [{"name": "Motivo", "value": "—"}, {"name": "—", "value": "5"}]
    assert server.seen[0].json["embeds"] == [{"fields": fields}]
    await sent(webhook(server.url), client, embeds=[{"title": None}])
    assert server.seen[1].json["embeds"] == [{"description": "—"}]


async def test_escapes_are_not_seen_where_discord_reads_no_markdown(server: ContractServer, client: Client) -> None:
    told = escape("a_*b*")
    embed: JsonObject = {"title": told, "author": {"name": told, "url": told}, "footer": {"text": told}, "url": told}
    await sent(webhook(server.url), client, embeds=[embed])
    assert server.seen[0].json["embeds"] == [
        {"title": told, "author": {"name": "a_*b*", "url": "a_*b*"}, "footer": {"text": "a_*b*"}, "url": "a_*b*"}
    ]


async def test_embeds_may_be_written_as_json(server: ContractServer, client: Client) -> None:
    text = json.dumps({"embeds": [{"title": "Acme"}]})
    await sent(webhook(server.url), client, embeds_json=text)
    assert server.seen[0].json["embeds"] == [{"title": "Acme"}]
    assert webhook("https://discord.com").preview({"embeds_json": text}) == "Acme"
    assert Discord.filled_by("discord/lost.JSON.j2") == "embeds_json"
    assert Discord.filled_by("discord/lost.md.j2") == "text"


@pytest.mark.parametrize("code", [50006, 50035])
async def test_embeds_that_discord_refuses_are_told_in_words(server: ContractServer, client: Client, code: int) -> None:
    server.script(says({"code": code, "message": "Invalid Form Body"}, 400), says(POSTED))
    receipt = await sent(webhook(server.url), client, text="a", embeds=[{"title": "b", "fields": [{"name": "c"}]}])
    assert server.seen[1].json["content"] == "a\nb\nc"
    assert server.seen[1].json["embeds"] == []
    assert receipt.excerpt.startswith(f"posted without embeds after {code}")


async def test_what_is_refused_in_every_form_is_permanent(server: ContractServer, client: Client) -> None:
    server.script(says({"code": 50035, "message": "Invalid Form Body"}, 400))
    with pytest.raises(PermanentFailure, match="50035 Invalid Form Body"):
        await sent(webhook(server.url), client, text="a", embeds=[{"title": "b"}])
    assert len(server.seen) == 2
    with pytest.raises(PermanentFailure, match="50035"):
        await sent(webhook(server.url), client, text="a")
    assert len(server.seen) == 3


# limits

LEAVES = st.one_of(st.text(), st.text(min_size=50, max_size=60).map(lambda text: text * 40), st.integers(), st.none())


@st.composite
def embeds(draw: st.DrawFn) -> JsonObject:
    leaf = draw(LEAVES)
    inert = escape(leaf) if isinstance(leaf, str) else leaf
    field: JsonObject = {"name": inert, "value": inert, "inline": True}
    whole: JsonObject = {
        "title": inert,
        "description": inert,
        "fields": [field] * draw(st.integers(0, 26)),
        "footer": {"text": inert},
        "author": {"name": inert},
    }
    return {name: whole[name] for name in draw(st.lists(st.sampled_from(sorted(whole)), unique=True))}


@given(st.lists(embeds(), min_size=1, max_size=10), LEAVES)
def test_any_data_makes_a_message_that_discord_accepts(made: list[JsonObject], text: Json) -> None:
    content: JsonObject = {"embeds": [*made]}
    if str(text or "").strip():
        content["text"] = escape(text) if isinstance(text, str) else text
    said = _said(DiscordAction.model_validate(content))
    seen = Seen(
        "POST",
        "/api/v10/webhooks/1/x?wait=true",
        {"content-type": "application/json"},
        json.dumps(said).encode("utf-8", "replace"),
    )
    assert discord_violations(seen) == []


async def test_what_is_too_long_ends_where_people_see_it(server: ContractServer, client: Client) -> None:
    field: JsonObject = {"name": "n" * 300, "value": "v" * 2000}
    await sent(webhook(server.url), client, text="x" * 3000, embeds=[{"fields": [field] * 30, "title": "t" * 300}] * 2)
    said = server.seen[0].json
    assert said["content"] == "x" * 1999 + "…"
    first, *_ = fields = said["embeds"][0]["fields"]
    assert (len(first["name"]), len(first["value"])) == (256, 1024)
    assert all(each[name].endswith("…") for each in fields for name in each)
    assert fields[-1] == {"name": "…", "value": "…"}, "all together are at most 6000"


# refusals


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (404, 10015, AccessRefused, "the webhook was deleted"),
        (404, 10003, AccessRefused, "the channel was deleted"),
        (401, 50027, AccessRefused, "copy it anew"),
        (403, 50013, AccessRefused, "50013"),
        (400, 50006, PermanentFailure, "came out empty"),
        (404, 10008, PermanentFailure, "10008"),
        (400, 220001, PermanentFailure, "220001"),
    ],
)
async def test_a_refusal_tells_discords_number_and_what_to_do(
    server: ContractServer, client: Client, status: int, code: int, kind: type[DeliveryFailure], words: str
) -> None:
    reply = {"code": code, "message": "No"}
    server.script(says(reply, status))
    with pytest.raises(DeliveryFailure, match=words) as caught:
        await sent(webhook(server.url), client, text="x")
    assert (type(caught.value), caught.value.status) == (kind, status)
    assert discord_reply_violations(server.seen[0], status, reply) == []


async def test_the_wait_is_as_long_as_the_body_says(server: ContractServer, client: Client) -> None:
    reply = {"message": "You are being rate limited.", "retry_after": 0.375, "global": False, "code": 0}
    server.script(says(reply, 429, Retry_After="1"))
    with pytest.raises(TransientFailure) as caught:
        await sent(webhook(server.url), client, text="x")
    assert (caught.value.retry_after, caught.value.throttled, caught.value.status) == (0.375, True, 429)


async def test_nothing_leaves_while_discord_has_said_that_it_takes_nothing(
    server: ContractServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = 100.0
    monkeypatch.setattr("bridge.targets.discord.api.monotonic", lambda: passed)
    target = webhook(server.url)
    server.script(says(POSTED, X_RateLimit_Remaining="0", X_RateLimit_Reset_After="1.5"), says(POSTED))
    await sent(target, client, text="1")
    passed += 1
    with pytest.raises(TransientFailure, match="no more messages just now") as caught:
        await sent(target, client, text="2")
    assert (caught.value.throttled, caught.value.retry_after) == (True, 0.5)
    assert len(server.seen) == 1
    passed += 0.5
    await sent(target, client, text="2")
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    "told",
    [
        {"X_RateLimit_Remaining": "4", "X_RateLimit_Reset_After": "60"},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset_After": "soon"},
    ],
)
async def test_what_is_left_is_sent(server: ContractServer, client: Client, told: dict[str, str]) -> None:
    server.script(says(POSTED, 200, **told))
    target = webhook(server.url)
    await sent(target, client, text="1")
    await sent(target, client, text="2")
    assert len(server.seen) == 2


@pytest.mark.parametrize("step", [answer(200, b"<html>hotel</html>"), says([]), says({"ok": True}), answer(204)])
async def test_an_answer_that_is_none_of_discords_leaves_the_outcome_unknown(
    server: ContractServer, client: Client, step: Step
) -> None:
    server.script(step)
    with pytest.raises(UnknownOutcome, match="not one of Discord's"):
        await sent(webhook(server.url), client, text="x")


# probe, options


async def test_a_probe_tells_what_the_webhook_is_called(server: ContractServer, client: Client) -> None:
    told = {"id": "1234", "type": 1, "name": "CRM", "channel_id": "22", "application_id": None, "avatar": None}
    server.script(says(told | {"token": "hush-hush"}))
    assert await webhook(server.url, "?thread_id=5").probe(client) == 'posts as "CRM" to the channel 22'
    assert [(seen.method, seen.target) for seen in server.seen] == [("GET", "/api/v10/webhooks/1234/hush-hush")]
    assert discord_reply_violations(server.seen[0], 200, told) == []
    server.script(says({"code": 10015, "message": "Unknown Webhook"}, 404))
    with pytest.raises(AccessRefused, match="was deleted"):
        await webhook(server.url).probe(client)


@pytest.mark.parametrize(
    "address",
    [
        "https://discord.com/api/webhooks/hush",
        "https://discord.com/api/webhooks/1234/hush/slack",
        "https://discord.com/channels/1234/hush",
        "https://discord.com/api/webhooks/1234/hush?wait=false",
        "discord.com/api/webhooks/1234/hush",
    ],
)
def test_an_address_of_no_webhook_is_refused_without_telling_it(address: str) -> None:
    with pytest.raises(ValidationError, match=r"address") as caught:
        DiscordOptions.model_validate({"webhook_url": address})
    assert "hush" not in str(caught.value)


def test_the_secret_part_of_the_address_is_blotted_out_wherever_it_stands() -> None:
    token = "a1" * 34
    options = DiscordOptions.model_validate({"webhook_url": f"https://discord.com/api/webhooks/1/{token}"})
    assert token not in Discord("sales", options).redactor.redacted(f"no page /webhooks/{token}")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"update": "k"},
        {"text": " "},
        {"embeds": []},
        {"embeds": [{}] * 11},
        {"embeds": [{}], "embeds_json": "[{}]"},
        {"embeds_json": "{"},
        {"embeds_json": "[1]"},
    ],
)
def test_an_entry_that_says_nothing_or_too_much_is_refused(content: JsonObject) -> None:
    with pytest.raises(ValidationError):
        DiscordAction.model_validate(content)


def test_a_preview_reads_as_people_do() -> None:
    embed: JsonObject = {
        "footer": {"text": "rodapé"},
        "title": r"a \<b\>",
        "fields": [{"name": "Valor", "value": "R$ 1"}],
        "color": 5,
    }
    target = webhook("https://discord.com")
    shown = target.preview({"text": r"x \* y", "embeds": [embed]})
    assert shown == "x * y\na <b>\nValor: R$ 1\nrodapé"
    assert target.preview({"text": "x", "of_an_older": "version"}) == "x"


async def test_in_a_test_of_rules_everything_is_accepted() -> None:
    target = webhook("https://discord.com")

    class Accepting:
        async def call(self, request: Request) -> Any:
            told = target.accepted(request, 7)
            seen = Seen(request.method, request.url.removeprefix("https://discord.com"), {}, request.body or b"")
            assert discord_reply_violations(seen, told.status, json.loads(told.body)) == []
            return told

        deliver = call

    message = Message(DELIVERY, "deal:65", {"text": "x", "update": "deal:65"})
    assert (await target.send(message, KnownLinks(LINK), Accepting())).status == 200
    assert (await target.send(message, KnownLinks(), Accepting())).links
