"""What a whatsapp target and its deliver entries take."""

import re
from typing import Annotated, Final, Self

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from bridge.component import Action, TargetOptions
from bridge.component.kept_message import not_blank
from bridge.options import Secret, is_stand_in
from bridge.options.address import Address

MOST_PARAMETERS: Final = 30
NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:_[A-Z]{2})?")


def _digits(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _an_id(value: str) -> str:
    if not (value.isascii() and value.isdecimal()) and not is_stand_in(value):
        raise ValueError("must be the id of the phone number, which has digits alone, and not the number itself")
    return value


def _a_country(value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError('must be a country in two capital letters, such as "BR"')
    return value


def _a_language(value: str) -> str:
    if not LANGUAGE.fullmatch(value):
        raise ValueError('must be the code of a language, such as "pt_BR" or "en"')
    return value


class WhatsappOptions(TargetOptions):
    """What a whatsapp target takes: `token` and `phone_number_id`."""

    token: Secret
    """The token of a system user, with the permission `whatsapp_business_messaging`."""
    phone_number_id: Annotated[str, BeforeValidator(_digits), AfterValidator(_an_id)]
    """The id of the phone number that sends; it stands beside the number in the app."""
    country: Annotated[str, AfterValidator(_a_country)] = "BR"
    """The country of telephone numbers that are written without a code."""
    language: Annotated[str, AfterValidator(_a_language)] = "pt_BR"
    """The language of templates, for entries that do not say."""
    api_url: Address = "https://graph.facebook.com/v23.0"
    """The address of the Graph API, with its version."""

    @field_validator("token")
    @classmethod
    def _one_word(cls, value: Secret) -> Secret:
        if not value.reveal().isascii() or not value.reveal().isprintable() or " " in value.reveal():
            raise ValueError("must be one word, without spaces or line breaks")
        return value


class WhatsappAction(Action):
    """What a deliver entry to a whatsapp target takes: `recipient`, and `template_name`, `text` or both."""

    recipient: str
    """The telephone number of who gets the message, written in any way: `"{{ contact.phones[0].phone }}"`."""
    template_name: str | None = None
    """The name of a template that Meta has approved."""
    language: str | None = None
    """The language of the template; by default the target's."""
    header: str | None = None
    """The value in the template's header, if that has one."""
    parameters: list[str | None] | None = Field(default=None, max_length=MOST_PARAMETERS)
    """The values in the template's text, in the order of their numbers."""
    text: str | None = None
    """A free text, which WhatsApp takes for 24 hours after the recipient's last message; `template:` fills it.

    With `template_name` beside it, the template goes out where that time is over.
    """
    unfurl: bool = False
    """Whether WhatsApp shows a preview of the first link in `text`."""

    _said = field_validator("text")(not_blank)

    @field_validator("template_name")
    @classmethod
    def _a_name(cls, value: str | None) -> str | None:
        if value is not None and not NAME.fullmatch(value):
            raise ValueError("must be the name of a template, which has small letters, digits and _ alone")
        return value

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str | None) -> str | None:
        return value if value is None else _a_language(value)

    @field_validator("recipient")
    @classmethod
    def _somebody(cls, value: str) -> str:
        if not any(character.isdigit() for character in value):
            raise ValueError("has no telephone number")
        return value

    @model_validator(mode="after")
    def _something_said(self) -> Self:
        if self.template_name is None and self.text is None:
            raise ValueError('needs "template_name", "text" or "template"')
        if self.template_name is None and (self.parameters or self.header or self.language):
            raise ValueError('"parameters", "header" and "language" go with "template_name"')
        return self
