import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.chart import Chart, png
from bridge.component import Answer, AnyTarget, Request
from bridge.component.client import Client
from bridge.component.http import json_body
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import Json, JsonObject, Limits, Link, Message, Rate, Receipt
from bridge.targets.slack import Slack, SlackAction, SlackOptions
from bridge.targets.slack.refusals import (
    LATER,
    NO_ACCESS,
    NO_BLOCKS,
    NO_CHANNEL,
    NO_METADATA,
    NO_THREAD,
    PERHAPS_POSTED,
)
from bridge.targets.slack.saying import said
from bridge.targets.slack.text import cut, escape, fitted, notification, unescape
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.contract_server import (
    ContractServer,
    Step,
    answer,
    raw,
    says,
    schema_violations,
    slack_methods,
)

TS = "1700000000.000100"
MARK = {"event_type": "bridge_delivery", "event_payload": {"delivery_id": DELIVERY}}
POSTED = {"ok": True, "channel": "C0123SALES", "ts": TS, "message": {"text": "…"}}


class TestBotContract(HttpTargetContract):
    type_name = "slack"
    content: ClassVar[JsonObject] = {"text": "*Negócio perdido*: Acme &amp; Cia", "thread": "deal:65"}
    seen_by_people = "*Negócio perdido*: Acme & Cia"
    secrets = ("xoxb-hush",)

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        return bot(url, timeout=timeout)

    def accepted(self) -> Step:
        return says(POSTED)


class TestWebhookContract(HttpTargetContract):
    type_name = "slack"
    content: ClassVar[JsonObject] = {"text": "Negócio perdido: Acme"}
    seen_by_people = "Negócio perdido: Acme"
    secrets = ("T000", "B000", "hush")

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        return webhook(url, timeout=timeout)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer(says(POSTED)) as running:
        yield running


def bot(url: str, **options: object) -> Slack:
    values = {"token": "xoxb-hush", "channel": "C0123SALES", "api_url": f"{url}/api"} | options
    return Slack("sales", SlackOptions.model_validate(values))


def webhook(url: str, **options: object) -> Slack:
    values = {"webhook_url": f"{url}/services/T000/B000/hush"} | options
    return Slack("sales", SlackOptions.model_validate(values))


async def sent(target: Slack, client: Client, links: KnownLinks | None = None, **content: Any) -> Receipt:
    return await target.send(Message(DELIVERY, "deal:65", content), links or KnownLinks(), client)


def section(text: object) -> JsonObject:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}  # type: ignore[dict-item]


async def test_text_is_posted_to_the_channel(server: ContractServer, client: Client) -> None:
    await sent(bot(server.url), client, text="Olá, *equipe*")
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("POST", "/api/chat.postMessage")
    assert seen.headers["authorization"] == "Bearer xoxb-hush"
    assert seen.json == {
        "channel": "C0123SALES",
        "text": "Olá, *equipe*",
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": MARK,
    }


async def test_an_entry_may_name_another_channel_and_unfurl(server: ContractServer, client: Client) -> None:
    await sent(bot(server.url), client, text="x", channel="C9", unfurl=True)
    said = {"channel": "C9", "text": "x", "unfurl_links": True, "unfurl_media": True}
    assert server.seen[0].json == {**said, "metadata": MARK}


async def test_a_webhook_takes_plain_ok_for_an_answer(server: ContractServer, client: Client) -> None:
    server.script(answer(200, b"ok", Content_Type="text/plain"))
    receipt = await sent(webhook(server.url), client, text="x")
    assert (receipt.status, receipt.excerpt, receipt.links) == (200, "ok", ())
    assert server.seen[0].target == "/services/T000/B000/hush"
    assert "authorization" not in server.seen[0].headers
    assert "metadata" not in server.seen[0].json, "webhooks know of none"


async def test_blocks_go_with_text_for_notifications(server: ContractServer, client: Client) -> None:
    header: JsonObject = {"type": "header", "text": {"type": "plain_text", "text": "Perdido"}}
    await sent(bot(server.url), client, blocks=[header, section("*Acme*")])
    assert server.seen[0].json["text"] == "Perdido\n*Acme*"
    assert server.seen[0].json["blocks"] == [header, section("*Acme*")]


async def test_text_beside_blocks_is_kept(server: ContractServer, client: Client) -> None:
    await sent(bot(server.url), client, blocks=[section("*Acme*")], text="Resumo")
    assert server.seen[0].json["text"] == "Resumo"


# threads


async def test_the_first_message_of_a_thread_leaves_a_link_and_the_next_replies(
    server: ContractServer, client: Client
) -> None:
    links = KnownLinks()
    target = bot(server.url)
    first = await sent(target, client, links, text="1", thread="deal:65")
    links.keep(first)
    second = await sent(target, client, links, text="2", thread="deal:65")
    assert first.links == (Link("sales", "deal:65", TS, {"channel": "C0123SALES"}),)
    assert second.links == ()
    assert ["thread_ts" in seen.json for seen in server.seen] == [False, True]
    assert server.seen[1].json["thread_ts"] == TS


async def test_without_a_thread_no_link_is_asked_for_or_left(server: ContractServer, client: Client) -> None:
    links = KnownLinks()
    receipt = await sent(bot(server.url), client, links, text="1")
    assert (links.asked, receipt.links) == ([], ())


