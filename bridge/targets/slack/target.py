"""The slack target: one message, through an incoming webhook or the Web API."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from bridge.chart import Chart
from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.written_json import within_json
from bridge.errors import PermanentFailure
from bridge.model import JsonObject, Link, Message, Rate, Receipt
from bridge.targets.slack.api import post, react, reply_of
from bridge.targets.slack.lookup import find_message, marked
from bridge.targets.slack.options import SlackAction, SlackOptions
from bridge.targets.slack.people import Mentions, People, named
from bridge.targets.slack.played import played
from bridge.targets.slack.probe import probed
from bridge.targets.slack.refusals import NO_REACTION, NO_THREAD, RefusedError, remedy
from bridge.targets.slack.saying import comment, said, seen
from bridge.targets.slack.text import escape, escape_markdown
from bridge.targets.slack.upload import share, upload

Sender: TypeAlias = Callable[[SlackOptions, JsonObject, Http], Awaitable[Answer]]
FILLED: Final = {".json.j2": "blocks_json", ".markdown.j2": "markdown"}
"""Which key a template fills, by how its file's name ends; else it is ``text``."""
WEBHOOK_CANNOT: Final = {
    "thread": "a Slack webhook cannot post in threads: give the target a token",
    "mention": "a Slack webhook cannot look people up, and calls them by name: give the target a token",
    "chart": "a Slack webhook takes no pictures, and tells the figures in words: give the target a token",
    "channel": "a Slack webhook posts to the one channel it was made for: give the target a token",
}
WEBHOOK_NEVER: Final = {
    "update": "a Slack webhook cannot change what it posted: give the target a token",
    "react": "a Slack webhook cannot add an emoji to a message: give the target a token",
}


@dataclass(frozen=True, slots=True)
class _Posted:
    """A message that Slack accepted, as it was at last, with what was not as wished on the way there."""

    answer: Answer
    payload: JsonObject
    notes: tuple[str, ...]

    def receipt(self, *links: Link) -> Receipt:
        return Receipt(self.answer.status, "; ".join((*self.notes, self.answer.excerpt)), links)


