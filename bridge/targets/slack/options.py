"""What a slack target and its deliver entries take."""

import re
from typing import Final, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from bridge.chart import Chart
from bridge.component import Action, TargetOptions
from bridge.component.written_json import written_objects
from bridge.model import JsonObject
from bridge.options import Secret, is_stand_in
from bridge.options.address import Address, parsed_address
from bridge.targets.slack.text import MOST_BLOCKS

EMOJI: Final = re.compile(r"[\w+'-]+(?:::skin-tone-[2-6])?")
"""The name of an emoji; those of a workspace may have letters of any script."""
CHANNEL: Final = re.compile(r"[CDGUW][0-9A-Z]+")
"""The id of a channel, a group, a direct message or a person; by a name Slack finds none to thread or update in."""
WEBHOOKS: Final = "hooks."


def _a_channel(value: str | None) -> str | None:
    if value and not (CHANNEL.fullmatch(value) or is_stand_in(value)):
        raise ValueError(
            "must be the id of a channel, such as C0123ABCD, and not its name or address: "
            "click the channel's name in Slack, the id stands at the end of About"
        )
    return value


class SlackOptions(TargetOptions):
    """What a slack target takes: `token` with `channel`, or `webhook_url`."""

    token: Secret | None = None
    """The bot token of a Slack app (`xoxb-…`) with the scope `chat:write`.

    Charts need `files:write` too, `react` needs `reactions:write`, `mention` needs `users:read` and `users:read.email`.
    """
    channel: str | None = None
    """The id of the channel (`C0123ABCD`) for messages that do not name one; goes with `token`."""
    webhook_url: Secret | None = None
    """The address of an incoming webhook: it posts to its one channel, and can neither thread nor update."""
    look_up: bool = False
    """Whether to look a message up in its channel before it is posted again, where the answer to it was lost.

    The app then needs the scope `channels:history` (in private channels `groups:history`).
    """
    api_url: Address = "https://slack.com/api"
    """The Web API's address; GovSlack's is https://slack-gov.com/api."""

    _to_a_channel = field_validator("channel")(_a_channel)

    @field_validator("webhook_url")
    @classmethod
    def _whole_address(cls, value: Secret | None) -> Secret | None:
        host = parsed_address(value.reveal()).host or "" if value else ""
        if host.endswith((".slack.com", ".slack-gov.com")) and not host.startswith(WEBHOOKS):
            raise ValueError("is the address of no webhook: one begins with https://hooks.slack.com/")
        return value

    @field_validator("token")
    @classmethod
    def _one_word(cls, value: Secret | None) -> Secret | None:
        if value and not (value.reveal().isascii() and value.reveal().isprintable() and " " not in value.reveal()):
            raise ValueError("must be one word, such as xoxb-…, without spaces or line breaks")
        if value and value.reveal().startswith("xapp-"):
            raise ValueError("must be a bot token (xoxb-…): one that begins with xapp- cannot post")
        return value

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.token is None) == (self.webhook_url is None):
            raise ValueError('needs "token" with "channel", or "webhook_url", and not both')
        if self.token and not self.channel:
            raise ValueError('"token" needs "channel", the id of the channel to post to')
        if self.webhook_url and self.look_up:
            raise ValueError('"look_up" goes with "token": a webhook cannot read')
        if self.webhook_url and self.channel:
            raise ValueError('"channel" goes with "token": a webhook posts to the one channel it was made for')
        return self


class SlackAction(Action):
    """What a deliver entry to a slack target takes: what is said, or an emoji to `react` with."""

    text: str | None = None
    """The message in Slack's mrkdwn; beside `blocks` it is what notifications show. `template:` fills it."""
    blocks: list[dict[str, JsonValue]] | None = Field(default=None, min_length=1, max_length=MOST_BLOCKS)
    """Block Kit blocks."""
    blocks_json: str | None = None
    """Block Kit blocks, written as JSON; `template:` fills it from a file whose name ends in `.json.j2`."""
    markdown: str | None = None
    """The message in standard Markdown; `template:` fills it from a file whose name ends in `.markdown.j2`."""
    chart: Chart | None = None
    """A picture of figures, uploaded below `text`; goes with `token`."""
    thread: str | None = None
    """The key of the thread to post in: a template, or the bare name of an entity kind such as `deal`."""
    update: str | None = None
    """The key of the message to keep up to date: it is posted once, and what comes later takes its place."""
    react: str | None = None
    """An emoji, such as `tada`, for the first message of the `thread`; goes with nothing that is said."""
    mention: str | list[str | None] | None = None
    """Who is mentioned, one or a list, such as `"{{ deal.user.email }}"`: before the message, or at its `<mention>`."""
    channel: str | None = None
    """The id of another channel than the target's."""
    unfurl: bool = False
    """Whether Slack shows previews of links and media."""

    _to_a_channel = field_validator("channel")(_a_channel)

    @field_validator("text", "markdown")
    @classmethod
    def _not_blank(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("is empty, and Slack refuses a message without text")
        return value

    @field_validator("blocks_json")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            written_objects(value, "blocks", MOST_BLOCKS)
        return value

    @field_validator("react")
    @classmethod
    def _an_emoji(cls, value: str | None) -> str | None:
        name = value and value.strip().strip(":")
        if name is not None and not EMOJI.fullmatch(name):
            raise ValueError("must be the name of an emoji, such as tada")
        return name

    @model_validator(mode="after")
    def _something_said(self) -> Self:
        shapes = [name for name in ("blocks", "blocks_json", "markdown") if getattr(self, name) is not None]
        if len(shapes) > 1:
            raise ValueError(f'takes one of "{shapes[0]}" and "{shapes[1]}"')
        said = [*shapes, *(name for name in ("text", "chart") if getattr(self, name) is not None)]
        if self.react is not None:
            self._only_reacts(said)
        elif not said:
            raise ValueError('needs "text", "template", "markdown", "blocks", "chart" or "react"')
        if shapes and self.chart is not None:
            raise ValueError(f'"chart" goes with "text": Slack shows no "{shapes[0]}" beside a picture')
        if self.people and len(self.shown or ()) >= MOST_BLOCKS:
            raise ValueError(f'"mention" takes a block of its own, and {MOST_BLOCKS} are the most')
        return self._kept_up_to_date()

    def _only_reacts(self, said: list[str]) -> None:
        if said or self.mention or self.update is not None:
            raise ValueError('"react" goes alone: write another entry for what is said')
        if self.thread is None:
            raise ValueError('"react" needs "thread", whose first message gets the emoji')

    def _kept_up_to_date(self) -> Self:
        if self.update is not None and self.thread is not None:
            raise ValueError('takes one of "thread", which replies, and "update", which replaces')
        if self.update is not None and self.chart is not None:
            raise ValueError('"chart" is a new message each time: leave "update" out')
        return self

    @property
    def key(self) -> str | None:
        """Return the key whose first message is replied to, replaced, or reacted to."""
        return self.update if self.thread is None else self.thread

    @property
    def people(self) -> list[str]:
        """Return who is mentioned, as they are written."""
        written = [self.mention] if isinstance(self.mention, str) else self.mention or []
        return [each for each in written if each and each.strip()]

    @property
    def shown(self) -> list[JsonObject] | None:
        """Return the blocks, however they are written."""
        if self.markdown is not None:
            return [{"type": "markdown", "text": self.markdown}]
        if self.blocks_json is not None:
            return written_objects(self.blocks_json, "blocks", MOST_BLOCKS)
        return self.blocks
