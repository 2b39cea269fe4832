"""The slack target: one message, through an incoming webhook or chat.postMessage."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.http import json_body, retry_after
from bridge.errors import PermanentFailure, UnknownOutcome
from bridge.model import JsonObject, Link, Message, Receipt
from bridge.targets.slack.options import SlackAction, SlackOptions
from bridge.targets.slack.refusals import RefusedError, remedy, sorted_refusal
from bridge.targets.slack.text import MOST_TEXT, cut, escape, fitted, lines, notification, unescape

JSON: Final = "application/json; charset=utf-8"
WORD: Final = re.compile(r"[a-z][a-z_]*")
"""How Slack spells a refusal."""
ACCEPTED_START: Final = re.compile(rb'\{"ok":true,"channel":"\w+","ts":"(?P<ts>[\d.]+)",')
"""How Slack's reply to an accepted message begins; it goes on with the whole message, however long."""


@dataclass(frozen=True, slots=True)
class _Posted:
    """A message that Slack accepted, as it was at last, with the refusals on the way there."""

    answer: Answer
    payload: JsonObject
    refused: tuple[str, ...]

    @property
    def excerpt(self) -> str:
        notes = (f"posted differently after {word}" for word in self.refused)
        return "; ".join((*notes, self.answer.excerpt))


class Slack(Target[SlackOptions, SlackAction]):
    """Posts messages to Slack.

    A thread is known by its key: the first message of a key leaves a link with its ``ts``, later ones reply to it.
    Slack knows no idempotency key, so a message whose outcome is unknown may be posted twice.
    """

    Options = SlackOptions
    Action = SlackAction
    escapes = {"text": escape, "blocks": escape}  # noqa: RUF012 (a ClassVar of the base)
    key_fields = frozenset({"thread"})

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Post one message, in its thread if it has one."""
        action = self.action(message)
        if self.options.webhook_url:
            posted = await self._post(_said(action), http)
            return Receipt(posted.answer.status, posted.excerpt)
        key = self._thread_key(action)
        posted = await self._post(_said(action) | self._place(action, await links.find(key) if key else None), http)
        return Receipt(posted.answer.status, posted.excerpt, self._new_thread(posted, key))

    def preview(self, content: JsonObject) -> str:
        """Return the text and what is written in the blocks, below the channel if the entry names one."""
        text, channel = content.get("text"), content.get("channel")
        written = [*([text] if isinstance(text, str) else []), *lines(content.get("blocks"))]
        where = [f"in {channel}"] if channel and not self.options.webhook_url else []
        return "\n".join([*where, unescape("\n".join(written))])

    def warnings(self, content: JsonObject) -> tuple[str, ...]:
        """Return a sentence for each thing a webhook cannot do."""
        if not self.options.webhook_url:
            return ()
        cannot = {
            "thread": "a Slack webhook cannot post in threads: give the target a token",
            "channel": "a Slack webhook posts to the one channel it was made for: give the target a token",
        }
        return tuple(sentence for name, sentence in cannot.items() if name in content)

    def _thread_key(self, action: SlackAction) -> str | None:
        """Return the key of the thread's link; a thread in another channel than the target's is another thread."""
        if action.thread is None or action.channel in {None, self.options.channel}:
            return action.thread
        return f"{action.thread} in {action.channel}"

    def _place(self, action: SlackAction, thread: Link | None) -> JsonObject:
        """Return where to post; a thread that was opened in another channel, before a change of options, is over."""
        channel = action.channel or self.options.channel
        if thread is None or thread.data.get("channel", channel) != channel:
            return {"channel": channel}
        return {"channel": channel, "thread_ts": thread.external_id}

    def _new_thread(self, posted: _Posted, key: str | None) -> tuple[Link, ...]:
        """Return the link to a message that opened a thread."""
        ts = _reply(posted.answer).get("ts")
        if key is None or "thread_ts" in posted.payload or not isinstance(ts, str):
            return ()
        return (Link(self.name, key, ts, {"channel": posted.payload["channel"]}),)

    async def _post(self, payload: JsonObject, http: Http) -> _Posted:
        """Post a message, or what Slack accepts in its place; each refusal takes a part away, so this ends."""
        refused: list[str] = []
        while True:
            try:
                return _Posted(await self._call(payload, http), payload, tuple(refused))
            except RefusedError as refusal:
                word, failure = refusal.word, refusal.failure
            instead = remedy(word, payload)
            if instead is None:
                raise failure
            refused.append(word)
            payload = instead

    async def _call(self, payload: JsonObject, http: Http) -> Answer:
        """Make one request; raises RefusedError where Slack said why it did not post."""
        try:
            answer = await http.deliver(self._request(payload))
        except PermanentFailure as failure:
            if word := _word(failure.excerpt):
                raise RefusedError(word, sorted_refusal(word, failure.excerpt, failure.status)) from None
            raise
        return answer if self.options.webhook_url else _accepted(answer)

    def _request(self, payload: JsonObject) -> Request:
        headers = {"Content-Type": JSON}
        url = f"{self.options.api_url}/chat.postMessage"
        if self.options.webhook_url:
            url = self.options.webhook_url.reveal()
        if self.options.token:
            headers["Authorization"] = f"Bearer {self.options.token.reveal()}"
        return Request("POST", url, headers, json_body(payload), timeout=self.options.timeout)


def _said(action: SlackAction) -> JsonObject:
    """Return what is said, in words and blocks; there is always text, which notifications show."""
    unfurl: JsonObject = {"unfurl_links": action.unfurl, "unfurl_media": action.unfurl}
    if action.blocks is None:
        return {"text": cut(action.text or "", MOST_TEXT), **unfurl}
    text = notification(action.blocks) if action.text is None else cut(action.text, MOST_TEXT)
    return {"text": text, "blocks": fitted(action.blocks), **unfurl}


def _accepted(answer: Answer) -> Answer:
    """Return the Web API's answer if the message was posted: it says so in the body, whatever the status."""
    reply = _reply(answer)
    if reply.get("ok") is True:
        return answer
    word = reply.get("error")
    if reply.get("ok") is not False or not isinstance(word, str):
        raise UnknownOutcome("the answer is not one of Slack's", status=answer.status, excerpt=answer.excerpt)
    wait = retry_after(answer.headers, datetime.now(UTC))
    raise RefusedError(word, sorted_refusal(word, answer.excerpt, answer.status, wait))


def _reply(answer: Answer) -> JsonObject:
    """Return the Web API's reply; of one that is too long to be read whole, what it begins with."""
    try:
        reply = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        found = ACCEPTED_START.match(answer.body)
        return {"ok": True, "ts": found["ts"].decode()} if found else {}
    return reply if isinstance(reply, dict) else {}


def _word(excerpt: str) -> str | None:
    """Return the word of a refusal that came with its own status: bare from webhooks, in JSON from the Web API."""
    reply = _reply(Answer(0, {}, excerpt.encode()))
    word = str(reply.get("error", excerpt)).strip()
    return word if WORD.fullmatch(word) else None