async def test_a_thread_in_another_channel_is_another_thread(server: ContractServer, client: Client) -> None:
    links = KnownLinks(Link("sales", "deal:65", "1.1", {"channel": "C0123SALES"}))
    receipt = await sent(bot(server.url), client, links, text="1", thread="deal:65", channel="C9")
    assert "thread_ts" not in server.seen[0].json
    assert [link.key for link in receipt.links] == ["deal:65 in C9"]


async def test_a_thread_does_not_move_with_the_target_to_another_channel(
    server: ContractServer, client: Client
) -> None:
    links = KnownLinks(Link("sales", "deal:65", "1.1", {"channel": "COLD"}))
    receipt = await sent(bot(server.url), client, links, text="1", thread="deal:65")
    assert "thread_ts" not in server.seen[0].json
    assert receipt.links == (Link("sales", "deal:65", TS, {"channel": "C0123SALES"}),)


@pytest.mark.parametrize("word", ["thread_not_found", "message_not_found", "restricted_action_thread_locked"])
async def test_a_thread_that_is_gone_is_opened_anew(server: ContractServer, client: Client, word: str) -> None:
    links = KnownLinks(Link("sales", "deal:65", "1.1", {"channel": "C0123SALES"}))
    server.script(says({"ok": False, "error": word}), says(POSTED))
    receipt = await sent(bot(server.url), client, links, text="1", thread="deal:65")
    assert [seen.json.get("thread_ts") for seen in server.seen] == ["1.1", None]
    assert [link.external_id for link in receipt.links] == [TS]
    assert word in receipt.excerpt


async def test_a_thread_error_without_a_thread_is_final(server: ContractServer, client: Client) -> None:
    server.script(says({"ok": False, "error": "message_not_found"}))
    with pytest.raises(PermanentFailure, match="message_not_found"):
        await sent(bot(server.url), client, text="1")
    assert len(server.seen) == 1


async def test_the_link_of_a_long_message_is_read_though_the_answer_is_cut(
    server: ContractServer, client: Client
) -> None:
    server.script(says(POSTED | {"message": {"text": "x" * 200_000}}))
    receipt = await sent(bot(server.url), client, text="x" * 40_000, thread="deal:65")
    assert [link.external_id for link in receipt.links] == [TS]


def test_a_webhook_says_what_it_cannot_do() -> None:
    target = webhook("https://hooks.slack.com")
    assert "thread" in target.warnings({"thread": "deal", "text": "x"})[0]
    assert "channel" in target.warnings({"channel": "C1", "text": "x"})[0]
    assert target.warnings({"text": "x"}) == ()
    assert bot("https://slack.com").warnings({"thread": "deal", "channel": "C1"}) == ()


async def test_a_webhook_posts_what_it_cannot_thread(server: ContractServer, client: Client) -> None:
    server.script(answer(200, b"ok"))
    links = KnownLinks()
    await sent(webhook(server.url), client, links, text="x", thread="deal:65")
    assert links.asked == []


# charts

CHART: JsonObject = {"title": "Perdas", "data": {"Preço & prazo": 3, "Outro": 1}}
FILE = "F0123"


def uploads(url: str, *last: Step) -> list[Step]:
    """Answer as Slack does while a chart is uploaded and shared."""
    place = {"ok": True, "upload_url": f"{url}/upload/v1/abc", "file_id": FILE}
    return [says(place), answer(200, b"OK - 9000"), *(last or [says({"ok": True, "files": [{"id": FILE}]})])]


async def test_a_chart_is_uploaded_and_shared_below_the_text(server: ContractServer, client: Client) -> None:
    server.script(*uploads(server.url))
    receipt = await sent(bot(server.url), client, text="*Perdas* da semana", chart=CHART)
    asked, uploaded, shared = server.seen
    assert asked.form == {
        "filename": f"{DELIVERY}.png",
        "length": str(len(uploaded.body)),
        "alt_txt": "Perdas; Preço & prazo: 3; Outro: 1",
    }
    assert uploaded.body == png(Chart.model_validate(CHART))
    assert "authorization" not in uploaded.headers
    assert shared.json == {
        "channel_id": "C0123SALES",
        "initial_comment": "*Perdas* da semana",
        "files": [{"id": FILE, "title": "Perdas"}],
    }
    assert (receipt.status, receipt.links) == (200, ())


async def test_a_chart_needs_no_text_and_no_title(server: ContractServer, client: Client) -> None:
    server.script(*uploads(server.url))
    await sent(bot(server.url), client, chart={"data": {"a": 1}}, channel="C9")
    assert server.seen[2].json == {"channel_id": "C9", "files": [{"id": FILE, "title": "chart"}]}


async def test_a_chart_replies_in_an_open_thread(server: ContractServer, client: Client) -> None:
    links = KnownLinks(Link("sales", "deal:65", "1.1", {"channel": "C0123SALES"}))
    server.script(*uploads(server.url))
    await sent(bot(server.url), client, links, chart=CHART, thread="deal:65")
    assert server.seen[2].json["thread_ts"] == "1.1"


async def test_of_a_thread_that_is_gone_the_chart_goes_to_the_channel(server: ContractServer, client: Client) -> None:
    links = KnownLinks(Link("sales", "deal:65", "1.1", {"channel": "C0123SALES"}))
    gone = says({"ok": False, "error": "thread_not_found"})
    server.script(*uploads(server.url, gone, says({"ok": True, "files": [{"id": FILE}]})))
    receipt = await sent(bot(server.url), client, links, chart=CHART, thread="deal:65")
    assert ["thread_ts" in seen.json for seen in server.seen[2:]] == [True, False]
    assert "thread_not_found" in receipt.excerpt


