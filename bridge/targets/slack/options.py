"""What a slack target and its deliver entries take."""

from typing import Self

from pydantic import Field, JsonValue, field_validator, model_validator

from bridge.chart import Chart
from bridge.component import Action, TargetOptions
from bridge.options import Secret
from bridge.options.address import Address, parsed_address
from bridge.targets.slack.text import MOST_BLOCKS


class SlackOptions(TargetOptions):
    """What a slack target takes: `token` with `channel`, or `webhook_url`."""

    token: Secret | None = None
    """The bot token of a Slack app (`xoxb-…`) with the scope `chat:write`, and `files:write` for charts."""
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

    @field_validator("webhook_url")
    @classmethod
    def _whole_address(cls, value: Secret | None) -> Secret | None:
        if value:
            parsed_address(value.reveal())
        return value

    @field_validator("token")
    @classmethod
    def _one_word(cls, value: Secret | None) -> Secret | None:
        if value and not (value.reveal().isascii() and value.reveal().isprintable() and " " not in value.reveal()):
            raise ValueError("must be one word, such as xoxb-…, without spaces or line breaks")
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
    """What a deliver entry to a slack target takes: `text`, `blocks`, or both, or a `chart` with or without `text`."""

    text: str | None = None
    """The message in Slack's mrkdwn; beside `blocks` it is what notifications show. `template:` fills it."""
    blocks: list[dict[str, JsonValue]] | None = Field(default=None, min_length=1, max_length=MOST_BLOCKS)
    """Block Kit blocks."""
    chart: Chart | None = None
    """A picture of figures, uploaded below `text`; goes with `token`."""
    thread: str | None = None
    """The key of the thread to post in: a template, or the bare name of an entity kind such as `deal`."""
    channel: str | None = None
    """The id of another channel than the target's."""
    unfurl: bool = False
    """Whether Slack shows previews of links and media."""

    @field_validator("text")
    @classmethod
    def _not_blank(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("is empty, and Slack refuses a message without text")
        return value

    @model_validator(mode="after")
    def _something_said(self) -> Self:
        if self.text is None and self.blocks is None and self.chart is None:
            raise ValueError('needs "text", "template", "blocks" or "chart"')
        if self.blocks is not None and self.chart is not None:
            raise ValueError('"chart" goes with "text": Slack shows no "blocks" beside a picture')
        return self
