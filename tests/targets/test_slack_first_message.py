"""The first message of a key at Slack: kept up to date, reacted to; people mentioned; blocks as JSON, and Markdown."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import ValidationError

from bridge.component import Request
from bridge.component.client import Client
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Link, Message, Receipt
from bridge.targets.slack import Slack, SlackAction
from bridge.targets.slack.people import KNOWN_FOR, UNKNOWN_FOR, person
from bridge.targets.slack.saying import said
from bridge.targets.slack.text import escape, escape_markdown
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.contract_server import ContractServer, Step, answer, says, schema_violations
from tests.targets.test_slack import POSTED, TS, bot, history, looked_up, section, sent, told, webhook

CHANNEL: JsonObject = {"channel": "C0123SALES"}
ANA = {"ok": True, "user": {"id": "U0ANA", "name": "ana"}}
NOBODY = {"ok": False, "error": "users_not_found"}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer(says(POSTED)) as running:
        yield running


def first(ts: str = "1.1", **data: str) -> KnownLinks:
    return KnownLinks(Link("sales", "deal:65", ts, {**CHANNEL, **data}))


def methods(server: ContractServer) -> list[str]:
    return [seen.target.rpartition("/")[2] for seen in server.seen]


class TestUpdateContract(HttpTargetContract):
    type_name = "slack"
    content: JsonObject = {"text": "Em *Proposta*", "update": "deal:65"}  # type: ignore[misc] # noqa: RUF012
    seen_by_people = "Em *Proposta*"
    secrets = ("xoxb-hush",)

    def build(self, url: str, timeout: float = 15) -> Slack:
        return bot(url, timeout=timeout)

    def links(self) -> KnownLinks:
        return first()

    def accepted(self) -> Step:
        return says({"ok": True, **CHANNEL, "ts": "1.1", "text": "x", "message": {"text": "x"}})


# update


async def test_the_first_message_of_a_key_is_posted_and_later_ones_take_its_place(
    server: ContractServer, client: Client
) -> None:
    links, target = KnownLinks(), bot(server.url)
    receipt = await sent(target, client, links, text="1", update="deal:65")
    links.keep(receipt)
    assert receipt.links == (Link("sales", "deal:65", TS, CHANNEL),)
    second = await sent(target, client, links, text="2", update="deal:65", blocks=[section("*2*")])
    third = await sent(target, client, links, text="3", update="deal:65", unfurl=True)
    assert methods(server) == ["chat.postMessage", "chat.update", "chat.update"]
    assert server.seen[1].json["ts"] == TS
    assert server.seen[1].json["blocks"] == [section("*2*")]
    assert server.seen[2].json["blocks"] == [], "those of before would stay otherwise"
    assert server.seen[2].json["parse"] == "none", "as a new message is read"
    assert (second.links, third.links) == ((), ())


@pytest.mark.parametrize("word", ["message_not_found", "edit_window_closed", "cant_update_message", "block_mismatch"])
async def test_what_can_no_longer_be_changed_is_posted_anew(server: ContractServer, client: Client, word: str) -> None:
    links = first()
    server.script(says({"ok": False, "error": word}), says(POSTED))
    receipt = await sent(bot(server.url), client, links, text="1", update="deal:65")
    assert methods(server) == ["chat.update", "chat.postMessage"]
    assert "ts" not in server.seen[1].json
    assert server.seen[1].json["unfurl_links"] is False
    assert receipt.links == (Link("sales", "deal:65", TS, CHANNEL),), "what follows changes the new one"
    assert word in receipt.excerpt


async def test_a_thread_replies_to_the_message_that_is_kept_up_to_date(server: ContractServer, client: Client) -> None:
    await sent(bot(server.url), client, first(), text="x", thread="deal:65")
    assert server.seen[0].json["thread_ts"] == "1.1"


async def test_a_message_in_another_channel_is_another_one(server: ContractServer, client: Client) -> None:
    receipt = await sent(bot(server.url), client, first(), text="1", update="deal:65", channel="C9")
    assert methods(server) == ["chat.postMessage"]
    assert [link.key for link in receipt.links] == ["deal:65 in C9"]
    receipt = await sent(bot(server.url), client, first(channel="COLD"), text="1", update="deal:65")
    assert receipt.links, "the target has moved"


async def test_blocks_that_are_refused_in_a_change_are_left_out_of_it(server: ContractServer, client: Client) -> None:
    server.script(says({"ok": False, "error": "invalid_blocks"}), says(POSTED))
    await sent(bot(server.url), client, first(), text="x", blocks=[section("*2*")], update="deal:65")
    assert methods(server) == ["chat.update", "chat.update"]
    assert [seen.json["blocks"] for seen in server.seen] == [[section("*2*")], []]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("is_inactive", AccessRefused),
        ("update_failed", TransientFailure),
        ("external_channel_migrating", TransientFailure),
        ("msg_too_long", PermanentFailure),
    ],
)
async def test_other_refusals_of_a_change_have_their_meaning(
    server: ContractServer, client: Client, word: str, kind: type[DeliveryFailure]
) -> None:
    server.script(says({"ok": False, "error": word}))
    with pytest.raises(DeliveryFailure, match=word) as caught:
        await sent(bot(server.url), client, first(), text="x", update="deal:65")
    assert type(caught.value) is kind


async def test_a_first_message_whose_answer_was_lost_is_found_and_then_changed(
    server: ContractServer, client: Client
) -> None:
    server.script(history(told()))
    receipt = await looked_up(bot(server.url, look_up=True), client, update="deal:65")
    assert receipt is not None
    assert receipt.links == (Link("sales", "deal:65", TS, CHANNEL),)


async def test_what_was_posted_anew_in_its_place_is_the_one_to_change_from_then_on(
    server: ContractServer, client: Client
) -> None:
    server.script(history(told()))
    receipt = await looked_up(bot(server.url, look_up=True), client, first("1.1"), update="deal:65")
    assert receipt is not None
    assert receipt.links == (Link("sales", "deal:65", TS, CHANNEL),)


async def test_a_change_whose_answer_was_lost_is_made_again(server: ContractServer, client: Client) -> None:
    server.script(history())
    assert await looked_up(bot(server.url, look_up=True), client, first(), update="deal:65") is None


def test_a_newer_state_replaces_one_that_waits() -> None:
    assert bot("https://slack.com").upserts({"text": "x", "update": "deal:65"})
    assert not webhook("https://slack.com").upserts({"text": "x", "update": "deal:65"})
    assert bot("https://slack.com").link_key(Message(DELIVERY, "k", {"text": "x", "update": "deal:65"})) == "deal:65"


def test_a_webhook_refuses_what_makes_no_sense_with_it() -> None:
    target = webhook("https://slack.com")
    [told] = target.objections({"text": "x", "update": "deal"})
    assert told == "a Slack webhook cannot change what it posted: give the target a token"
    [told] = target.objections({"thread": "deal", "react": "tada"})
    assert "emoji" in told
    assert target.objections({"text": "x", "thread": "deal"}) == ()
    assert bot("https://slack.com").objections({"react": "tada", "thread": "deal"}) == ()


async def test_an_emoji_that_was_planned_before_the_token_was_taken_away_is_no_message(client: Client) -> None:
    with pytest.raises(PermanentFailure, match="cannot add an emoji"):
        await sent(webhook("http://127.0.0.1:9"), client, thread="deal:65", react="tada")


# react


async def test_an_emoji_is_added_to_the_first_message(server: ContractServer, client: Client) -> None:
    server.script(says({"ok": True}))
    receipt = await sent(bot(server.url), client, first(), thread="deal:65", react=":tada:")
    (seen,) = server.seen
    assert methods(server) == ["reactions.add"]
    assert seen.json == {"channel": "C0123SALES", "timestamp": "1.1", "name": "tada"}
    assert (receipt.status, receipt.links) == (200, ())


@pytest.mark.parametrize("word", ["already_reacted", "message_not_found", "thread_locked"])
async def test_an_emoji_that_is_there_or_has_no_place_is_done(
    server: ContractServer, client: Client, word: str
) -> None:
    server.script(says({"ok": False, "error": word}))
    receipt = await sent(bot(server.url), client, first(), thread="deal:65", react="tada")
    assert receipt.excerpt == f"nothing to do: {word}"


async def test_without_a_message_there_is_nothing_to_react_to(server: ContractServer, client: Client) -> None:
    receipt = await sent(bot(server.url), client, thread="deal:65", react="tada")
    assert (server.seen, receipt.excerpt) == ([], "there is no message to react to")


@pytest.mark.parametrize(
    ("word", "kind", "words"),
    [
        ("missing_scope", AccessRefused, "refused the emoji: missing_scope (add the scope reactions:write"),
        ("invalid_name", PermanentFailure, "no such emoji"),
        ("too_many_reactions", PermanentFailure, "too_many_reactions"),
        ("ratelimited", TransientFailure, "ratelimited"),
        ("channel_not_found", AccessRefused, "channel_not_found"),
    ],
)
async def test_a_refused_emoji_is_sorted_as_messages_are(
    server: ContractServer, client: Client, word: str, kind: type[DeliveryFailure], words: str
) -> None:
    server.script(says({"ok": False, "error": word}))
    with pytest.raises(DeliveryFailure) as caught:
        await sent(bot(server.url), client, first(), thread="deal:65", react="tada")
    assert type(caught.value) is kind
    assert words in str(caught.value)


async def test_an_emoji_whose_answer_was_lost_is_added_again(server: ContractServer, client: Client) -> None:
    target = bot(server.url, look_up=True)
    message = Message(DELIVERY, "deal:65", {"thread": "deal:65", "react": "tada"})
    assert await target.look_up(message, None, first(), client) is None  # type: ignore[arg-type] # not looked at
    assert server.seen == []


# mention


async def test_whoever_has_the_address_is_mentioned_before_the_text(server: ContractServer, client: Client) -> None:
    server.script(says(ANA), says(POSTED))
    await sent(bot(server.url), client, text="*Perdida*", mention="ana@acme.example")
    asked, posted = server.seen
    assert methods(server) == ["users.lookupByEmail", "chat.postMessage"]
    assert asked.form == {"email": "ana@acme.example"}
    assert posted.json["text"] == "<@U0ANA> *Perdida*"


async def test_mentions_stand_where_the_text_wants_them(server: ContractServer, client: Client) -> None:
    server.script(says(ANA), says(POSTED))
    target = bot(server.url)
    await sent(target, client, text="*Perdida*, de <mention>; veja", mention="ana@acme.example")
    assert server.seen[-1].json["text"] == "*Perdida*, de <@U0ANA>; veja"
    await sent(target, client, text="*Perdida*, de <mention>")
    assert server.seen[-1].json["text"] == "*Perdida*, de "
    await sent(target, client, text=f"*{escape('<mention>')}*", mention="ana@acme.example")
    assert server.seen[-1].json["text"] == "<@U0ANA> *&lt;mention&gt;*"
    assert target.preview({"text": "de <mention>", "mention": "A & B <a@b.example>"}) == "de @A & B"


async def test_beside_blocks_the_mention_has_a_block_of_its_own(server: ContractServer, client: Client) -> None:
    server.script(says(ANA), says(POSTED))
    await sent(bot(server.url), client, blocks=[section("*Perdida*")], mention=["ana@acme.example", None, " "])
    posted = server.seen[1].json
    assert posted["blocks"] == [section("<@U0ANA>"), section("*Perdida*")]
    assert posted["text"] == "<@U0ANA> *Perdida*"


@pytest.mark.parametrize(
    "refusal",
    [
        says(NOBODY),
        says({"ok": False, "error": "missing_scope"}),
        says({"ok": False, "error": "a_word_of_tomorrow"}),
        answer(404, b"<html>"),
        says({"ok": True}),
        says({"ok": True, "user": {"id": "!channel"}}),
    ],
)
async def test_who_is_not_found_goes_by_name_and_the_message_is_posted(
    server: ContractServer, client: Client, refusal: Step
) -> None:
    server.script(refusal, says(POSTED))
    receipt = await sent(bot(server.url), client, text="x", mention="Ana & Cia <ana@acme.example>")
    assert server.seen[1].json["text"] == "Ana &amp; Cia x"
    assert receipt.excerpt.startswith("Ana & Cia is not mentioned: ")


async def test_for_want_of_a_scope_it_is_told_what_to_do(server: ContractServer, client: Client) -> None:
    server.script(says({"ok": False, "error": "missing_scope"}), says(POSTED))
    receipt = await sent(bot(server.url), client, text="x", mention="ana@acme.example")
    assert "add the scopes users:read and users:read.email" in receipt.excerpt


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (says({"ok": False, "error": "invalid_auth"}), AccessRefused),
        (says({"ok": False, "error": "ratelimited"}, Retry_After="30"), TransientFailure),
        (says({"ok": False, "error": "internal_error"}), TransientFailure),
        (answer(429, b"", Retry_After="30"), TransientFailure),
        (answer(503, b""), TransientFailure),
        (answer(200, b"<html>log in to the hotel</html>"), TransientFailure),
    ],
)
async def test_where_nobody_can_be_looked_up_now_nothing_is_posted_yet(
    server: ContractServer, client: Client, step: Step, kind: type[DeliveryFailure]
) -> None:
    server.script(step)
    with pytest.raises(DeliveryFailure) as caught:
        await sent(bot(server.url), client, text="x", mention="ana@acme.example")
    assert type(caught.value) is kind
    assert not isinstance(caught.value, UnknownOutcome)
    assert len(server.seen) == 1


async def test_nobody_is_asked_for_twice_within_a_while(
    server: ContractServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = 1000.0

    monkeypatch.setattr("bridge.targets.slack.people.monotonic", lambda: passed)
    target = bot(server.url)
    server.script(says(ANA), says(POSTED), says(NOBODY), says(POSTED))
    for who in ("ana@acme.example", "rui@acme.example", "ANA@acme.example", "rui@acme.example"):
        await sent(target, client, text="x", mention=who)
    assert methods(server).count("users.lookupByEmail") == 2
    passed += UNKNOWN_FOR
    server.script(says(ANA), says(POSTED))
    await sent(target, client, text="x", mention=["rui@acme.example", "ana@acme.example"])
    assert server.seen[-2].form == {"email": "rui@acme.example"}
    assert server.seen[-1].json["text"] == "<@U0ANA> <@U0ANA> x", "somebody has that address by now"
    passed += KNOWN_FOR
    server.script(says(ANA), says(POSTED))
    await sent(target, client, text="x", mention="ana@acme.example")
    assert methods(server).count("users.lookupByEmail") == 4


async def test_a_name_without_an_address_is_no_question(server: ContractServer, client: Client) -> None:
    receipt = await sent(bot(server.url), client, text="x", mention="Ana <!channel>")
    assert methods(server) == ["chat.postMessage"]
    assert server.seen[0].json["text"] == "Ana &lt;!channel&gt; x"
    assert "no e-mail address" in receipt.excerpt


async def test_a_webhook_calls_people_by_name(server: ContractServer, client: Client) -> None:
    server.script(answer(200, b"ok"))
    await sent(webhook(server.url), client, text="x", mention=["Ana <ana@acme.example>", "rui@acme.example"])
    assert server.seen[0].json["text"] == "Ana rui@acme.example x"
    [warning] = webhook(server.url).warnings({"text": "x", "mention": "a@b.example"})
    assert "by name" in warning


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("ana@acme.example", "", "ana@acme.example"),
        ("Ana Souza <ana@acme.example>", "Ana Souza", "ana@acme.example"),
        (" Ana\n<ana@acme.example> ", "Ana", "ana@acme.example"),
        ("<ana@acme.example>", "", "ana@acme.example"),
        ("ana@acme.example>", "ana@acme.example>", None),
        ("Ana <ana@acme.example", "Ana <ana@acme.example", None),
        ("a@x.example, b@x.example", "a@x.example, b@x.example", None),
        ("Chefe <chefe@x.example> <ana@x.example>", "Chefe <chefe@x.example> <ana@x.example>", None),
        ("Ana Souza", "Ana Souza", None),
    ],
)
def test_one_text_is_one_person(written: str, name: str, address: str | None) -> None:
    assert person(written) == (name, address)


@given(st.text(), st.text())
async def test_no_data_mentions_anybody_but_who_has_the_address(name: str, address: str) -> None:
    class Silent:
        async def call(self, request: Request) -> Any:
            raise PermanentFailure("nobody")

        deliver = call

    target = bot("https://slack.com")
    mentions = await target._people.mentions([f"{name} <{address}>"], Silent())
    assert not {"<", ">"} & set(mentions.text)


# JSON and Markdown


def test_a_template_fills_what_its_name_says() -> None:
    assert Slack.filled_by("slack/lost.json.j2") == "blocks_json"
    assert Slack.filled_by("slack/lost.MARKDOWN.j2") == "markdown"
    assert Slack.filled_by("slack/lost.md.j2") == "text"


BUILT = '{"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "DATA"}}]}'


@pytest.mark.parametrize("text", [BUILT, json.dumps(json.loads(BUILT)["blocks"])])
async def test_blocks_may_be_written_as_json(server: ContractServer, client: Client, text: str) -> None:
    await sent(bot(server.url), client, blocks_json=text)
    assert server.seen[0].json["blocks"] == [section("DATA")]
    assert bot(server.url).preview({"blocks_json": text}) == "DATA"


@given(st.text())
def test_no_data_leaves_the_text_that_it_stands_in(data: str) -> None:
    text = BUILT.replace("DATA", Slack.escapes["blocks_json"](data))
    action = SlackAction.model_validate({"blocks_json": text})
    [block] = action.shown or []
    written = block["text"]["text"]  # type: ignore[index,call-overload]
    assert written == escape(data).encode("utf-8", "replace").decode()
    assert schema_violations("IncomingWebhookSendArguments", said(action)) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "1 to 50"),
        ('{"blocks": {}}', "1 to 50"),
        ('["x"]', "objects"),
        ("3", "1 to 50"),
        (json.dumps([{"type": "divider"}] * 51), "1 to 50"),
    ],
)
def test_json_that_holds_no_blocks_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SlackAction.model_validate({"blocks_json": text})


async def test_markdown_is_a_block_and_a_notification(server: ContractServer, client: Client) -> None:
    await sent(bot(server.url), client, markdown="**Perdida**: Acme")
    assert server.seen[0].json["blocks"] == [{"type": "markdown", "text": "**Perdida**: Acme"}]
    assert server.seen[0].json["text"] == "**Perdida**: Acme"


@given(st.text(st.sampled_from("\\`*_[]()<>~|#+-=.!&;:@/1a \n") | st.characters(codec="utf-8"), min_size=1))
def test_no_data_becomes_markup_in_markdown(data: str) -> None:
    escaped = escape_markdown(data)
    assert not {"<", ">"} & set(escaped)
    tokens = MarkdownIt("commonmark").parse(f"x {escaped}")
    kinds = {each.type for token in tokens for each in (token, *(token.children or ()))}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "text_special"}


def test_a_preview_shows_markdown_people_and_emoji() -> None:
    target = bot("https://slack.com")
    shown = target.preview({"markdown": f"**x** {escape_markdown('a*b <c>')}", "mention": "Ana <ana@x.example>"})
    assert shown == "@Ana\n**x** a*b <c>"
    assert target.preview({"thread": "deal:65", "react": "tada"}) == ":tada: on the first message of the thread"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"text": "x", "react": "tada", "thread": "k"}, "goes alone"),
        ({"react": "tada", "thread": "k", "mention": "a@b.example"}, "goes alone"),
        ({"react": "tada"}, "needs .thread."),
        ({"react": "not an emoji", "thread": "k"}, "name of an emoji"),
        ({"text": "x", "thread": "k", "update": "k"}, "which replaces"),
        ({"chart": {"data": {"a": 1}}, "update": "k"}, "new message each time"),
        ({"markdown": "x", "blocks": [{"type": "divider"}]}, "takes one of"),
        ({"markdown": "x", "chart": {"data": {"a": 1}}}, "beside a picture"),
        ({"markdown": " "}, "empty"),
        ({"blocks": [{"type": "divider"}] * 50, "mention": "a@b.example"}, "block of its own"),
        ({"update": "k"}, "needs"),
    ],
)
def test_an_entry_that_cannot_work_is_refused(content: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SlackAction.model_validate(content)


async def test_in_a_test_of_rules_everything_is_accepted() -> None:
    target = bot("https://slack.com")

    class Accepting:
        async def call(self, request: Request) -> Any:
            return target.accepted(request, 7)

        deliver = call

    async def run(**content: Any) -> Receipt:
        return await target.send(Message(DELIVERY, "deal:65", content), first(), Accepting())

    assert (await run(text="x", update="deal:65", mention="a@b.example")).status == 200
    assert (await run(thread="deal:65", react="tada")).status == 200
