"""Numbers and dates in letters, and what to write in their place."""

import pytest

from bridge.model import Json
from bridge.routing.spoken import USUAL, bound_hint, plain_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5000", "5000"),
        ("1.000", "1000"),
        ("R$ 1.000,00", "1000"),
        ("r$1.234.567,50", "1234567.50"),
        ("BRL 12,5", "12.5"),
        ("-3,14", "-3.14"),
        ("1.00", None),
        ("12.5", None),
        ("mil", None),
        ("", None),
    ],
)
def test_a_number_as_brazilians_write_it_is_told_as_rules_have_it(text: str, number: str | None) -> None:
    assert plain_number(text) == number
    assert bound_hint(text) == (f"write {number}, without quotes" if number else USUAL)


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("31/12/2026", 'write "2026-12-31"'),
        (" 1.2.2026 ", 'write "2026-02-01"'),
        ("31-02-2026", USUAL),
        ("12/31/2026", USUAL),
        (None, USUAL),
        ([1], USUAL),
    ],
)
def test_a_date_as_brazilians_write_it_is_told_as_rules_have_it(wanted: Json, hint: str) -> None:
    assert bound_hint(wanted) == hint
