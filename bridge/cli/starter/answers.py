"""What was answered, and the reading of an answer: each refuses what the rules would refuse, in the reader's words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import available_timezones

from bridge.cli.starter.words import Words
from bridge.options.suggestion import nearest
from bridge.rdstation import TRIGGERS
from bridge.rendering.region import parse_currency, parse_locale, parse_timezone
from bridge.targets.http.address import check_address
from bridge.targets.slack.options import CHANNEL

OFFERED = (
    *("deal.lost", "deal.won", "deal.stage_changed", "deal.created", "deal.reopened", "deal.owner_changed"),
    *("task.created", "task.rescheduled", "task.completed", "contact.created"),
)
"""The moments that are listed when it asks; every other trigger is taken as well."""
USUAL = ("deal.lost", "deal.won", "deal.stage_changed")
TIMEZONE, CURRENCY = "America/Sao_Paulo", "BRL"
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""A value that the environment gives, all of it."""
_PLAIN = r"[0-9]{1,12}(?:[.,][0-9]{1,2})?"
_GROUPED = {
    "pt": r"[0-9]{1,3}(?:\.[0-9]{3}){1,3}(?:,[0-9]{1,2})?",
    "en": r"[0-9]{1,3}(?:,[0-9]{3}){1,3}(?:\.[0-9]{1,2})?",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """All that the files depend on. ``place`` is a Slack channel or an address, where the target needs one."""

    words: Words
    source: str
    target: str
    place: str
    moments: tuple[str, ...]
    minimum: str
    locale: str
    timezone: str
    currency: str

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables that the rules refer to, with what each is."""
        told = self.words.variables
        fixed = {"slack": ("SLACK_BOT_TOKEN", "token"), "slack-webhook": ("SLACK_WEBHOOK_URL", "webhook")}
        name, what = fixed.get(self.target, ("", ""))
        named = {name: told[what]} if name else {}
        reference = REFERENCE.fullmatch(self.place)
        return named | ({reference[1]: told["url" if self.target == "http" else "channel"]} if reference else {})


def read_number(words: Words, text: str, choices: Sequence[str]) -> str:
    """Return the choice with a number, from 1, or with that very name."""
    if text in choices:
        return text
    if text.isascii() and text.isdecimal() and 0 < int(text) <= len(choices):
        return choices[int(text) - 1]
    raise ValueError(words.no_choice.format(len(choices), text))


def read_moments(words: Words, texts: Sequence[str], offered: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the triggers that were named, each once; those that are offered also by their numbers, or all at once."""
    typed = [each for text in texts for each in re.split(r"[\s,;]+", text) if each]
    if offered and [each.lower() for each in typed] == [words.every]:
        return tuple(offered)
    if not typed:
        raise ValueError(words.no_moments)
    return tuple(dict.fromkeys(_moment(words, each, offered) for each in typed))


def _moment(words: Words, text: str, offered: Sequence[str]) -> str:
    if offered and text.isascii() and text.isdecimal():
        return read_number(words, text, offered)
    if text in TRIGGERS:
        return text
    near = nearest(text, TRIGGERS)
    raise ValueError(words.no_moment.format(text) + (words.near.format(near) if near else ""))


def read_amount(words: Words, text: str) -> str:
    """Return an amount as YAML writes it, or nothing for 0; thousands are grouped as the language groups them."""
    typed = text.replace(" ", "").removeprefix("R$").removeprefix("$")
    if re.fullmatch(_GROUPED[words.labels], typed):
        typed = typed.replace("." if words.labels == "pt" else ",", "")
    elif not re.fullmatch(_PLAIN, typed):
        raise ValueError(words.no_amount.format(text))
    amount = Decimal(typed.replace(",", "."))
    return str(int(amount) if amount == int(amount) else amount) if amount else ""


def read_channel(words: Words, text: str) -> str:
    """Return a channel's id, or a reference to a variable; a token here would be a secret in the file."""
    if text.startswith("xox"):
        raise ValueError(words.not_here)
    if not (CHANNEL.fullmatch(text) or REFERENCE.fullmatch(text)):
        raise ValueError(words.no_channel)
    return text


def read_url(words: Words, text: str) -> str:
    """Return a whole address, or a reference to a variable."""
    if REFERENCE.fullmatch(text):
        return text
    try:
        check_address(text)
    except ValueError:
        raise ValueError(words.no_url) from None
    if not text.isprintable():
        raise ValueError(words.no_url)
    return text


def read_timezone(words: Words, text: str) -> str:
    """Return a timezone that there is."""
    try:
        parse_timezone(text)
    except ValueError:
        near = nearest(text, available_timezones()) or TIMEZONE
        raise ValueError(words.no_timezone.format(text) + words.near.format(near)) from None
    return text


def read_currency(words: Words, text: str) -> str:
    """Return a currency that there is, by its code."""
    try:
        return parse_currency(text.upper())
    except ValueError:
        raise ValueError(words.no_currency.format(text)) from None


def read_locale(words: Words, text: str) -> str:
    """Return a locale that there is."""
    try:
        parse_locale(text)
    except ValueError:
        raise ValueError(words.no_locale.format(text)) from None
    return text
