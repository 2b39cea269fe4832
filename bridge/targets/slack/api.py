"""Slack over HTTP: one request, its reply, and the word with which it was refused."""

import re
from datetime import UTC, datetime
from typing import Final

import orjson

from bridge.component import Answer, Http, Request
from bridge.component.http import json_body, retry_after
from bridge.errors import AccessRefused, PermanentFailure, UnknownOutcome
from bridge.model import JsonObject
from bridge.targets.slack.options import SlackOptions
from bridge.targets.slack.refusals import RefusedError, sorted_refusal

JSON: Final = "application/json; charset=utf-8"
WORD: Final = re.compile(r"[a-z][a-z_]*")
"""How Slack spells a refusal."""
ACCEPTED_START: Final = re.compile(rb'\{"ok":true,"channel":"\w+","ts":"(?P<ts>[\d.]+)",')
"""How Slack's reply to an accepted message begins; it goes on with the whole message, however long."""


async def call(options: SlackOptions, method: str, payload: JsonObject, http: Http) -> Answer:
    """Make one request, to a method of the Web API or to the webhook.

    Raises:
        RefusedError: Slack said why it did not do it.
        DeliveryFailure: as ``Http.deliver``.
    """
    own = payload.get("channel") in {None, options.channel}
    try:
        answer = await http.deliver(_request(options, method, payload))
    except (PermanentFailure, AccessRefused) as failure:
        if word := _word(failure.excerpt):
            told = Answer(failure.status or 0, {}, failure.excerpt.encode())
            refused = isinstance(failure, AccessRefused)
            raise RefusedError(word, sorted_refusal(word, told, own_channel=own, refused=refused)) from None
        raise
    return answer if options.webhook_url else _accepted(answer, own_channel=own)


def reply_of(answer: Answer) -> JsonObject:
    """Return the Web API's reply; of one that is too long to be read whole, what it begins with."""
    try:
        reply = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        found = ACCEPTED_START.match(answer.body)
        return {"ok": True, "ts": found["ts"].decode()} if found else {}
    return reply if isinstance(reply, dict) else {}


def _request(options: SlackOptions, method: str, payload: JsonObject) -> Request:
    headers = {"Content-Type": JSON}
    url = options.webhook_url.reveal() if options.webhook_url else f"{options.api_url}/{method}"
    if options.token:
        headers["Authorization"] = f"Bearer {options.token.reveal()}"
    return Request("POST", url, headers, json_body(payload), timeout=options.timeout)


def _accepted(answer: Answer, *, own_channel: bool) -> Answer:
    """Return the Web API's answer if it did as asked: it says so in the body, whatever the status."""
    reply = reply_of(answer)
    if reply.get("ok") is True:
        return answer
    word = reply.get("error")
    if reply.get("ok") is not False or not isinstance(word, str):
        raise UnknownOutcome("the answer is not one of Slack's", status=answer.status, excerpt=answer.excerpt)
    wait = retry_after(answer.headers, datetime.now(UTC))
    raise RefusedError(word, sorted_refusal(word, answer, own_channel=own_channel, retry_after=wait))


def _word(excerpt: str) -> str | None:
    """Return the word of a refusal that came with its own status: bare from webhooks, in JSON from the Web API."""
    reply = reply_of(Answer(0, {}, excerpt.encode()))
    word = str(reply.get("error", excerpt)).strip()
    return word if WORD.fullmatch(word) else None
