"""What a teams target and its deliver entries take."""

from typing import Final, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from bridge.component import Action, TargetOptions
from bridge.component.kept_message import not_blank
from bridge.component.written_json import written_json
from bridge.model import JsonObject
from bridge.options import Secret
from bridge.options.address import parsed_address

RETIRED: Final = ("webhook.office.com", "outlook.office.com", "outlook.office365.com")
"""Where the connectors of Office 365 were, which Microsoft switched off in May 2026."""


class TeamsOptions(TargetOptions):
    """What a teams target takes: `workflow_url`."""

    workflow_url: Secret
    """The address of a workflow that posts to the channel or chat; whoever has it can post."""

    @field_validator("workflow_url")
    @classmethod
    def _a_workflow(cls, value: Secret) -> Secret:
        host = parsed_address(value.reveal()).host or ""
        if any(host == name or host.endswith(f".{name}") for name in RETIRED):
            raise ValueError("is of an Office 365 connector, which Microsoft has switched off: make a workflow")
        return value


class TeamsAction(Action):
    """What a deliver entry to a teams target takes: `text`, with a title, facts and buttons, or a card of your own."""

    text: str | None = None
    """The message, in the Markdown that cards know; `template:` fills it."""
    title: str | None = None
    """A line in bold above the text."""
    facts: dict[str, JsonValue] | None = None
    """Figures below the text, each behind its name; empty ones are left out."""
    buttons: dict[str, str | None] | None = Field(default=None, max_length=6)
    """Buttons that open an address, each by what stands on it; those without an address are left out."""
    card: dict[str, JsonValue] | None = None
    """An Adaptive Card of your own, in place of all else."""
    card_json: str | None = None
    """The same, written as JSON; `template:` fills it from a file whose name ends in `.json.j2`."""

    _said = field_validator("text")(not_blank)

    @field_validator("card_json")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            _card_of(value)
        return value

    @model_validator(mode="after")
    def _something_said(self) -> Self:
        simple = [name for name in ("text", "title", "facts", "buttons") if getattr(self, name) is not None]
        own = [name for name in ("card", "card_json") if getattr(self, name) is not None]
        if len(own) > 1 or (own and simple):
            raise ValueError(f'"{own[0]}" is all of the message: leave "{[*own[1:], *simple][0]}" out')
        if self.text is None and self.title is None and not own:
            raise ValueError('needs "text", "template", "title" or "card"')
        return self

    @property
    def own(self) -> JsonObject | None:
        """Return the card of one's own, however it is written."""
        return self.card if self.card_json is None else _card_of(self.card_json)


def _card_of(text: str) -> JsonObject:
    value = written_json(text)
    if not isinstance(value, dict):
        raise ValueError("must be an object: an Adaptive Card")  # noqa: TRY004 (pydantic takes these alone)
    return value
