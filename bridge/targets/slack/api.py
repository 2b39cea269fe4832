"""Slack over HTTP: one request, its reply, and the word with which it was refused."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

import orjson

from bridge.component import Answer, Http, Request
from bridge.component.http import json_body, retry_after
from bridge.errors import AccessRefused, PermanentFailure, UnknownOutcome
from bridge.model import JsonObject
from bridge.targets.slack.options import SlackOptions
from bridge.targets.slack.refusals import RefusedError, Wish, sorted_refusal

JSON: Final = "application/json; charset=utf-8"
FORM: Final = "application/x-www-form-urlencoded"
PREVIEWS: Final = frozenset({"unfurl_links", "unfurl_media"})
"""What only a new message is asked."""
ROOM: Final = 8 * 2**20
"""Bytes for a page of messages: 40 000 characters are the most that one may have, and few have."""
WORD: Final = re.compile(r"[a-z][a-z_]*")
"""How Slack spells a refusal."""
ACCEPTED_START: Final = re.compile(rb'\{"ok":true,"channel":"\w+","ts":"(?P<ts>[\d.]+)",')
"""How Slack's reply to an accepted message begins; it goes on with the whole message, however long."""


async def post(options: SlackOptions, payload: JsonObject, http: Http) -> Answer:
    """Post a message, or change the one at ``ts``, through the Web API; or post one to the webhook.

    Raises:
        RefusedError: Slack said why it did not do it.
        DeliveryFailure: as ``Http.deliver``.
    """
    wish = Wish(own_channel=payload.get("channel") in {None, options.channel})
    request = request_of(options, *_method(payload))
    answer = await answered(request, wish, http)
    return answer if options.webhook_url else accepted(answer, wish)


async def react(options: SlackOptions, payload: JsonObject, http: Http) -> Answer:
    """Add an emoji to a message. Raises as ``post`` does."""
    wish = Wish(own_channel=payload["channel"] == options.channel, reacting=True)
    request = request_of(options, "reactions.add", JSON, json_body(payload))
    return accepted(await answered(request, wish, http), wish)


async def ask(options: SlackOptions, method: str, asked: Mapping[str, str], http: Http) -> JsonObject:
    """Return the reply to a question about a channel.

    Raises:
        RefusedError: Slack does not tell.
        DeliveryFailure: as ``Http.deliver``.
    """
    wish = Wish(own_channel=asked["channel"] == options.channel, reading=True)
    return reply_of(await asked_as(wish, options, method, asked, http))


async def asked_as(wish: Wish, options: SlackOptions, method: str, asked: Mapping[str, str], http: Http) -> Answer:
    """Return the answer to a question, which is asked as a form: every method takes one. Raises as ``ask`` does."""
    request = replace(request_of(options, method, FORM, urlencode(asked).encode()), most=ROOM)
    return accepted(await answered(request, wish, http), wish)


def reply_of(answer: Answer) -> JsonObject:
    """Return the Web API's reply; of one that is too long to be read whole, what it begins with."""
    try:
        reply = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        found = ACCEPTED_START.match(answer.body)
        return {"ok": True, "ts": found["ts"].decode()} if found else {}
    return reply if isinstance(reply, dict) else {}


def request_of(options: SlackOptions, method: str, kind: str, body: bytes) -> Request:
    """Return a request of a method of the Web API, or to the webhook."""
    headers = {"Content-Type": kind}
    url = options.webhook_url.reveal() if options.webhook_url else f"{options.api_url}/{method}"
    if options.token:
        headers["Authorization"] = f"Bearer {options.token.reveal()}"
    return Request("POST", url, headers, body, timeout=options.timeout)


async def answered(request: Request, wish: Wish, http: Http) -> Answer:
    """Return the answer, unless it is a refusal that has a status of its own.

    Raises:
        RefusedError: it is one of Slack's.
        DeliveryFailure: as ``Http.deliver``.
    """
    try:
        return await http.deliver(request)
    except (PermanentFailure, AccessRefused) as failure:
        if word := _word(failure.excerpt):
            told = Answer(failure.status or 0, {}, failure.excerpt.encode())
            raise RefusedError(word, sorted_refusal(word, told, wish)) from None
        raise


def accepted(answer: Answer, wish: Wish) -> Answer:
    """Return the Web API's answer if it did as asked: it says so in the body, whatever the status.

    Raises:
        RefusedError: it did not.
        UnknownOutcome: it is no answer of Slack's.
    """
    reply = reply_of(answer)
    if reply.get("ok") is True:
        return answer
    word = reply.get("error")
    if reply.get("ok") is not False or not isinstance(word, str):
        raise UnknownOutcome("the answer is not one of Slack's", status=answer.status, excerpt=answer.excerpt)
    raise RefusedError(word, sorted_refusal(word, answer, wish, retry_after(answer.headers, datetime.now(UTC))))


def _method(payload: JsonObject) -> tuple[str, str, bytes]:
    """Return the method that takes a message, and what it is sent.

    chat.update keeps blocks that it is not told of, and by itself reads more into a text than chat.postMessage does.
    """
    if "ts" not in payload:
        return "chat.postMessage", JSON, json_body(payload)
    told = {name: value for name, value in payload.items() if name not in PREVIEWS}
    return "chat.update", JSON, json_body({"blocks": [], "parse": "none", **told})


def _word(excerpt: str) -> str | None:
    """Return the word of a refusal that came with its own status: bare from webhooks, in JSON from the Web API."""
    reply = reply_of(Answer(0, {}, excerpt.encode()))
    word = str(reply.get("error", excerpt)).strip()
    return word if WORD.fullmatch(word) else None
