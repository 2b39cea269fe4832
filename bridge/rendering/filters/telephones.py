"""Telephone numbers as people of a region write them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge.rendering.region import Region
from bridge.rendering.value import described, given

_BRAZILIAN = re.compile(r"(\d\d)(\d{4,5})(\d{4})")
_BRAZIL = 55


@dataclass(frozen=True, slots=True)
class Phone:
    """The filter ``phone`` of one region. Its library is loaded when a template that names it is compiled."""

    region: Region

    @staticmethod
    def prepare() -> None:
        """Load the library: it is slow to load, and few templates have telephone numbers."""
        import phonenumbers  # noqa: F401, PLC0415

    def __call__(self, value: object) -> str:
        """Return a telephone number as it is dialled: ``(27) 3212-3456``; one of another country keeps its code."""
        if isinstance(value, bool) or not isinstance(value, str | int):
            return _nothing(value)
        import phonenumbers  # noqa: PLC0415 (it is loaded, see above)

        try:
            number = phonenumbers.parse(str(value), self.region.locale.territory)
        except phonenumbers.NumberParseException:
            return str(value)
        if phonenumbers.is_valid_number(number):
            own = number.country_code == phonenumbers.country_code_for_region(self.region.locale.territory or "")
            style = phonenumbers.PhoneNumberFormat
            return phonenumbers.format_number(number, style.NATIONAL if own else style.INTERNATIONAL)
        # Numbers of ranges that nobody was assigned (yet) are still written like any other.
        digits = _BRAZILIAN.fullmatch(phonenumbers.national_significant_number(number))
        return "({}) {}-{}".format(*digits.groups()) if number.country_code == _BRAZIL and digits else str(value)


def phone_filters(region: Region) -> dict[str, Callable[..., Any]]:
    """Return the filter by its name in templates."""
    return {"phone": Phone(region)}


def _nothing(value: object) -> str:
    if given(value) is not None:
        raise TypeError(f"phone wants a telephone number, not {described(value)}")
    return ""
