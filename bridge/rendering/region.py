"""Where the users of a rules file live: the locale, the timezone and the currency that values are written in."""

from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError
from babel.localedata import locale_identifiers
from babel.numbers import is_currency, list_currencies

from bridge.options.suggestion import did_you_mean


class UnknownRegionError(ValueError):
    """A locale, timezone or currency that nobody knows; ``setting`` says which of the three."""

    def __init__(self, setting: str, message: str, hint: str = "") -> None:
        """Keep the setting beside the words."""
        super().__init__(message + (f"; {hint}" if hint else ""))
        self.setting = setting
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Region:
    """A locale, a timezone and a currency, all known to exist."""

    locale: Locale
    timezone: ZoneInfo
    currency: str

    @classmethod
    def of(cls, locale: str, timezone: str, currency: str) -> Self:
        """Return the region that three settings name.

        Raises:
            UnknownRegionError: one of them names nothing.
        """
        return cls(parse_locale(locale), parse_timezone(timezone), parse_currency(currency))


def parse_locale(name: str) -> Locale:
    """Return the locale of a tag such as ``pt-BR``; raises UnknownRegionError."""
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        known = [tag.replace("_", "-") for tag in locale_identifiers()]
        raise UnknownRegionError("locale", f'there is no locale "{name}"', did_you_mean(name, known)) from None


def parse_timezone(name: str) -> ZoneInfo:
    """Return the timezone of a name such as ``America/Sao_Paulo``; raises UnknownRegionError."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        hint = did_you_mean(name, available_timezones())
        raise UnknownRegionError("timezone", f'there is no timezone "{name}"', hint) from None


def parse_currency(code: str) -> str:
    """Return the code of a currency such as ``BRL``; raises UnknownRegionError."""
    if not is_currency(code):
        hint = did_you_mean(code, list_currencies())
        raise UnknownRegionError("currency", f'there is no currency "{code}"', hint)
    return code
