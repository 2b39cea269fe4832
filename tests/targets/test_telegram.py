import html
import json
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any, ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.component import Request
from bridge.component.client import Client
from bridge.component.lengths import units
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Link, Message, Receipt
from bridge.targets.telegram import Telegram, TelegramAction, TelegramOptions
from bridge.targets.telegram.text import cut, escape, plain
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.chat_contracts import telegram_reply_violations, telegram_violations
from tests.support.contract_server import ContractServer, Seen, Step, answer, says

SENT = {"ok": True, "result": {"message_id": 11, "chat": {"id": -100123}}}
LINK = Link("sales", "deal:65", "7", {"chat": "-100123"})


class TestContract(HttpTargetContract):
    type_name = "telegram"
    content: ClassVar[JsonObject] = {"text": "<b>Perdida</b>: Acme &amp; Cia"}
    seen_by_people = "Perdida: Acme & Cia"
    secrets = ("123456:hush-hush", "hush")
    violations = staticmethod(telegram_violations)

    def build(self, url: str, timeout: float = 15) -> Telegram:
        return bot(url, timeout=timeout)

    def accepted(self) -> Step:
        return says(SENT)


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
    async with ContractServer(says(SENT), contract=telegram_violations) as running:
        yield running


def bot(url: str, **options: object) -> Telegram:
    values = {"token": "123456:hush-hush", "chat": -100123, "api_url": url} | options
    return Telegram("sales", TelegramOptions.model_validate(values))


async def sent(target: Telegram, client: Client, *links: Link, **content: Any) -> Receipt:
    return await target.send(Message(DELIVERY, "deal:65", content), KnownLinks(*links), client)


def refused(status: int, description: str, **parameters: int) -> Step:
    reply = {"ok": False, "error_code": status, "description": description}
    return says({**reply, "parameters": parameters} if parameters else reply, status)


def methods(server: ContractServer) -> list[str]:
    return [seen.target.rpartition("/")[2] for seen in server.seen]


# messages


async def test_a_message_is_sent_as_html(server: ContractServer, client: Client) -> None:
    receipt = await sent(bot(server.url, topic=5), client, text="<b>Perdida</b>", silent=True)
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("POST", "/bot123456:hush-hush/sendMessage")
    assert seen.json == {
        "chat_id": -100123,
        "text": "<b>Perdida</b>",
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "message_thread_id": 5,
        "disable_notification": True,
    }
    assert (receipt.status, receipt.links) == (200, ())


async def test_an_entry_may_name_another_chat(server: ContractServer, client: Client) -> None:
    await sent(bot(server.url, topic=5), client, text="x", chat="@vendas", unfurl=True)
    assert server.seen[0].json["chat_id"] == "@vendas"
    assert server.seen[0].json["link_preview_options"] == {"is_disabled": False}
    assert "message_thread_id" not in server.seen[0].json, "the topic is one of the target's own chat"


async def test_the_message_of_a_key_is_changed(server: ContractServer, client: Client) -> None:
    target = bot(server.url)
    first = await sent(target, client, text="1", update="deal:65")
    assert first.links == (Link("sales", "deal:65", "11", {"chat": "-100123"}),)
    second = await sent(target, client, *first.links, text="2", update="deal:65")
    assert methods(server) == ["sendMessage", "editMessageText"]
    assert server.seen[1].json["message_id"] == 11
    assert second.links == ()


async def test_what_is_said_already_is_done(server: ContractServer, client: Client) -> None:
    server.script(refused(400, "Bad Request: message is not modified: specified new message content …"))
    receipt = await sent(bot(server.url), client, LINK, text="2", update="deal:65")
    assert (len(server.seen), receipt.excerpt) == (1, "message is not modified")


@pytest.mark.parametrize("words", ["message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID"])
async def test_what_can_no_longer_be_changed_is_sent_anew(server: ContractServer, client: Client, words: str) -> None:
    server.script(refused(400, f"Bad Request: {words}"), says(SENT))
    receipt = await sent(bot(server.url), client, LINK, text="2", update="deal:65")
    assert methods(server) == ["editMessageText", "sendMessage"]
    assert [link.external_id for link in receipt.links] == ["11"]


async def test_the_message_of_another_chat_is_left_alone(server: ContractServer, client: Client) -> None:
    await sent(bot(server.url), client, LINK, text="2", update="deal:65", chat="-100999")
    assert methods(server) == ["sendMessage"]


def test_a_newer_state_replaces_one_that_waits() -> None:
    target = bot("https://api.telegram.org")
    assert target.upserts({"text": "x", "update": "k"})
    assert not target.upserts({"text": "x"})
    assert target.link_key(Message(DELIVERY, "k", {"text": "x", "update": "deal:65"})) == "deal:65"
    assert [target.bucket({"chat": each}) for each in (None, "-100123", "@b")] == ["", "", "@b"]


