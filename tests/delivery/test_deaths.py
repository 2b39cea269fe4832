"""Dead letters that come by the hundred: the first is due at once, the rest once a minute."""

from datetime import timedelta

import pytest

from bridge.delivery.deaths import EVERY, MOST, Deaths, Toll, without
from bridge.model import Delivery, DeliveryState
from tests.support.clock import ManualClock

CLOCK = ManualClock()


def dead(number: int, target: str = "sales") -> Delivery:
    now, state = CLOCK.now(), DeliveryState.DEAD
    return Delivery(f"dlv_{number}", f"evt_{number}", "losses", 0, target, "deal:1", state, {"text": "x"}, now, now)


@pytest.fixture
def deaths(clock: ManualClock) -> Deaths:
    return Deaths(clock)


def numbers(tolls: list[Toll]) -> list[tuple[str, list[str], int]]:
    return [(toll.target, [death.event_id for death in toll.deaths], toll.more) for toll in tolls]


def test_the_first_is_due_at_once_and_what_follows_after_a_minute(deaths: Deaths, clock: ManualClock) -> None:
    assert (deaths.due(), deaths.seconds()) == ([], None)
    deaths.add(dead(1), "refused")
    assert deaths.seconds() == 0
    [toll] = deaths.due()
    assert toll.deaths[0].reason == "refused"
    deaths.forget(toll, told=True)
    deaths.add(dead(2), None)
    clock.advance(seconds=40)
    deaths.add(dead(3), None)
    assert (deaths.due(), deaths.seconds()) == ([], 20)
    clock.advance(seconds=20)
    assert numbers(deaths.due()) == [("sales", ["evt_2", "evt_3"], 0)]


def test_what_was_due_stays_until_it_is_forgotten_and_what_came_meanwhile_longer(deaths: Deaths) -> None:
    deaths.add(dead(1), None)
    [toll] = deaths.due()
    deaths.add(dead(2), None)
    assert numbers(deaths.due()) == [("sales", ["evt_1", "evt_2"], 0)]
    deaths.forget(toll, told=False)
    assert numbers(deaths.due()) == [("sales", ["evt_2"], 0)], "nothing was told, so nothing has to wait"


def test_each_target_has_its_own_minute(deaths: Deaths) -> None:
    deaths.add(dead(1), None)
    deaths.forget(deaths.due()[0], told=True)
    deaths.add(dead(2), None)
    deaths.add(dead(3, "billing"), None)
    assert numbers(deaths.due()) == [("billing", ["evt_3"], 0)]
    assert deaths.seconds() == 0
    assert numbers(deaths.due(early=True)) == [("sales", ["evt_2"], 0), ("billing", ["evt_3"], 0)]


def test_more_than_can_be_kept_are_counted(deaths: Deaths) -> None:
    for number in range(MOST + 5):
        deaths.add(dead(number), None)
    [toll] = deaths.due()
    assert (len(toll.deaths), toll.more) == (MOST, 5)
    deaths.forget(toll, told=True)
    assert deaths.due(early=True) == []


def test_without_those_of_some_events_only_the_others_are_left(deaths: Deaths) -> None:
    deaths.add(dead(1), None)
    deaths.add(dead(2), None)
    [toll] = deaths.due()
    assert numbers([without(toll, {"evt_1"})]) == [("sales", ["evt_2"], 0)]
    assert numbers([without(toll._replace(more=7), {"evt_1", "evt_2"})]) == [("sales", [], 0)]


def test_a_minute_is_a_minute() -> None:
    assert timedelta(seconds=60) == EVERY
