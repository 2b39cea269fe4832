"""When windows are open, and when digests come, by the wall clock of a zone."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from bridge.model import Change
from bridge.routing.timing import Digest
from bridge.routing.window import Window
from tests.support.changes import change_of, webhook

BRASILIA = ZoneInfo("America/Sao_Paulo")
WEEKDAYS = frozenset(range(5))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BRASILIA)


def window(begin: str = "09:00", end: str = "18:00", days: frozenset[int] = WEEKDAYS, off: str = "") -> Window:
    free = {date.fromisoformat(off)} if off else set[date]()
    return Window(days, time.fromisoformat(begin), time.fromisoformat(end), BRASILIA, free.__contains__)


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-24 09:00", "2026-11-24 09:00"),
        ("2026-11-24 12:30", "2026-11-24 12:30"),
        ("2026-11-24 18:00", "2026-11-25 09:00"),
        ("2026-11-24 08:59", "2026-11-24 09:00"),
        ("2026-11-27 20:00", "2026-11-30 09:00"),
    ],
)
def test_it_opens_on_its_days_at_its_hours(moment: str, opening: str) -> None:
    assert window().opening(at(moment)) == at(opening)


def test_a_day_off_is_left_out() -> None:
    assert window(off="2026-11-25").opening(at("2026-11-24 19:00")) == at("2026-11-26 09:00")


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-24 23:00", "2026-11-24 23:00"),
        ("2026-11-25 05:59", "2026-11-25 05:59"),
        ("2026-11-25 06:00", "2026-11-25 22:00"),
        ("2026-11-28 05:00", "2026-11-28 05:00"),
        ("2026-11-28 23:00", "2026-11-30 22:00"),
    ],
)
def test_a_night_belongs_to_the_day_that_it_begins_on(moment: str, opening: str) -> None:
    assert window("22:00", "06:00").opening(at(moment)) == at(opening)


def test_one_without_days_never_opens() -> None:
    assert window(days=frozenset()).opening(at("2026-11-24 12:00")) is None


def test_its_end_is_within_it() -> None:
    assert window().holds(at("2026-11-24 18:00"))
    assert not window().holds(at("2026-11-24 18:01"))
    assert not window().holds(at("2026-11-29 12:00"))


class Group:
    """A text."""

    def render(self, context: Mapping[str, object]) -> str:
        return f" {context['who']} "


def a_change() -> Change:
    return change_of([webhook("deal", id="1")])


def test_a_digest_comes_at_the_first_of_its_times() -> None:
    digest = Digest(("0 9 * * *", "0 18 * * *"), BRASILIA)
    assert digest.next(at("2026-11-24 10:00")) == at("2026-11-24 18:00")
    assert digest.next(at("2026-11-24 18:00")) == at("2026-11-25 09:00")


def test_a_digest_within_a_window_skips_other_days() -> None:
    digest = Digest(("0 18 * * *",), BRASILIA, window())
    assert digest.next(at("2026-11-27 18:00")) == at("2026-11-30 18:00")
    assert Digest(("0 3 * * *",), BRASILIA, window()).next(at("2026-11-27 18:00")) is None


@pytest.mark.parametrize("expression", ["* * * * *", "*/5 * * * *", "0 9 * * *"])
def test_a_digest_of_many_turns_waits_for_its_window_however_long_that_is_closed(expression: str) -> None:
    digest = Digest((expression,), BRASILIA, window(off="2026-11-30"))
    assert digest.next(at("2026-11-27 18:00")) == at("2026-12-01 09:00")


def test_a_window_that_never_opens_has_no_digest() -> None:
    assert Digest(("* * * * *",), BRASILIA, window(days=frozenset())).next(at("2026-11-27 18:00")) is None


def test_a_digest_names_its_group() -> None:
    now = at("2026-11-24 10:00").astimezone(UTC)
    until = Digest(("0 18 * * *",), BRASILIA, by=Group()).defer(a_change(), {"who": "ana"}, now)
    assert (until.due, until.deferral.group) == (at("2026-11-24 18:00"), "ana")


def test_the_hour_that_summer_skips_is_no_turn_lost() -> None:
    lisbon = ZoneInfo("Europe/Lisbon")
    before = datetime(2026, 3, 28, 12, 0, tzinfo=lisbon)
    assert Digest(("30 1 * * *",), lisbon).next(before) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
