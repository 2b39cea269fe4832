from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from bridge.rendering import Rendering, TemplateFailedError
from tests.rendering.conftest import Render
from tests.support.changes import NOW

OF_A_REGION = ("money", "number", "percent", "date", "datetime", "ago", "phone")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 11050.5 | money }}", "R$ 11.050,50"),
        ("{{ 0 | money }}", "R$ 0,00"),
        ("{{ -5.005 | money }}", "-R$ 5,00"),
        ("{{ '1500.5' | money }}", "R$ 1.500,50"),
        ("{{ 10 | money('USD') }}", "US$ 10,00"),
        ("{{ 1234567.891 | number }}", "1.234.567,891"),
        ("{{ 3 | number(2) }}", "3,00"),
        ("{{ 1234.5 | number(0) }}", "1.234"),
        ("{{ 0.1234 | percent }}", "12%"),
        ("{{ 0.1234 | percent(1) }} {{ 0.5 | percent(1) }}", "12,3% 50%"),
        ("{{ -12.5 | percent }}", "-1.250%"),
        ("{{ none | percent }}", ""),
        ("{{ 'muito' | percent }}", "muito"),
        ("{{ 150 | growth(100) }} {{ 50 | growth(100) }} {{ 100 | growth(100) }}", "+50% -50% 0%"),
        ("{{ -50 | growth(-100) }} {{ 1 | growth(3, 1) }}", "+50% -66,7%"),
        ("{{ 5 | growth(0) }}{{ 5 | growth(none) }}{{ none | growth(5) }}", ""),
        ("{{ '2025-03-28' | date }}", "28/03/2025"),
        ("{{ '2025-03-28T09:50:00.000-03:00' | date }}", "28/03/2025"),
        ("{{ '2025-03-29T01:00:00.000Z' | date }}", "28/03/2025"),
        ("{{ '2025-03-28' | date('long') }}", "28 de março de 2025"),
        ("{{ '2025-03-28' | date('dd/MM') }}", "28/03"),
        ("{{ '0000-02-29' | date }}", "29/02"),
        ("{{ '0000-12-05' | date('long') }}", "5 de dezembro"),
        ("{{ '0000-12-05' | date('MMMM') }}", "dezembro"),
        ("{{ '0000-13-45' | date }}", "0000-13-45"),
        ("{{ '2025-03-28T09:50:00.000-03:00' | datetime }}", "28/03/2025 09:50"),
        ("{{ '2025-03-28T12:50:00Z' | datetime }}", "28/03/2025 09:50"),
        ("{{ '2025-03-28T09:50:00' | datetime }}", "28/03/2025 09:50"),
        ("{{ '2025-03-28' | datetime }}", "28/03/2025"),
        ("{{ '2025-03-28T12:50:00Z' | datetime('HH:mm') }}", "09:50"),
        ("{{ now | datetime }}", "24/11/2026 09:00"),
        ("{{ (now + days(30)) | date }}", "24/12/2026"),
        ("{{ (now - days(3)) | ago }}", "há 3 dias"),
        ("{{ (now + hours(2)) | ago }}", "em 2 horas"),
        ("{{ now | ago }}", "agora"),
        ("{{ '2026-11-24' | ago }}", "24/11/2026"),
        ("{{ '2026-11-20' | ago }}", "há 4 dias"),
        ("{{ '+552712341234' | phone }}", "(27) 1234-1234"),
        ("{{ '+5511912345678' | phone }}", "(11) 91234-5678"),
        ("{{ '27 3212-3456' | phone }}", "(27) 3212-3456"),
        ("{{ 2732123456 | phone }}", "(27) 3212-3456"),
        ("{{ '+1 415 555 2671' | phone }}", "+1 415-555-2671"),
        ("{{ '0800 123 4567' | phone }}", "0800 123 4567"),
        ("{{ 'ramal 12' | phone }}", "ramal 12"),
        ("{{ '12' | phone }}", "12"),
    ],
)
def test_values_are_written_as_brazilians_write_them(render: Render, source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize("name", ["date", "datetime", "ago"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-11:00"])
def test_a_moment_beyond_the_calendar_of_the_zone_prints_as_it_is(render: Render, name: str, moment: str) -> None:
    assert render(f"{{{{ value | {name} }}}}", value=moment) == moment


@pytest.mark.parametrize("text", ["a combinar", "R$ 10", "1e999999999", "nan", "0000-99-99", "2025", "\u0000", " "])
@pytest.mark.parametrize("name", OF_A_REGION)
def test_a_text_that_cannot_be_read_prints_as_it_is_or_is_read_whole(render: Render, name: str, text: str) -> None:
    printed = render(f"{{{{ value | {name} }}}}", value=text)
    assert text in {printed, "2025"}


@pytest.mark.parametrize("name", OF_A_REGION)
def test_nothing_prints_as_nothing(render: Render, name: str) -> None:
    assert render(f"[{{{{ none | {name} }}}}{{{{ '' | {name} }}}}{{{{ ('x' if false) | {name} }}}}]") == "[]"


@pytest.mark.parametrize("name", OF_A_REGION)
def test_an_undefined_field_is_an_error(render: Render, name: str) -> None:
    with pytest.raises(TemplateFailedError, match='deal has no field "nope"'):
        render(f"{{{{ deal.nope | {name} }}}}")


@pytest.mark.parametrize("value", [[1], {"a": 1}, True, timedelta(days=1)])
@pytest.mark.parametrize("name", OF_A_REGION)
def test_a_value_of_the_wrong_type_is_an_error_that_says_so(render: Render, name: str, value: object) -> None:
    with pytest.raises(TemplateFailedError, match=f"{name} wants a .*, not (a list|an obj|true|a dur)"):
        render(f"{{{{ value | {name} }}}}", value=value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ 1 | date }}", "date wants a date, not a number"),
        ("{{ now | money }}", "money wants a number, not a moment"),
        ("{{ 1 | money('BRX') }}", 'money knows no currency "BRX"'),
        ("{{ 1 | number(99) }}", "number takes 0 to 12 places"),
        ("{{ 1 | percent(99) }}", "percent takes 0 to 12 places"),
        ("{{ 1 | growth([1]) }}", "growth wants a number, not a list"),
        ("{{ 1.5 | phone }}", "phone wants a telephone number, not a number"),
        ("{{ now | date('y' * 101) }}", "a pattern has at most 100 characters"),
    ],
)
def test_errors_say_what_the_filter_wants(render: Render, source: str, message: str) -> None:
    with pytest.raises(TemplateFailedError, match=message):
        render(source)


