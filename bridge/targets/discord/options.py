"""What a discord target and its deliver entries take."""

import re
from typing import Final, NamedTuple, Self

from pydantic import Field, JsonValue, field_validator, model_validator
from yarl import URL

from bridge.component import Action, TargetOptions
from bridge.component.kept_message import not_blank
from bridge.component.written_json import written_objects
from bridge.model import JsonObject
from bridge.options import Secret, is_stand_in
from bridge.options.address import parsed_address

MOST_EMBEDS: Final = 10
PATH: Final = re.compile(r"/api(?:/v\d+)?/webhooks/(?P<id>\d+)/(?P<token>[\w-]+)/?")
THREAD: Final = "thread_id"
"""What the address of a webhook may be asked beside: the thread of its channel that it posts in."""


class Webhook(NamedTuple):
    """Where messages go, in version 10 of the API."""

    address: URL
    id: str


class DiscordOptions(TargetOptions):
    """What a discord target takes: `webhook_url`."""

    webhook_url: Secret
    """The address of a webhook of the channel, `https://discord.com/api/webhooks/…`; whoever has it can post.

    With `?thread_id=…` at its end it posts in that thread of the channel.
    """
    username: str | None = Field(default=None, min_length=1, max_length=80)
    """As whom it posts, in place of the webhook's own name."""

    @field_validator("webhook_url")
    @classmethod
    def _a_webhook(cls, value: Secret) -> Secret:
        _webhook(value.reveal())
        return value

    @property
    def webhook(self) -> Webhook:
        """Return where messages go."""
        return _webhook(self.webhook_url.reveal())

    def made_secrets(self) -> tuple[str, ...]:
        """Return the token alone: what is called is not the address as it was written."""
        return (self.webhook.address.name,)


class DiscordAction(Action):
    """What a deliver entry to a discord target takes: `text`, embeds, or both."""

    text: str | None = None
    """The message in Discord's Markdown; `template:` fills it."""
    embeds: list[dict[str, JsonValue]] | None = Field(default=None, min_length=1, max_length=MOST_EMBEDS)
    """Embeds: titles, texts and fields beside a coloured line."""
    embeds_json: str | None = None
    """The same, written as JSON; `template:` fills it from a file whose name ends in `.json.j2`."""
    update: str | None = None
    """The key of the message to keep up to date: it is posted once, and what comes later takes its place."""

    _said = field_validator("text")(not_blank)

    @field_validator("embeds_json")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            written_objects(value, "embeds", MOST_EMBEDS)
        return value

    @model_validator(mode="after")
    def _something_said(self) -> Self:
        if self.embeds is not None and self.embeds_json is not None:
            raise ValueError('takes one of "embeds" and "embeds_json"')
        if self.text is None and not self.shown:
            raise ValueError('needs "text", "template" or "embeds"')
        return self

    @property
    def shown(self) -> list[JsonObject]:
        """Return the embeds, however they are written."""
        if self.embeds_json is not None:
            return written_objects(self.embeds_json, "embeds", MOST_EMBEDS)
        return self.embeds or []


def _webhook(address: str) -> Webhook:
    url = parsed_address(address) if not is_stand_in(address) else URL(f"{address}/api/webhooks/0/0")
    found = PATH.fullmatch(url.path)
    if not found or url.query.keys() - {THREAD}:
        raise ValueError(
            "must be the address of a webhook, such as https://discord.com/api/webhooks/1234/abcd: "
            "it is made in the settings of the channel, under Integrations"
        )
    whole = url.with_path(f"/api/v10/webhooks/{found['id']}/{found['token']}", keep_query=True)
    return Webhook(whole, found["id"])