@pytest.mark.parametrize("lost", [0, 1])
async def test_what_is_lost_before_it_is_shared_may_be_tried_again(
    server: ContractServer, client: Client, lost: int
) -> None:
    server.script(*uploads(server.url)[:lost], raw(b""))
    with pytest.raises(TransientFailure, match="the chart was not uploaded"):
        await sent(bot(server.url), client, chart=CHART)


async def test_an_address_that_takes_no_upload_any_more_is_no_reason_to_pause(
    server: ContractServer, client: Client
) -> None:
    server.script(uploads(server.url)[0], answer(403, b"expired"))
    with pytest.raises(TransientFailure, match="the chart was not uploaded: answered 403"):
        await sent(bot(server.url), client, chart=CHART)


async def test_where_the_answer_to_sharing_is_lost_it_may_be_there(server: ContractServer, client: Client) -> None:
    server.script(*uploads(server.url, raw(b"")))
    with pytest.raises(UnknownOutcome):
        await sent(bot(server.url), client, chart=CHART)


@pytest.mark.parametrize(
    ("step", "word", "kind", "told"),
    [
        (0, "missing_scope", AccessRefused, "Slack refused the chart: missing_scope (add the scope files:write"),
        (0, "file_uploads_disabled", PermanentFailure, "the workspace takes no files"),
        (0, "invalid_auth", AccessRefused, "the token is wrong"),
        (0, "ratelimited", TransientFailure, "ratelimited"),
        (2, "not_in_channel", AccessRefused, "invite the app"),
        (2, "posting_to_channel_denied", AccessRefused, "posting_to_channel_denied"),
        (2, "file_not_found", TransientFailure, "file_not_found"),
        (2, "file_update_failed", UnknownOutcome, "file_update_failed"),
        (2, "a_word_of_tomorrow", PermanentFailure, "a_word_of_tomorrow"),
    ],
)
async def test_a_refused_chart_is_sorted_as_messages_are(
    server: ContractServer, client: Client, step: int, word: str, kind: type[DeliveryFailure], told: str
) -> None:
    server.script(*uploads(server.url)[:step], says({"ok": False, "error": word}))
    with pytest.raises(DeliveryFailure) as caught:
        await sent(bot(server.url), client, chart=CHART)
    assert type(caught.value) is kind
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "https://files.slack.com.evil.example/upload",
        "https://evil.example/slack.com",
        "http://files.slack.com/upload",
        "https://notslack.com/upload",
        "https://slack.com@evil.example/",
        "file:///etc/passwd",
        "//files.slack.com/upload",
        "",
        None,
        7,
    ],
)
async def test_a_chart_goes_to_no_address_but_slacks(address: object) -> None:
    asked = Played(Answer(200, {}, json_body({"ok": True, "upload_url": address, "file_id": FILE})))  # type: ignore[dict-item]
    target = Slack("sales", SlackOptions.model_validate({"token": "xoxb-hush", "channel": "C1"}))
    with pytest.raises(TransientFailure, match="none of its own"):
        await target.send(Message(DELIVERY, "deal:65", {"chart": CHART}), KnownLinks(), asked)
    assert len(asked.seen) == 1


async def test_slacks_own_address_is_reached_without_token_and_not_inside_the_house() -> None:
    place: JsonObject = {"ok": True, "upload_url": "https://files.slack.com/upload/v1/x", "file_id": FILE}
    asked = Played(Answer(200, {}, json_body(place)))
    target = Slack("sales", SlackOptions.model_validate({"token": "xoxb-hush", "channel": "C1"}))
    await target.send(Message(DELIVERY, "deal:65", {"chart": CHART}), KnownLinks(), asked)
    assert [request.trusted for request in asked.seen] == [True, False, True]
    assert "Authorization" not in asked.seen[1].headers