async def test_markup_that_telegram_cannot_read_is_left_out(server: ContractServer, client: Client) -> None:
    server.script(refused(400, "Bad Request: can't parse entities: Unsupported start tag"), says(SENT))
    receipt = await sent(bot(server.url), client, text="<h1>Perdida</h1> a &lt; b", update="deal:65")
    assert "parse_mode" not in server.seen[1].json
    assert server.seen[1].json["text"] == "Perdida a < b"
    assert receipt.excerpt.startswith("sent as plain text after: can't parse entities")
    assert receipt.links


async def test_what_is_refused_in_every_form_is_permanent(server: ContractServer, client: Client) -> None:
    server.script(refused(400, "Bad Request: can't parse entities"))
    with pytest.raises(PermanentFailure, match="can't parse"):
        await sent(bot(server.url), client, text="<h1>x</h1>")
    assert len(server.seen) == 2


async def test_a_group_that_has_moved_is_followed(server: ContractServer, client: Client) -> None:
    moved = refused(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1009876543210)
    server.script(moved, says(SENT))
    target = bot(server.url, chat="-42")
    await sent(target, client, text="1")
    await sent(target, client, text="2")
    assert [seen.json["chat_id"] for seen in server.seen] == [-42, -1009876543210, -1009876543210]


async def test_a_group_that_moves_for_ever_is_refused(server: ContractServer, client: Client) -> None:
    server.script(refused(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-7))
    with pytest.raises(PermanentFailure, match="upgraded"):
        await sent(bot(server.url), client, text="1")
    assert len(server.seen) == 2


# refusals


OTHER: JsonObject = {"chat": "@b"}


@pytest.mark.parametrize(
    ("refusal", "where", "kind", "hint"),
    [
        (refused(401, "Unauthorized"), OTHER, AccessRefused, "the token is wrong"),
        (refused(404, "Not Found"), OTHER, AccessRefused, "the token is wrong"),
        (refused(400, "Bad Request: chat not found"), {}, AccessRefused, "check the id"),
        (refused(400, "Bad Request: chat not found"), OTHER, PermanentFailure, "check the id"),
        (refused(403, "Forbidden: bot was kicked from the supergroup chat"), {}, AccessRefused, "to the group again"),
        (refused(403, "Forbidden: bot was blocked by the user"), OTHER, PermanentFailure, "unblock"),
        (refused(403, "Forbidden: some words of tomorrow"), {}, AccessRefused, "tomorrow"),
        (
            refused(400, "Bad Request: need administrator rights in the channel chat"),
            {},
            AccessRefused,
            "administrator",
        ),
        (refused(400, "Bad Request: message thread not found"), {}, AccessRefused, "topic"),
        (refused(400, "Bad Request: message text is empty"), {}, PermanentFailure, "empty"),
    ],
)
async def test_a_refusal_is_sorted_by_its_words(
    server: ContractServer, client: Client, refusal: Step, where: JsonObject, kind: type[DeliveryFailure], hint: str
) -> None:
    server.script(refusal)
    with pytest.raises(DeliveryFailure, match=hint) as caught:
        await sent(bot(server.url), client, text="x", **where)
    assert type(caught.value) is kind


async def test_the_wait_is_as_long_as_the_body_says(server: ContractServer, client: Client) -> None:
    server.script(refused(429, "Too Many Requests: retry after 35", retry_after=35), refused(429, "Too Many Requests"))
    for seconds in (35.0, None):
        with pytest.raises(TransientFailure) as caught:
            await sent(bot(server.url), client, text="x")
        assert (caught.value.retry_after, caught.value.throttled) == (seconds, True)


@pytest.mark.parametrize(
    "step", [answer(200, b"<html>hotel</html>"), says([]), says({"ok": True}), says({"ok": True, "result": {}})]
)
async def test_an_answer_that_is_none_of_telegrams_leaves_the_outcome_unknown(
    server: ContractServer, client: Client, step: Step
) -> None:
    server.script(step)
    with pytest.raises(UnknownOutcome, match="not one of Telegram's"):
        await sent(bot(server.url), client, text="x")


# text

HOSTILE = st.text(st.sampled_from("<>&\"'@/a1 \n;#") | st.characters(codec="utf-8"), max_size=60)


