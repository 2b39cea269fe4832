"""Numbers are written as Babel writes them, which takes longer and says the same."""

from decimal import Decimal, InvalidOperation

import pytest
from babel import Locale, numbers

from bridge.rendering.filters.figures import of_money, of_numbers, typeable

LOCALES = ("pt_BR", "pt_PT", "en_US", "en_IN", "es_MX", "de_CH", "fr_FR", "ar_EG", "bn_BD", "tok", "en_US_POSIX")
"""Between them, every grouping and every place for the sign of a currency that there is."""
AMOUNTS = [
    *map(
        Decimal, ("0", "-0", "1", "12", "123", "1234", "-123456.5", "1234567.891", "99999999999.995", "1E+5", "1E+20")
    ),
    *map(Decimal, ("0.005", "0.015", "-0.001", "-5.005", "999.9995", "1E-9")),
]
MINUTE = Decimal("123456789012345678901234.123456789")


@pytest.mark.parametrize("name", LOCALES)
@pytest.mark.parametrize("currency", ["BRL", "USD", "JPY", "KWD"])
def test_money_of_every_kind_of_locale(name: str, currency: str) -> None:
    locale = Locale.parse(name)
    pattern = locale.currency_formats["standard"]
    expected = [typeable(pattern.apply(amount, locale, currency=currency)) for amount in AMOUNTS]
    assert [of_money(locale, currency).write(amount) for amount in AMOUNTS] == expected


@pytest.mark.parametrize("name", LOCALES)
@pytest.mark.parametrize(("places", "pattern"), [(None, None), (0, "#,##0"), (1, "#,##0.0"), (3, "#,##0.000")])
def test_numbers_of_every_kind_of_locale(name: str, places: int | None, pattern: str | None) -> None:
    locale = Locale.parse(name)
    expected = [typeable(numbers.format_decimal(amount, format=pattern, locale=locale)) for amount in AMOUNTS]
    assert [of_numbers(locale, places).write(amount) for amount in AMOUNTS] == expected


def test_a_number_of_more_digits_than_are_reckoned_with_fails() -> None:
    with pytest.raises(InvalidOperation):
        of_numbers(Locale.parse("pt_BR"), 12).write(MINUTE)