class Slack(Target[SlackOptions, SlackAction]):
    """Posts messages to Slack.

    The first message of a key leaves a link with its ``ts``: later ones reply to it, take its place, or add an emoji.
    Slack knows no idempotency key: a message whose outcome is unknown is looked for before it is posted again, if the
    app may read its channel, and else may be posted twice.
    """

    Options = SlackOptions
    Action = SlackAction
    escapes = {  # noqa: RUF012 (a ClassVar of the base)
        "text": escape,
        "blocks": escape,
        "blocks_json": within_json(escape),
        "markdown": escape_markdown,
    }
    key_fields = frozenset({"thread", "update"})
    rate = Rate(1, 1.0)
    over_http = True

    def __init__(self, name: str, options: SlackOptions) -> None:
        """Prepare to post; nobody is looked up yet."""
        super().__init__(name, options)
        self._people = People(options)

    @classmethod
    def filled_by(cls, file: str) -> str:
        """Return what a template fills: blocks, Markdown, or else the text."""
        return next((field for ending, field in FILLED.items() if file.lower().endswith(ending)), cls.main_field)

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Post one message in its thread, if it has one, or in the place of an earlier one; or react to that."""
        action = self.action(message)
        if self.options.webhook_url:
            if action.react is not None:  # planned when the target still had a token
                raise PermanentFailure(WEBHOOK_NEVER["react"])
            return (await self._post(said(action, named(action.people)), http)).receipt()
        key = self._key(action)
        first = self._here(action, await links.find(key) if key else None)
        if action.react is not None:
            return await self._react(action.react, action, first, http)
        mentions = await self._people.mentions(action.people, http)
        place = self._place(action, first)
        if action.chart:
            return await self._show(action, action.chart, mentions, place, message.delivery_id, http)
        payload = {**said(action, mentions.text), **place, "metadata": marked(message.delivery_id)}
        posted = await self._post(payload, http, notes=mentions.notes)
        return posted.receipt(*self._first(key, posted.payload, reply_of(posted.answer)))

    @property
    def looks_up(self) -> bool:
        """Tell whether the app may read what was posted."""
        return self.options.look_up

    async def look_up(self, message: Message, since: datetime, links: Links, http: Http) -> Receipt | None:
        """Look for the message in its channel or thread; an emoji, or what was changed, can be sent again."""
        action = self.action(message)
        if action.react is not None:
            return None
        key = self._key(action)
        first = self._here(action, await links.find(key) if key else None)
        # What was to be changed may have been posted anew, and then is the key's message from now on.
        place = self._place(action, first if action.update is None else None)
        try:
            found = await find_message(self.options, place, message.delivery_id, since, http)
        except RefusedError as refusal:
            raise refusal.failure from None
        return Receipt(None, "found in the channel", self._first(key, *found)) if found else None

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

    def upserts(self, content: JsonObject) -> bool:
        """Tell whether a message takes the place of the one before it."""
        return content.get("update") is not None and self.options.token is not None

    def link_key(self, message: Message) -> str | None:
        """Return the key of the message that this one belongs to."""
        return None if self.options.webhook_url else self._key(self.action(message))

    def accepted(self, request: Request, number: int) -> Answer:
        """Return what Slack answers."""
        return played(self.options, request, number)

    def preview(self, content: JsonObject) -> str:
        """Return what is said, below the channel if the entry names one."""
        channel = content.get("channel")
        where = [f"in {channel}"] if channel and not self.options.webhook_url else []
        return "\n".join([*where, *filter(None, [seen(content)])])

    def warnings(self, content: JsonObject) -> tuple[str, ...]:
        """Return a sentence for each thing a webhook cannot do."""
        if not self.options.webhook_url:
            return ()
        return tuple(sentence for name, sentence in WEBHOOK_CANNOT.items() if name in content)

    def objections(self, content: JsonObject) -> tuple[str, ...]:
        """Return a sentence for what an entry asks of a webhook in vain."""
        if not self.options.webhook_url:
            return ()
        return tuple(sentence for name, sentence in WEBHOOK_NEVER.items() if name in content)

    def _key(self, action: SlackAction) -> str | None:
        """Return the key of the link; a key in another channel than the target's is another key."""
        if action.key is None or action.channel in {None, self.options.channel}:
            return action.key
        return f"{action.key} in {action.channel}"

    def _here(self, action: SlackAction, first: Link | None) -> Link | None:
        """Return the first message of a key; one that is in another channel, before a change of options, is over."""
        channel = action.channel or self.options.channel
        return first if first and first.data.get("channel", channel) == channel else None

    def _place(self, action: SlackAction, first: Link | None) -> JsonObject:
        """Return where to post, or what to change."""
        channel: JsonObject = {"channel": action.channel or self.options.channel}
        if first is None:
            return channel
        return {**channel, "thread_ts" if action.update is None else "ts": first.external_id}

    def _first(self, key: str | None, payload: JsonObject, message: JsonObject) -> tuple[Link, ...]:
        """Return the link to a message that is the first of its key."""
        ts = message.get("ts")
        if key is None or not {"thread_ts", "ts"}.isdisjoint(payload) or not isinstance(ts, str):
            return ()
        return (Link(self.name, key, ts, {"channel": payload["channel"]}),)

    async def _react(self, emoji: str, action: SlackAction, first: Link | None, http: Http) -> Receipt:
        """Add an emoji to the first message of a key; where that is gone, there is nothing to be done."""
        if first is None:
            return Receipt(None, "there is no message to react to")
        channel = action.channel or self.options.channel
        try:
            answer = await react(
                self.options, {"channel": channel, "timestamp": first.external_id, "name": emoji}, http
            )
        except RefusedError as refusal:
            word, failure = refusal.word, refusal.failure
        else:
            return Receipt(answer.status, answer.excerpt)
        if word in NO_REACTION | NO_THREAD:
            return Receipt(failure.status, f"nothing to do: {word}")
        raise failure

    async def _show(
        self, action: SlackAction, chart: Chart, mentions: Mentions, place: JsonObject, delivery_id: str, http: Http
    ) -> Receipt:
        """Upload a chart and share it below the text; Slack does not tell which message that is: it opens no thread."""
        try:
            file = await upload(self.options, chart, delivery_id, http)
        except RefusedError as refusal:
            raise refusal.failure from None
        where = {"channel_id" if name == "channel" else name: value for name, value in place.items()}
        payload: JsonObject = {**comment(action, mentions.text), **where, "files": [file]}
        return (await self._post(payload, http, share, mentions.notes)).receipt()

    async def _post(self, payload: JsonObject, http: Http, send: Sender = post, notes: tuple[str, ...] = ()) -> _Posted:
        """Post a message, or what Slack accepts in its place; each refusal takes a part away, so this ends."""
        while True:
            try:
                return _Posted(await send(self.options, payload, http), payload, notes)
            except RefusedError as refusal:
                word, failure = refusal.word, refusal.failure
            instead = remedy(word, payload)
            if instead is None:
                raise failure
            notes, payload = (*notes, f"posted differently after {word}"), instead
