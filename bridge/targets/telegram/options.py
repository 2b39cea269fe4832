"""What a telegram target and its deliver entries take."""

import re
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from bridge.component import Action, TargetOptions
from bridge.component.kept_message import not_blank
from bridge.options import Secret, is_stand_in
from bridge.options.address import Address

TOKEN: Final = re.compile(r"\d+:[\w-]+")
ID: Final = re.compile("-?[0-9]{1,20}")
NAME: Final = re.compile("@[A-Za-z0-9_]+")
LINK: Final = re.compile("(?:https?://)?(?:t|telegram)[.]me/([A-Za-z0-9_]+)/?")
"""The address that a public channel or group has in browsers."""


def _a_chat(value: str) -> str:
    if found := LINK.fullmatch(value):
        raise ValueError(f'must be the id or the name of a chat, and not its address: write "@{found[1]}"')
    if not (ID.fullmatch(value) or NAME.fullmatch(value) or is_stand_in(value)):
        raise ValueError('must be the id of a chat, such as "-1001234567890", or the @name of a public channel')
    return value


def _digits(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Chat: TypeAlias = Annotated[str, BeforeValidator(_digits), AfterValidator(_a_chat)]
"""The id of a chat, or the name of a public one."""


class TelegramOptions(TargetOptions):
    """What a telegram target takes: `token` and `chat`."""

    token: Secret
    """The token of a bot, from @BotFather."""
    chat: Chat
    """Where messages go that name no other: the id of a chat, group or channel, or the `@name` of a public one."""
    topic: int | None = Field(default=None, gt=0)
    """The id of a topic of the group, for messages to `chat`."""
    api_url: Address = "https://api.telegram.org"
    """The address of the Bot API."""

    @field_validator("token")
    @classmethod
    def _as_given(cls, value: Secret) -> Secret:
        if not (TOKEN.fullmatch(value.reveal()) or is_stand_in(value.reveal())):
            raise ValueError("must be a token as @BotFather gives it, such as 123456:ABC-DEF")
        return value


class TelegramAction(Action):
    """What a deliver entry to a telegram target takes: `text`."""

    text: str
    """The message, in the HTML that Telegram knows: `<b>`, `<i>`, `<a href="…">`; `template:` fills it."""
    update: str | None = None
    """The key of the message to keep up to date: it is sent once, and what comes later takes its place."""
    chat: Chat | None = None
    """Another chat than the target's."""
    silent: bool = False
    """Whether it comes without a sound."""
    unfurl: bool = False
    """Whether Telegram shows a preview of the first link."""

    _said = field_validator("text")(not_blank)
