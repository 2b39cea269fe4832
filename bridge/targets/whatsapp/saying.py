"""What is said to WhatsApp, and to which number.

https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates: a value in a template may have no
line break, no tab, and no more than four blanks in a row; the whole text has 1024 characters at most.
"""

from typing import Final

import phonenumbers

from bridge.component.lengths import cut
from bridge.errors import PermanentFailure
from bridge.model import JsonObject
from bridge.targets.whatsapp.options import WhatsappAction, WhatsappOptions

MOST_TEXT: Final = 4096
MOST_VALUES: Final = 900
"""Of the 1024 characters of a template's text, what values may have together; ours, for the rest is the template's."""
MOST_HEADER: Final = 60
EMPTY: Final = "—"
"""Stands in for a value that came out empty: WhatsApp refuses a template with one."""


def number(written: str, country: str) -> str:
    """Return a telephone number as WhatsApp takes it: digits alone, with the code of its country.

    Raises:
        PermanentFailure: it is none.
    """
    try:
        parsed = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        raise PermanentFailure("the recipient has no telephone number that could be right")
    return f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"


def templated(action: WhatsappAction, options: WhatsappOptions) -> JsonObject:
    """Return an approved template with its values."""
    components: list[JsonObject] = []
    if action.header:
        components.append({"type": "header", "parameters": [_value(action.header, MOST_HEADER)]})
    if action.parameters:
        most = MOST_VALUES // len(action.parameters)
        components.append({"type": "body", "parameters": [_value(each, most) for each in action.parameters]})
    language: JsonObject = {"policy": "deterministic", "code": action.language or options.language}
    template: JsonObject = {"name": action.template_name, "language": language}
    return {"type": "template", "template": {**template, **({"components": [*components]} if components else {})}}


def free(action: WhatsappAction) -> JsonObject:
    """Return a free text."""
    return {"type": "text", "text": {"body": cut(action.text or "", MOST_TEXT), "preview_url": action.unfurl}}


def _value(text: str | None, most: int) -> JsonObject:
    return {"type": "text", "text": cut(" ".join((text or "").split()), most) or EMPTY}
