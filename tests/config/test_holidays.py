"""Tests of days off: the same as the library tells, though only the calendars that are named are imported."""

import subprocess
import sys
from datetime import date, timedelta

import pytest
from holidays import country_holidays, list_supported_countries

from bridge.config.holidays import check_holidays, days_off

YEAR = [date(2026, 1, 1) + number * timedelta(days=1) for number in range(365)]


@pytest.mark.parametrize("name", ["BR", "BR-SP", "US-CA", "SE", "PR", "AX"])
def test_the_days_off_are_those_of_the_country_and_its_part(name: str) -> None:
    country, _, part = name.partition("-")
    known = country_holidays(country, subdiv=part or None)
    is_off = days_off([check_holidays(name)])
    assert [day for day in YEAR if is_off(day)] == [day for day in YEAR if day in known] != []


def test_single_dates_are_days_off_beside_calendars() -> None:
    is_off = days_off(["BR", "2026-02-16"])
    assert [day.isoformat() for day in YEAR[:50] if is_off(day)] == ["2026-01-01", "2026-02-16"]


def test_every_country_and_part_of_the_library_can_be_named() -> None:
    for country, parts in list_supported_countries(include_aliases=False).items():
        for name in (country, *(f"{country}-{part}" for part in parts)):
            assert check_holidays(name) == name


@pytest.mark.parametrize("name", ["XX", "BRA", "Brazil", "BR-XX", "XNYS", "2026-02-30"])
def test_what_is_no_calendar_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"no holidays of|has no part|day"):
        check_holidays(name)


def test_of_250_calendars_the_named_one_is_imported() -> None:
    script = "import sys\nfrom bridge.config.holidays import days_off\nprint('holidays' in sys.modules)\n"
    script += "days_off(['BR'])\nprint([name for name in sys.modules if name.startswith('holidays.countries')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 (ours)
    assert done.stdout == "False\n[]\n"
