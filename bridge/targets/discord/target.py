"""The discord target: one message, posted through a webhook, or put in the place of an earlier one."""

from typing import Final

from pydantic import ValidationError

from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.http import json_body
from bridge.component.kept_message import KeptMessage
from bridge.component.markdown import cut, escape, unescape
from bridge.component.written_json import within_json
from bridge.model import JsonObject, Message, Rate, Receipt
from bridge.targets.discord.api import NO_EMBEDS, UNKNOWN_MESSAGE, Api, RefusedError, reply_of
from bridge.targets.discord.embeds import MOST_TEXT, fitted, written
from bridge.targets.discord.options import DiscordAction, DiscordOptions

NOBODY: Final[JsonObject] = {"parse": []}
"""Whom a message may ping: whatever stands in it, nobody."""


class Discord(Target[DiscordOptions, DiscordAction]):
    """Posts messages to a channel of Discord.

    With ``update`` the first message of a key leaves a link with its id, and later ones take its place. Discord's
    webhooks know no idempotency key and cannot read the channel: a message whose answer was lost may come twice.
    """

    Options = DiscordOptions
    Action = DiscordAction
    escapes = {"text": escape, "embeds": escape, "embeds_json": within_json(escape)}  # noqa: RUF012 (a ClassVar)
    key_fields = frozenset({"update"})
    rate = Rate(30, 60.0, burst=5)
    """What a webhook is known to take; its answers tell how much is left at any moment."""
    over_http = True

    def __init__(self, name: str, options: DiscordOptions) -> None:
        """Prepare to post; nothing is asked yet."""
        super().__init__(name, options)
        self._api = Api(options)

    @classmethod
    def filled_by(cls, file: str) -> str:
        """Return what a template fills: embeds as JSON, or else the text."""
        return "embeds_json" if file.lower().endswith(".json.j2") else cls.main_field

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Post one message, or put it in the place of its key's."""
        action = self.action(message)
        kept = await KeptMessage(self.name, action.update, self._place).found(links)
        said = _said(action)
        try:
            return await self._settled(kept, said, http)
        except RefusedError as refusal:
            code, failure = refusal.code, refusal.failure
        if code in NO_EMBEDS and said["embeds"]:
            return await self._without_embeds(kept, action, code, http)
        raise failure

    def upserts(self, content: JsonObject) -> bool:
        """Tell whether a message takes the place of the one before it."""
        return content.get("update") is not None

    def link_key(self, message: Message) -> str | None:
        """Return the key whose message is changed."""
        return self.action(message).update

    async def probe(self, http: Http) -> str:
        """Ask what the webhook is called, and where it posts."""
        try:
            told = await self._api.about(http)
        except RefusedError as refusal:
            failure = refusal.failure
        else:
            return f'posts as "{self.options.username or told.get("name")}" to the channel {told.get("channel_id")}'
        raise failure

    def accepted(self, request: Request, number: int) -> Answer:
        """Return a message as Discord keeps it."""
        return Answer(200, {}, json_body({"id": f"{number}", "channel_id": "1"}))

    def preview(self, content: JsonObject) -> str:
        """Return the text and what is written in the embeds, as a person reads them."""
        try:
            action = DiscordAction.model_validate(content)
        except ValidationError:  # planned by an older version
            return super().preview(content)
        text = [unescape(action.text)] if action.text else []
        return "\n".join([*text, *written(action.shown)])

    @property
    def _place(self) -> JsonObject:
        """Return where messages are: a webhook changes its own alone."""
        webhook = self.options.webhook
        return {"webhook": webhook.id, **webhook.address.query}

    async def _settled(self, kept: KeptMessage, said: JsonObject, http: Http) -> Receipt:
        """Put a message in the place of the one before it; where that is gone, post it anew."""
        if kept.id is not None:
            try:
                answer = await self._api.edit(kept.id, said, http)
            except RefusedError as refusal:
                if refusal.code != UNKNOWN_MESSAGE:
                    raise
            else:
                return Receipt(answer.status, answer.excerpt)
        name: JsonObject = {"username": self.options.username} if self.options.username else {}
        answer = await self._api.post({**said, **name}, http)
        return Receipt(answer.status, answer.excerpt, kept.links(str(reply_of(answer)["id"])))

    async def _without_embeds(self, kept: KeptMessage, action: DiscordAction, code: int, http: Http) -> Receipt:
        """Say in words what Discord does not take as embeds."""
        words = "\n".join([*([action.text] if action.text else []), *map(escape, written(action.shown))])
        try:
            receipt = await self._settled(kept, {**_said(action), "content": cut(words, MOST_TEXT), "embeds": []}, http)
        except RefusedError as refusal:
            failure = refusal.failure
        else:
            return Receipt(receipt.status, f"posted without embeds after {code}; {receipt.excerpt}", receipt.links)
        raise failure


def _said(action: DiscordAction) -> JsonObject:
    """Return what is said; what a message had before and has no longer is taken away."""
    return {
        "content": cut(action.text or "", MOST_TEXT),
        "embeds": fitted(action.shown) if action.shown else [],
        "allowed_mentions": NOBODY,
    }
