"""The slack target: one message, through an incoming webhook or chat.postMessage."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from pydantic import ValidationError
from yarl import URL

from bridge.chart import Chart, lines
from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.http import json_body
from bridge.model import Json, JsonObject, Link, Message, Rate, Receipt
from bridge.targets.slack.api import post, reply_of
from bridge.targets.slack.lookup import find_message, marked
from bridge.targets.slack.options import SlackAction, SlackOptions
from bridge.targets.slack.probe import probed
from bridge.targets.slack.refusals import RefusedError, remedy
from bridge.targets.slack.text import MOST_TEXT, cut, escape, fitted, notification, unescape, written
from bridge.targets.slack.upload import share, upload

Sender: TypeAlias = Callable[[SlackOptions, JsonObject, Http], Awaitable[Answer]]


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
    Slack knows no idempotency key: a message whose outcome is unknown is looked for before it is posted again, if the
    app may read its channel, and else may be posted twice.
    """

    Options = SlackOptions
    Action = SlackAction
    escapes = {"text": escape, "blocks": escape}  # noqa: RUF012 (a ClassVar of the base)
    key_fields = frozenset({"thread"})
    rate = Rate(1, 1.0)
    over_http = True

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Post one message, in its thread if it has one."""
        action = self.action(message)
        if self.options.webhook_url:
            posted = await self._post(_said(action), http)
            return Receipt(posted.answer.status, posted.excerpt)
        key, place = await self._where(action, links)
        if action.chart:
            return await self._show(action, action.chart, place, message.delivery_id, http)
        posted = await self._post({**_said(action), **place, "metadata": marked(message.delivery_id)}, http)
        thread = self._new_thread(key, posted.payload, reply_of(posted.answer))
        return Receipt(posted.answer.status, posted.excerpt, thread)

    @property
    def looks_up(self) -> bool:
        """Tell whether the app may read what was posted."""
        return self.options.look_up

    async def look_up(self, message: Message, since: datetime, links: Links, http: Http) -> Receipt | None:
        """Look for the message in its channel or thread."""
        key, place = await self._where(self.action(message), links)
        try:
            found = await find_message(self.options, place, message.delivery_id, since, http)
        except RefusedError as refusal:
            raise refusal.failure from None
        return Receipt(None, "found in the channel", self._new_thread(key, *found)) if found else None

    async def probe(self, http: Http) -> str | None:
        """Ask whose token it is, and whether it may post in the channel; a webhook can be asked nothing."""
        if self.options.webhook_url:
            return None
        try:
            return await probed(self.options, http)
        except RefusedError as refusal:
            failure = refusal.failure
        raise failure

    def bucket(self, content: JsonObject) -> str:
        """Return the channel, if it is not the target's own: Slack counts messages per channel."""
        channel = content.get("channel")
        return str(channel) if channel and channel != self.options.channel and self.options.token else ""

    def link_key(self, message: Message) -> str | None:
        """Return the key of the thread that a message belongs to."""
        return None if self.options.webhook_url else self._thread_key(self.action(message))

    def accepted(self, request: Request, number: int) -> Answer:
        """Return what Slack says to a message or a chart; when asked for messages, it has none."""
        file = f"F{number:06}"
        replies: dict[str, JsonObject] = {
            "chat.postMessage": {"ok": True, "channel": self.options.channel, "ts": f"1700000000.{number:06}"},
            "files.getUploadURLExternal": {
                "ok": True,
                "upload_url": str(URL(self.options.api_url).with_path(f"/upload/v1/{file}")),
                "file_id": file,
            },
            "files.completeUploadExternal": {"ok": True, "files": [{"id": file}]},
        }
        method = request.url.rpartition("/")[2]
        reply = replies.get(method, {"ok": True, "messages": []})
        return Answer(200, {}, b"ok" if self.options.webhook_url else json_body(reply))

    def preview(self, content: JsonObject) -> str:
        """Return the text, what is written in the blocks, and the figures, below the channel if the entry names one."""
        text, channel = content.get("text"), content.get("channel")
        said = [*([text] if isinstance(text, str) else []), *written(content.get("blocks"))]
        where = [f"in {channel}"] if channel and not self.options.webhook_url else []
        return "\n".join([*where, *([unescape("\n".join(said))] if said else []), *_figures(content.get("chart"))])

    def warnings(self, content: JsonObject) -> tuple[str, ...]:
        """Return a sentence for each thing a webhook cannot do."""
        if not self.options.webhook_url:
            return ()
        cannot = {
            "thread": "a Slack webhook cannot post in threads: give the target a token",
            "chart": "a Slack webhook takes no pictures, and tells the figures in words: give the target a token",
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

    async def _where(self, action: SlackAction, links: Links) -> tuple[str | None, JsonObject]:
        """Return the key of the thread's link, and where to post."""
        key = self._thread_key(action)
        return key, self._place(action, await links.find(key) if key else None)

    def _new_thread(self, key: str | None, payload: JsonObject, message: JsonObject) -> tuple[Link, ...]:
        """Return the link to a message that opened a thread."""
        ts = message.get("ts")
        if key is None or "thread_ts" in payload or not isinstance(ts, str):
            return ()
        return (Link(self.name, key, ts, {"channel": payload["channel"]}),)

    async def _show(
        self, action: SlackAction, chart: Chart, place: JsonObject, delivery_id: str, http: Http
    ) -> Receipt:
        """Upload a chart and share it below the text; Slack does not tell which message that is: it opens no thread."""
        try:
            file = await upload(self.options, chart, delivery_id, http)
        except RefusedError as refusal:
            raise refusal.failure from None
        said: JsonObject = {"initial_comment": cut(action.text, MOST_TEXT)} if action.text else {}
        where = {"channel_id" if name == "channel" else name: value for name, value in place.items()}
        posted = await self._post({**said, **where, "files": [file]}, http, share)
        return Receipt(posted.answer.status, posted.excerpt)

    async def _post(self, payload: JsonObject, http: Http, send: Sender = post) -> _Posted:
        """Post a message, or what Slack accepts in its place; each refusal takes a part away, so this ends."""
        refused: list[str] = []
        while True:
            try:
                return _Posted(await send(self.options, payload, http), payload, tuple(refused))
            except RefusedError as refusal:
                word, failure = refusal.word, refusal.failure
            instead = remedy(word, payload)
            if instead is None:
                raise failure
            refused.append(word)
            payload = instead


def _said(action: SlackAction) -> JsonObject:
    """Return what is said, in words and blocks; there is always text, which notifications show."""
    unfurl: JsonObject = {"unfurl_links": action.unfurl, "unfurl_media": action.unfurl}
    if action.blocks is None:
        return {"text": cut("\n".join([*filter(None, [action.text]), *_in_words(action.chart)]), MOST_TEXT), **unfurl}
    text = notification(action.blocks) if action.text is None else cut(action.text, MOST_TEXT)
    return {"text": text, "blocks": fitted(action.blocks), **unfurl}


def _in_words(chart: Chart | None) -> list[str]:
    """Return the figures of a chart as Slack shows them literally."""
    return [escape(line) for line in lines(chart)] if chart else []


def _figures(chart: Json) -> list[str]:
    """Return what a chart of a rendered action shows; nothing of one that an older version has planned differently."""
    try:
        return lines(Chart.model_validate(chart)) if chart is not None else []
    except ValidationError:
        return []