class Reader(HTMLParser):
    """Reads HTML, and finds whether each tag is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sound = True

    def handle_starttag(self, tag: str, _: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.sound = self.sound and bool(self.open) and self.open.pop() == tag


def sound(text: str) -> bool:
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader.sound and not reader.open


@given(HOSTILE)
@example("@canal")
@example('" onclick="x')
def test_data_is_inert_and_reads_as_before(data: str) -> None:
    escaped = escape(data)
    assert not {"<", ">", '"'} & set(escaped)
    assert "@canal" not in escaped
    assert plain(escaped) == html.unescape(escaped).replace("\u2060", "")
    assert plain(escaped) == data.replace("\u2060", "")


@given(st.lists(HOSTILE, max_size=8), st.integers(1, 200))
def test_a_cut_keeps_to_the_limit_and_breaks_no_tag(parts: list[str], limit: int) -> None:
    tags = ("b", "i", "code", "tg-spoiler", "u")
    text = "".join(f'<{tags[n % 5]}><a href="https://x.example/{n}">{escape(part)}</a>' for n, part in enumerate(parts))
    text += "".join(f"</{tags[n % 5]}>" for n in reversed(range(len(parts))))
    short = cut(text, limit)
    assert units(short) <= limit
    assert sound(short)
    if short != text:
        assert "…" in short
        assert plain(text).startswith(plain(short).partition("…")[0])


def test_a_cut_leaves_no_half_of_anything() -> None:
    assert cut("<b>abc</b> def", 12) == "<b>abc</b> …"
    assert cut("<b>abcdefgh</b>", 12) == "<b>abcd…</b>"
    assert cut("a &amp; b c", 6) == "a …"
    assert cut("</i>abcdef", 5) == "abcd…"


async def test_too_long_a_text_is_cut_where_people_see_it(server: ContractServer, client: Client) -> None:
    await sent(bot(server.url), client, text=f"<b>{'x' * 9000}</b>")
    assert server.seen[0].json["text"] == f"<b>{'x' * 4088}…</b>"


@given(HOSTILE | HOSTILE.map(lambda text: text * 200))
def test_any_data_makes_a_message_that_telegram_accepts(data: str) -> None:
    action = TelegramAction(text=f"<b>Negócio</b> {escape(data)}")
    body: JsonObject = {"chat_id": 1, "text": cut(action.text), "parse_mode": "HTML"}
    headers = {"content-type": "application/json"}
    assert telegram_violations(Seen("POST", "/bot1:a/sendMessage", headers, json.dumps(body).encode())) == []
    assert sound(str(body["text"]))


# probe, options


async def test_a_probe_tells_who_writes_and_where(server: ContractServer, client: Client) -> None:
    server.script(
        says({"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "b", "username": "acme_bot"}}),
        says({"ok": True, "result": {"id": -100123, "type": "supergroup", "title": "Vendas"}}),
    )
    assert await bot(server.url).probe(client) == 'writes as @acme_bot to "Vendas"'
    assert methods(server) == ["getMe", "getChat"]
    server.script(refused(401, "Unauthorized"))
    with pytest.raises(AccessRefused, match="token is wrong"):
        await bot(server.url).probe(client)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"token": "hush", "chat": "1"}, "BotFather"),
        ({"token": "1:hush/x", "chat": "1"}, "BotFather"),
        ({"token": "1:hush", "chat": "Vendas"}, "id of a chat"),
        *(
            ({"token": "1:hush", "chat": chat}, 'write "@vendas_sul"')
            for chat in ("https://t.me/vendas_sul", "t.me/vendas_sul/")
        ),
        *(({"token": "1:hush", "chat": chat}, "id of a chat") for chat in ("²", "--5", "٣", "-", "9" * 5000, "@ação")),
        ({"token": "1:hush"}, "chat"),
        ({"token": "1:hush", "chat": True}, "chat"),
        ({"token": "1:hush", "chat": "1", "topic": 0}, "topic"),
    ],
)
def test_options_that_cannot_work_are_refused_without_telling_secrets(options: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        TelegramOptions.model_validate(options)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("content", [{}, {"text": " "}, {"text": "x", "chat": "Vendas"}, {"text": "x", "chat": "²"}])
def test_an_entry_that_cannot_work_is_refused(content: JsonObject) -> None:
    with pytest.raises(ValidationError):
        TelegramAction.model_validate(content)


def test_a_preview_reads_as_people_do() -> None:
    target = bot("https://api.telegram.org")
    assert target.preview({"text": "<b>a</b> &lt;c&gt; @\u2060x", "chat": "@b"}) == "in @b\na <c> @x"


async def test_in_a_test_of_rules_everything_is_accepted() -> None:
    target = bot("https://api.telegram.org")

    class Accepting:
        async def call(self, request: Request) -> Any:
            told = target.accepted(request, 7)
            seen = Seen("POST", request.url.removeprefix("https://api.telegram.org"), {}, request.body or b"")
            assert telegram_reply_violations(seen, told.status, json.loads(told.body)) == []
            return told

        deliver = call

    message = Message(DELIVERY, "deal:65", {"text": "x", "update": "deal:65"})
    assert (await target.send(message, KnownLinks(LINK), Accepting())).status == 200
    assert (await target.send(message, KnownLinks(), Accepting())).links