class Played:
    """Answers as it was told to, whatever is asked, and sends nothing."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.seen: list[Request] = []

    async def call(self, request: Request) -> Answer:
        self.seen.append(request)
        return self.answer

    deliver = call


async def test_a_webhook_tells_a_chart_in_words(server: ContractServer, client: Client) -> None:
    server.script(answer(200, b"ok"))
    await sent(webhook(server.url), client, text="x", chart=CHART)
    assert server.seen[0].json["text"] == "x\nPerdas\nPreço &amp; prazo: 3\nOutro: 1"
    assert "token" in webhook(server.url).warnings({"chart": CHART})[0]


def test_a_preview_shows_the_figures() -> None:
    target = bot("https://slack.com")
    chart: JsonObject = {**CHART, "unit": "money", "data": [{"label": "Preço", "value": 12.5, "former": 10}]}
    assert target.preview({"text": "a &amp; b", "chart": chart}) == (
        "a & b\nPerdas\nPreço: R$ 12,50 (período anterior: R$ 10,00)"
    )
    assert target.preview({"chart": {"data": {}}, "channel": "C9"}) == "in C9\nnada a mostrar"
    assert target.preview({"text": "x", "chart": {"colour": "of an older version"}}) == "x"


def test_a_chart_goes_with_text_and_not_with_blocks() -> None:
    with pytest.raises(ValidationError, match=r"no .blocks. beside a picture"):
        SlackAction.model_validate({"blocks": [section("x")], "chart": CHART})


async def test_a_chart_is_found_by_the_name_of_its_file(server: ContractServer, client: Client) -> None:
    other: JsonObject = {"type": "message", "ts": "1.6", "files": [{"name": "dlv_of_another.png"}, "x"]}
    mine: JsonObject = {"type": "message", "ts": TS, "files": [{"id": FILE, "name": f"{DELIVERY}.png"}]}
    server.script(history(other, {"type": "message", "ts": "1.7", "files": None}, mine))
    receipt = await looked_up(bot(server.url, look_up=True), client, chart=CHART)
    assert receipt is not None
    server.script(history(other))
    assert await looked_up(bot(server.url, look_up=True), client, chart=CHART) is None


async def test_in_a_test_of_rules_a_chart_is_accepted() -> None:
    target = bot("https://slack.com")
    seen: list[Request] = []

    class Accepting:
        async def call(self, request: Request) -> Answer:
            seen.append(request)
            return target.accepted(request, len(seen))

        deliver = call

    await target.send(Message(DELIVERY, "deal:65", {"chart": CHART}), KnownLinks(), Accepting())
    assert len(seen) == 3


# refusals


@pytest.mark.parametrize("word", ["rate_limited", "ratelimited"])
async def test_too_fast_is_a_wait_of_the_target_as_long_as_slack_says(
    server: ContractServer, client: Client, word: str
) -> None:
    server.script(says({"ok": False, "error": word}, Retry_After="30"), says({"ok": False, "error": word}))
    for seconds in (30, None):
        with pytest.raises(TransientFailure, match=word) as caught:
            await sent(bot(server.url), client, text="x")
        assert (caught.value.throttled, caught.value.retry_after) == (True, seconds)


@pytest.mark.parametrize("word", ["service_unavailable", "request_timeout", "team_added_to_org"])
async def test_a_refusal_for_now_is_transient(server: ContractServer, client: Client, word: str) -> None:
    server.script(says({"ok": False, "error": word}))
    with pytest.raises(TransientFailure, match=word) as caught:
        await sent(bot(server.url), client, text="x")
    assert not caught.value.throttled


@pytest.mark.parametrize("word", ["internal_error", "fatal_error"])
async def test_a_failure_inside_slack_may_have_posted(server: ContractServer, client: Client, word: str) -> None:
    server.script(says({"ok": False, "error": word}))
    with pytest.raises(UnknownOutcome, match=word):
        await sent(bot(server.url), client, text="x")


@pytest.mark.parametrize("word", sorted(NO_ACCESS))
@pytest.mark.parametrize("channel", [None, "C9"])
async def test_what_bars_the_app_from_every_channel_refuses_the_target(
    server: ContractServer, client: Client, word: str, channel: str | None
) -> None:
    server.script(says({"ok": False, "error": word}))
    with pytest.raises(AccessRefused, match=word) as caught:
        await sent(bot(server.url), client, text="x", channel=channel)
    assert caught.value.status == 200
    assert len(server.seen) == 1


@pytest.mark.parametrize("word", sorted(NO_CHANNEL))
async def test_what_bars_it_from_one_channel_refuses_the_target_if_that_is_its_own(
    server: ContractServer, client: Client, word: str
) -> None:
    server.script(says({"ok": False, "error": word}))
    for channel in (None, "C0123SALES"):
        with pytest.raises(AccessRefused, match=word):
            await sent(bot(server.url), client, text="x", channel=channel)
    with pytest.raises(PermanentFailure, match=word):
        await sent(bot(server.url), client, text="x", channel="C9")


@pytest.mark.parametrize("word", ["message_limit_exceeded", "no_text", "too_many_attachments", "a_word_of_tomorrow"])
async def test_any_other_refusal_is_permanent_with_slacks_word(
    server: ContractServer, client: Client, word: str
) -> None:
    server.script(says({"ok": False, "error": word}))
    with pytest.raises(PermanentFailure, match=word) as caught:
        await sent(bot(server.url), client, text="x")
    assert caught.value.status == 200
    assert len(server.seen) == 1


def test_each_refusal_that_slack_documents_means_one_thing() -> None:
    documented = {word for method in slack_methods().values() if "errors" in method for word in method["errors"]}
    kinds = (LATER, NO_ACCESS, NO_CHANNEL, NO_THREAD, NO_BLOCKS, NO_METADATA, PERHAPS_POSTED)
    assert all(sum(word in kind for kind in kinds) <= 1 for word in documented.union(*kinds))
    several = {"channels_limit_exceeded"}
    about_channels = {word for word in documented if word.startswith(("restricted_action", "channel", "not_in_"))}
    about_channels -= several
    assert about_channels <= NO_CHANNEL | NO_THREAD


async def test_a_refusal_tells_what_to_do(server: ContractServer, client: Client) -> None:
    server.script(says({"ok": False, "error": "not_in_channel"}))
    with pytest.raises(AccessRefused, match=r"not_in_channel \(invite the app to the channel: /invite @app\)"):
        await sent(bot(server.url), client, text="x")


@pytest.mark.parametrize(
    ("status", "word", "kind"),
    [
        (400, "invalid_payload", PermanentFailure),
        (400, "no_text", PermanentFailure),
        (400, "too_many_attachments", PermanentFailure),
        (403, "action_prohibited", AccessRefused),
        (403, "invalid_token", AccessRefused),
        (403, "a_word_of_tomorrow", AccessRefused),
        (404, "no_service", AccessRefused),
        (404, "a_word_of_tomorrow", PermanentFailure),
        (404, "channel_not_found", AccessRefused),
        (410, "channel_is_archived", AccessRefused),
    ],
)
async def test_a_webhooks_refusal_is_sorted_by_slacks_word_whatever_its_status(
    server: ContractServer, client: Client, status: int, word: str, kind: type[DeliveryFailure]
) -> None:
    server.script(answer(status, word.encode(), Content_Type="text/plain"))
    with pytest.raises(DeliveryFailure, match=word) as caught:
        await sent(webhook(server.url), client, text="x")
    assert (type(caught.value), caught.value.status) == (kind, status)


async def test_a_refusal_that_is_none_of_slacks_words_keeps_its_status(server: ContractServer, client: Client) -> None:
    server.script(answer(403, b"<html>Blocked by proxy</html>"))
    with pytest.raises(AccessRefused, match="answered 403") as caught:
        await sent(webhook(server.url), client, text="x")
    assert "Blocked" in caught.value.excerpt


async def test_a_status_with_a_word_in_json_is_read(server: ContractServer, client: Client) -> None:
    server.script(says({"ok": False, "error": "invalid_auth"}, status=401))
    with pytest.raises(AccessRefused, match="invalid_auth"):
        await sent(bot(server.url), client, text="x")


@pytest.mark.parametrize("word", sorted(NO_METADATA))
async def test_where_the_mark_is_not_wanted_the_message_goes_without(
    server: ContractServer, client: Client, word: str
) -> None:
    server.script(says({"ok": False, "error": word}), says(POSTED))
    receipt = await sent(bot(server.url), client, text="x")
    assert ["metadata" in seen.json for seen in server.seen] == [True, False]
    assert word in receipt.excerpt


@pytest.mark.parametrize(
    "step",
    [
        answer(200, b"<html>log in to the hotel</html>"),
        says({"ok": "yes"}),
        says({"ok": False}),
        says([]),
        answer(204),
        raw(b'HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n{"ok":tru'),
    ],
)
async def test_an_answer_that_is_none_of_slacks_leaves_the_outcome_unknown(
    server: ContractServer, client: Client, step: Step
) -> None:
    server.script(step)
    with pytest.raises(UnknownOutcome, match="not one of Slack's"):
        await sent(bot(server.url), client, text="x")


@pytest.mark.parametrize("word", ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"])
async def test_blocks_that_slack_refuses_are_posted_as_text(server: ContractServer, client: Client, word: str) -> None:
    server.script(says({"ok": False, "error": word}), says(POSTED))
    receipt = await sent(bot(server.url), client, blocks=[section("*Acme*")], thread="deal:65")
    assert ["blocks" in seen.json for seen in server.seen] == [True, False]
    assert server.seen[1].json["text"] == "*Acme*"
    assert word in receipt.excerpt
    assert receipt.links


async def test_blocks_that_a_webhook_refuses_are_posted_as_text(server: ContractServer, client: Client) -> None:
    server.script(answer(400, b"invalid_blocks"), answer(200, b"ok"))
    await sent(webhook(server.url), client, blocks=[section("*Acme*")])
    assert server.seen[1].json["text"] == "*Acme*"


async def test_what_is_refused_in_every_form_is_permanent(server: ContractServer, client: Client) -> None:
    server.script(says({"ok": False, "error": "invalid_blocks"}))
    with pytest.raises(PermanentFailure, match="invalid_blocks"):
        await sent(bot(server.url), client, blocks=[section("*Acme*")])
    assert len(server.seen) == 2


# looking up


def history(*messages: JsonObject, cursor: str = "") -> Step:
    """Answer as conversations.history and conversations.replies do."""
    reply = {
        "ok": True,
        "messages": [*messages],
        "has_more": bool(cursor),
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        **({"response_metadata": {"next_cursor": cursor}} if cursor else {}),
    }
    assert reply.keys() >= {*slack_methods()["conversations.history"]["required_in_reply"]}
    return says(reply)


def told(ts: str = TS, delivery: str = DELIVERY) -> JsonObject:
    """Return a message as Slack lists it."""
    metadata: JsonObject = {"event_type": "bridge_delivery", "event_payload": {"delivery_id": delivery}}
    return {"type": "message", "bot_id": "B1", "text": "x", "ts": ts, "metadata": metadata}


OTHERS: list[JsonObject] = [
    {"type": "message", "user": "U1", "text": DELIVERY, "ts": "1.2"},
    told("1.3", "dlv_of_another"),
    {"type": "message", "ts": "1.4", "metadata": {"event_type": "task", "event_payload": {}}},
    {"type": "message", "ts": "1.5", "metadata": None},
]


async def looked_up(target: Slack, client: Client, links: KnownLinks | None = None, **content: Any) -> Receipt | None:
    since = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    return await target.look_up(
        Message(DELIVERY, "deal:65", {"text": "x"} | content), since, links or KnownLinks(), client
    )


def test_a_target_looks_up_only_if_it_was_told_that_it_may() -> None:
    assert not bot("https://slack.com").looks_up
    assert bot("https://slack.com", look_up=True).looks_up


async def test_a_message_that_arrived_is_found_by_its_delivery(server: ContractServer, client: Client) -> None:
    server.script(history(*OTHERS, told()))
    receipt = await looked_up(bot(server.url), client)
    assert receipt is not None
    assert (receipt.status, receipt.excerpt, receipt.links) == (None, "found in the channel", ())
    (seen,) = server.seen
    assert seen.target == "/api/conversations.history"
    assert seen.form == {
        "channel": "C0123SALES",
        "oldest": "1795521480.000000",
        "include_all_metadata": "true",
        "limit": "200",
    }, "from two minutes before the delivery was made, should Slack's clock be late"


async def test_a_message_that_did_not_arrive_is_not_found(server: ContractServer, client: Client) -> None:
    server.script(history(*OTHERS))
    assert await looked_up(bot(server.url), client) is None
    server.script(history())
    assert await looked_up(bot(server.url), client) is None


async def test_what_is_posted_can_be_found(server: ContractServer, client: Client) -> None:
    await sent(bot(server.url), client, text="x")
    server.script(history({"type": "message", "ts": TS, "metadata": server.seen[0].json["metadata"]}))
    assert await looked_up(bot(server.url), client)


async def test_one_looks_in_the_channel_that_the_entry_names(server: ContractServer, client: Client) -> None:
    server.script(history(told()))
    assert await looked_up(bot(server.url), client, channel="C9")
    assert server.seen[0].form["channel"] == "C9"


async def test_one_goes_on_from_page_to_page_and_ends_where_it_is_found(server: ContractServer, client: Client) -> None:
    server.script(history(*OTHERS, cursor="two"), history(cursor="three"), history(told(), cursor="four"))
    assert await looked_up(bot(server.url), client)
    assert [seen.form.get("cursor") for seen in server.seen] == [None, "two", "three"]


async def test_a_channel_without_end_is_left_after_some_pages_and_the_outcome_stays_unknown(
    server: ContractServer, client: Client
) -> None:
    server.script(history(*OTHERS, cursor="next"))
    with pytest.raises(UnknownOutcome, match="more was posted since in its channel than can be looked through"):
        await looked_up(bot(server.url), client)
    assert len(server.seen) == 25


async def test_the_last_page_that_is_read_may_be_the_end(server: ContractServer, client: Client) -> None:
    server.script(*(history(*OTHERS, cursor="next") for _ in range(24)), history(*OTHERS))
    assert await looked_up(bot(server.url), client) is None


async def test_a_page_of_long_messages_is_read_whole(server: ContractServer, client: Client) -> None:
    server.script(history(*({**told("1.1", "dlv_x"), "text": "x" * 40_000} for _ in range(50)), told()))
    assert await looked_up(bot(server.url), client)


async def test_the_link_of_a_thread_is_found_again(server: ContractServer, client: Client) -> None:
    server.script(history(told()))
    receipt = await looked_up(bot(server.url), client, thread="deal:65")
    assert receipt is not None
    assert receipt.links == (Link("sales", "deal:65", TS, {"channel": "C0123SALES"}),)


async def test_a_reply_is_looked_for_in_its_thread(server: ContractServer, client: Client) -> None:
    links = KnownLinks(Link("sales", "deal:65", "1.1", {"channel": "C0123SALES"}))
    server.script(history(*OTHERS, told()))
    receipt = await looked_up(bot(server.url), client, links, thread="deal:65")
    assert receipt is not None
    assert receipt.links == (), "the thread has its link"
    (seen,) = server.seen
    assert (seen.target, seen.form["ts"]) == ("/api/conversations.replies", "1.1")


@pytest.mark.parametrize("replies", [history(*OTHERS), says({"ok": False, "error": "thread_not_found"})])
async def test_a_reply_that_had_to_open_a_new_thread_is_found_in_the_channel(
    server: ContractServer, client: Client, replies: Step
) -> None:
    links = KnownLinks(Link("sales", "deal:65", "1.1", {"channel": "C0123SALES"}))
    server.script(replies, history(told()))
    receipt = await looked_up(bot(server.url), client, links, thread="deal:65")
    assert receipt is not None
    assert receipt.links == (Link("sales", "deal:65", TS, {"channel": "C0123SALES"}),)
    assert [seen.target.rpartition("/")[2] for seen in server.seen] == [
        "conversations.replies",
        "conversations.history",
    ]


async def test_without_the_scope_to_read_the_target_is_refused_with_what_to_do(
    server: ContractServer, client: Client
) -> None:
    server.script(says({"ok": False, "error": "missing_scope", "needed": "channels:history", "provided": "chat:write"}))
    with pytest.raises(AccessRefused, match=r"to be looked through: missing_scope \(add the scope channels:history"):
        await looked_up(bot(server.url), client)


async def test_a_channel_that_cannot_be_read_is_its_own_trouble(server: ContractServer, client: Client) -> None:
    server.script(says({"ok": False, "error": "not_in_channel"}))
    with pytest.raises(AccessRefused, match="invite the app"):
        await looked_up(bot(server.url), client)
    with pytest.raises(PermanentFailure, match="invite the app"):
        await looked_up(bot(server.url), client, channel="C9")


@pytest.mark.parametrize(
    "step",
    [
        says({"ok": False, "error": "invalid_cursor"}),
        says({"ok": False, "error": "internal_error"}),
        says({"ok": True, "messages": "none"}),
        says({"ok": True}),
        answer(200, b'{"ok":true,"messages":['),
        answer(200, b"<html>log in to the hotel</html>"),
    ],
)
async def test_what_could_not_be_found_out_stays_unknown(server: ContractServer, client: Client, step: Step) -> None:
    server.script(step)
    with pytest.raises(UnknownOutcome):
        await looked_up(bot(server.url), client)


async def test_who_asks_too_fast_waits(server: ContractServer, client: Client) -> None:
    server.script(answer(429, b"", Retry_After="60"))
    with pytest.raises(TransientFailure) as caught:
        await looked_up(bot(server.url), client)
    assert (caught.value.throttled, caught.value.retry_after) == (True, 60)


# limits


def test_slack_takes_one_message_a_second_and_channel() -> None:
    target = bot("https://slack.com")
    assert target.limits == Limits(4, Rate(1, 1.0))
    assert target.bucket({"text": "x", "channel": "C9"}) == "C9"
    assert {
        target.bucket({"text": "x"}),
        target.bucket({"channel": None}),
        target.bucket({"channel": "C0123SALES"}),
    } == {""}, "the target's own channel is one, however it is named"
    assert webhook("https://slack.com").bucket({"text": "x", "channel": "C9"}) == "", "a webhook has but one"


def test_another_rate_can_be_set() -> None:
    assert bot("https://slack.com", rate="10/m", concurrency=2).limits == Limits(2, Rate(10, 60.0))


def test_no_message_replaces_another() -> None:
    assert not bot("https://slack.com").upserts({"text": "x", "thread": "deal:65"})


# text


def test_data_is_inert() -> None:
    assert escape("<!channel> & <@U1> <b>") == "&lt;!channel&gt; &amp; &lt;@U1&gt; &lt;b&gt;"


@given(st.text())
def test_escaped_data_has_no_mention_no_link_and_reads_as_before(data: str) -> None:
    assert not {"<", ">"} & set(escape(data))
    assert unescape(escape(data)) == data


@given(st.text(alphabet="a&<>;", max_size=60), st.integers(min_value=1, max_value=60))
def test_a_cut_leaves_nothing_half(text: str, limit: int) -> None:
    short = cut(escape(text), limit)
    assert len(short) <= limit
    kept = short.removesuffix("…") if short != escape(text) else short
    assert escape(unescape(kept)) == kept
    assert escape(text).startswith(kept)


def test_a_cut_does_not_leave_half_a_link() -> None:
    assert cut("see <https://example.com|the deal>", 20) == "see …"


async def test_too_long_a_text_is_cut_where_people_see_it(server: ContractServer, client: Client) -> None:
    await sent(bot(server.url), client, text="x" * 50_000)
    assert server.seen[0].json["text"] == "x" * 39_999 + "…"


KNOWN_BLOCKS: list[Any] = [
    section,
    lambda text: {
        "type": "section",
        "fields": [{"type": "mrkdwn", "text": text}, {"type": "plain_text", "text": text}],
    },
    lambda text: {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": True}},
    lambda text: {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]},
    lambda text: {"type": "markdown", "text": text},
    lambda _: {"type": "divider"},
    lambda text: {"type": "image", "image_url": "https://example.com/x.png", "alt_text": text},
    lambda text: {
        "type": "actions",
        "elements": [
            {"type": "button", "text": {"type": "plain_text", "text": text}, "url": "https://x.example", "value": text}
        ],
    },
]
LEAVES = st.one_of(st.text(), st.text(min_size=100).map(lambda text: text * 130), st.integers(), st.none())


@given(st.lists(st.sampled_from(KNOWN_BLOCKS), min_size=1, max_size=5), LEAVES)
def test_any_data_in_blocks_makes_a_message_that_slack_accepts(makers: list[Any], leaf: Json) -> None:
    inert = escape(leaf) if isinstance(leaf, str) else leaf
    action = SlackAction.model_validate({"blocks": [make(inert) for make in makers]})
    told = said(action)
    assert schema_violations("IncomingWebhookSendArguments", told) == []
    assert schema_violations("ChatPostMessageArguments", {"channel": "C1", **told}) == []
    assert "<" not in json.dumps(told)


@given(st.text())
def test_any_data_in_text_makes_a_message_that_slack_accepts(data: str) -> None:
    action = SlackAction(text=f"Negócio <https://crm.example/deals/1|aberto>: {escape(data)}")
    told = said(action)
    assert schema_violations("IncomingWebhookSendArguments", told) == []
    assert str(told["text"]).count("<") == 1


def test_fitting_changes_nothing_that_fits() -> None:
    blocks: list[JsonObject] = [make("texto") for make in KNOWN_BLOCKS]
    assert fitted(blocks) == blocks


def test_blocks_that_say_nothing_still_have_a_notification() -> None:
    assert notification([{"type": "divider"}]) == "—"


def test_a_preview_reads_as_people_do() -> None:
    content: JsonObject = {"text": "A &amp; B", "blocks": [section("&lt;c&gt;")]}
    assert bot("https://slack.com").preview(content) == "A & B\n<c>"


def test_a_preview_begins_with_the_channel_that_its_entry_names() -> None:
    content: JsonObject = {"text": "Perdida", "channel": "C0456TEAM"}
    assert bot("https://slack.com").preview(content) == "in C0456TEAM\nPerdida"
    assert bot("https://slack.com").preview({"text": "Perdida"}) == "Perdida"
    assert webhook("https://slack.com").preview(content) == "Perdida", "a webhook posts to its own channel all the same"


# rules


@pytest.mark.parametrize("content", [{}, {"thread": "deal"}, {"text": " \n"}, {"blocks": []}, {"blocks": [{}] * 51}])
def test_an_entry_that_says_nothing_or_too_much_is_refused(content: JsonObject) -> None:
    with pytest.raises(ValidationError):
        SlackAction.model_validate(content)


def test_a_number_from_a_template_is_text() -> None:
    assert SlackAction.model_validate({"text": 11050.5}).text == "11050.5"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "webhook_url"),
        ({"token": "xoxb-hush", "channel": "C1", "webhook_url": "https://hooks.slack.com/hush"}, "not both"),
        ({"token": "xoxb-hush"}, "channel"),
        ({"webhook_url": "https://hooks.slack.com/hush", "channel": "C1"}, "goes with"),
        ({"webhook_url": "hooks.slack.com/hush"}, "whole address"),
        ({"webhook_url": "https://acme.slack.com/archives/C0123"}, "https://hooks.slack.com/"),
        ({"token": "xapp-hush", "channel": "C1"}, "xoxb-"),
        *(
            ({"token": "xoxb-hush", "channel": channel}, "id of a channel, such as C0123ABCD")
            for channel in ("#vendas", "vendas", "c0123abcd", "https://acme.slack.com/archives/C0123", "C0123 ")
        ),
        ({"webhook_url": "https://[hush/"}, "valid address"),
        ({"token": "xoxb-hush\n", "channel": "C1"}, "one word"),
        ({"token": "Bearer xoxb-hush", "channel": "C1"}, "one word"),
        ({"token": "xoxb-hush", "channel": "C1", "api_url": "slack.com/api"}, "whole address"),
        ({"webhook_url": "https://hooks.slack.com/hush", "look_up": True}, "a webhook cannot read"),
    ],
)
def test_options_that_cannot_work_are_refused_without_telling_secrets(options: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        SlackOptions.model_validate(options)
    assert "hush" not in str(caught.value)


def test_the_web_api_is_slacks_unless_another_is_named() -> None:
    assert SlackOptions(token="xoxb-1", channel="C1").api_url == "https://slack.com/api"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/api/chat.postMessage", b'{"channel": "C1"}', "ChatPostMessageArguments"),
        ("/api/chat.postMessage", b'{"channel": "C1", "text": "x", "colour": 1}', "colour"),
        ("/services/T/B/x", b"not json", "not JSON"),
        ("/api/conversations.history", b"limit=1", "'channel' is a required property"),
        ("/api/conversations.history", b"channel=C1&limit=true", "not of type 'number'"),
        ("/api/conversations.replies", b"channel=C1", "no ts"),
    ],
)
async def test_the_server_of_these_tests_finds_what_breaks_the_contract(
    client: Client, path: str, body: bytes, words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        async with ContractServer() as server:
            await client.call(Request("POST", server.url + path, body=body))


IDENTITY = {
    "ok": True,
    "url": "https://acme.slack.com/",
    "team": "Acme",
    "user": "bridge",
    "team_id": "T1",
    "user_id": "U1",
}
VENDAS = {"ok": True, "channel": {"id": "C0123SALES", "name": "vendas", "is_member": True, "is_archived": False}}
SCOPES = "chat:write,channels:read"


def channel(**fields: object) -> Step:
    return says({"ok": True, "channel": {**VENDAS["channel"], **fields}})  # type: ignore[dict-item] # an object


async def test_a_probe_tells_as_whom_and_where_it_posts(server: ContractServer, client: Client) -> None:
    server.script(says(IDENTITY, X_OAuth_Scopes=SCOPES), says(VENDAS))

    assert await bot(server.url).probe(client) == "posts as bridge of Acme in #vendas"
    assert [seen.target for seen in server.seen] == ["/api/auth.test", "/api/conversations.info"]
    assert server.seen[1].form == {"channel": "C0123SALES"}
    assert server.seen[0].headers["authorization"] == "Bearer xoxb-hush"


async def test_a_probe_tells_what_the_app_may_not_ask(server: ContractServer, client: Client) -> None:
    server.script(says(IDENTITY, X_OAuth_Scopes="chat:write"), says({"ok": False, "error": "missing_scope"}))

    found = await bot(server.url).probe(client)

    assert found == (
        "posts as bridge of Acme; its channel C0123SALES it may not ask about, for want of the scope channels:read"
    )


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ([says({"ok": False, "error": "invalid_auth"})], "Slack refused the app: invalid_auth (the token is wrong"),
        ([says(IDENTITY, X_OAuth_Scopes="channels:read")], "missing_scope (add the scope chat:write"),
        ([says(IDENTITY), says({"ok": False, "error": "channel_not_found"})], "channel_not_found (name the channel"),
        ([says(IDENTITY), channel(is_archived=True)], "is_archived"),
        ([says(IDENTITY, X_OAuth_Scopes=SCOPES), channel(is_member=False)], "not_in_channel (invite the app"),
        (
            [says(IDENTITY, X_OAuth_Scopes=f"{SCOPES},chat:write.public"), channel(is_member=False, is_private=True)],
            "not_in_channel",
        ),
    ],
)
async def test_a_probe_finds_what_would_refuse_a_message(
    server: ContractServer, client: Client, script: list[Step], words: str
) -> None:
    server.script(*script)

    with pytest.raises(AccessRefused) as caught:
        await bot(server.url).probe(client)

    assert words in caught.value.reason
    assert "xoxb-hush" not in str(caught.value)


async def test_an_app_that_may_post_anywhere_need_not_be_in_its_channel(server: ContractServer, client: Client) -> None:
    server.script(says(IDENTITY, X_OAuth_Scopes=f"{SCOPES}, chat:write.public"), channel(is_member=False))

    assert await bot(server.url).probe(client) == "posts as bridge of Acme in #vendas"


async def test_a_probe_that_is_not_answered_by_slack_is_an_unknown_outcome(
    server: ContractServer, client: Client
) -> None:
    server.script(answer(200, b"<html>"))

    with pytest.raises(UnknownOutcome):
        await bot(server.url).probe(client)


async def test_a_webhook_can_be_asked_nothing(server: ContractServer, client: Client) -> None:
    assert await webhook(server.url).probe(client) is None
    assert server.seen == []