def test_days_and_moments_of_python_are_dates_too(render: Render) -> None:
    assert render("{{ value | date }}", value=date(2025, 3, 28)) == "28/03/2025"
    assert render("{{ value | datetime }}", value=datetime(2025, 3, 28, 9, 50)) == "28/03/2025 09:50"  # noqa: DTZ001


def test_no_space_is_one_that_cannot_be_typed(folder: Path) -> None:
    for locale in ("pt-BR", "pt-PT", "fr-FR", "de-CH", "en-US", "cs-CZ"):
        rendering = Rendering(folder, locale, "America/Sao_Paulo", "EUR")
        source = "{{ 1234567.5 | money }}{{ 1234567.5 | number }}{{ now | datetime }}{{ now | date('full') }}"
        assert not set("\u00a0\u202f") & set(rendering.text(source).render({"now": NOW}))


def test_other_languages_write_their_own_way(folder: Path) -> None:
    english = Rendering(folder, "en-US", "America/New_York", "USD")
    source = "{{ 11050.5 | money }} | {{ now | datetime }} | {{ (now - days(3)) | ago }} | {{ now | ago }}"
    assert english.text(source).render({"now": NOW}) == "$11,050.50 | 11/24/26, 7:00 AM | 3 days ago | now"
    german = Rendering(folder, "de-DE", "Europe/Berlin", "EUR")
    assert (
        german.text("{{ 11050.5 | money }}, {{ (now - days(3)) | ago }}").render({"now": NOW})
        == "11.050,50 €, vor 3 Tagen"
    )
    assert german.text("{{ '030 901820' | phone }}").render({}) == "030 901820"


def test_without_a_now_ago_prints_the_value(folder: Path) -> None:
    rendering = Rendering(folder, "pt-BR", "America/Sao_Paulo", "BRL")
    assert rendering.text("{{ '2025-03-28' | ago }}").render({}) == "2025-03-28"
