"""Where the users of a rules file live: the locale, the timezone and the currency that values are written in."""

from dataclasses import dataclass
from typing import Self
from unicodedata import normalize
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError
from babel.localedata import locale_identifiers
from babel.numbers import is_currency, list_currencies

from bridge.options.suggestion import did_you_mean

_REGIONS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


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
        hint = did_you_mean(name, known) or "write it like pt-BR or en"
        raise UnknownRegionError("locale", f'there is no locale "{name}"', hint) from None


def parse_timezone(name: str) -> ZoneInfo:
    """Return the timezone of a name such as ``America/Sao_Paulo``; raises UnknownRegionError."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        hint = did_you_mean(name, available_timezones()) if "/" in name else _place_hint(name)
        raise UnknownRegionError("timezone", f'there is no timezone "{name}"', hint) from None


def _place_hint(name: str) -> str:
    """Return the hint for a name without a region: that of a city, or how one is written; offsets change sign there."""
    cities = {_plain(zone.rpartition("/")[2]): zone for zone in available_timezones() if zone.startswith(_REGIONS)}
    zone = cities.get(_plain(name))
    return f'did you mean "{zone}"?' if zone else "write a region and a city, such as America/Sao_Paulo"


def _plain(name: str) -> str:
    """Return a name as those who look for it may write it, too: in small letters without accents."""
    return normalize("NFKD", name.replace(" ", "_")).encode("ascii", "ignore").decode().lower()


def parse_currency(code: str) -> str:
    """Return the code of a currency such as ``BRL``; raises UnknownRegionError."""
    if not is_currency(code):
        hint = did_you_mean(code, list_currencies()) or "write its code, such as BRL"
        raise UnknownRegionError("currency", f'there is no currency "{code}"', hint)
    return code
