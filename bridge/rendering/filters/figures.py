"""How a region writes numbers.

Babel knows it, and would look it up anew for every number: each kind of number asks once here.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import (
    NumberPattern,
    get_currency_precision,
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
    parse_pattern,
)

KINDS = 512
"""Kinds of numbers that are remembered: more than there are currencies."""

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})


def typeable(text: str) -> str:
    """Return a text of Babel's with plain spaces: nobody can type U+00A0 or U+202F into the search of a channel."""
    return text.translate(_SPACES)


@dataclass(frozen=True, slots=True)
class Figures:
    """How one kind of number is written; what comes in two is for a number and for one below zero."""

    before: tuple[str, str]
    after: tuple[str, str]
    group: str
    grouping: tuple[int, int]
    """Digits of the last group, and of those before it."""
    point: str
    fewest: int
    """Decimal places that are shown even where they are zeros."""
    quantum: Decimal
    """What is rounded to."""

    def write(self, amount: Decimal) -> str:
        """Return a finite number as text."""
        below = amount.is_signed()
        whole, _, rest = f"{abs(amount).quantize(self.quantum):f}".partition(".")
        decimals = rest.rstrip("0").ljust(self.fewest, "0")
        point = self.point if decimals else ""
        return f"{self.before[below]}{self._grouped(whole)}{point}{decimals}{self.after[below]}"

    def _grouped(self, digits: str) -> str:
        size, size_before = self.grouping
        groups = digits[-size:]
        rest = digits[:-size]
        while rest:
            groups = f"{rest[-size_before:]}{self.group}{groups}"
            rest = rest[:-size_before]
        return groups


@lru_cache(KINDS)
def of_money(locale: Locale, currency: str) -> Figures:
    """Return how amounts of a currency are written."""
    places = get_currency_precision(currency)
    sign = get_currency_symbol(currency, locale)
    return _figures(locale, locale.currency_formats["standard"], (places, places), sign)


@lru_cache(KINDS, typed=True)
def of_numbers(locale: Locale, places: int | None) -> Figures:
    """Return how numbers are written: with so many decimals, or with as many as the region usually shows."""
    if places is None:
        pattern = parse_pattern(locale.decimal_formats[None])
    else:
        pattern = parse_pattern("#,##0" + ("." + "0" * places if places else ""))
    return _figures(locale, pattern, pattern.frac_prec)


@lru_cache(KINDS, typed=True)
def of_percent(locale: Locale, places: int) -> Figures:
    """Return how hundredths are written: with so many decimals at most."""
    return _figures(locale, locale.percent_formats[None], (0, places))


def _figures(locale: Locale, pattern: NumberPattern, places: tuple[int, int], sign: str = "") -> Figures:
    before, before_less, after, after_less = (
        typeable(text.replace("¤", sign)) for text in (*pattern.prefix, *pattern.suffix)
    )
    return Figures(
        before=(before, before_less),
        after=(after, after_less),
        group=typeable(get_group_symbol(locale)),
        grouping=pattern.grouping,
        point=typeable(get_decimal_symbol(locale)),
        fewest=places[0],
        quantum=Decimal(1).scaleb(-places[1]),
    )
