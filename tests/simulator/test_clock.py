from datetime import timedelta

from bridge.simulator.clock import Agenda, VirtualClock
from tests.support.crm import START

SECOND = timedelta(seconds=1)


def test_the_clock_goes_on_and_never_back() -> None:
    clock = VirtualClock(START)
    clock.move_to(START + SECOND)
    clock.move_to(START)
    assert clock.now() == START + SECOND


def test_what_is_due_happens_in_its_order_and_at_its_time() -> None:
    clock, told = VirtualClock(START), list[object]()
    agenda = Agenda(clock)
    for name, seconds in (("second", 2), ("first", 1), ("first too", 1), ("later", 9)):
        agenda.put(START + seconds * SECOND, lambda name=name: told.append((name, clock.now() - START)))  # type: ignore[misc]  # a default binds the name
    agenda.run_until(START + 5 * SECOND)
    assert told == [("first", SECOND), ("first too", SECOND), ("second", 2 * SECOND)]
    assert clock.now() == START + 5 * SECOND
    assert agenda.next_at == START + 9 * SECOND


def test_what_an_act_puts_in_happens_as_well_and_what_is_past_happens_now() -> None:
    clock, told = VirtualClock(START), list[str]()
    agenda = Agenda(clock)
    agenda.put(START + SECOND, lambda: agenda.put(START, lambda: told.append(f"{clock.now() - START}")))
    agenda.run_until(START + SECOND)
    assert told == ["0:00:01"]
    assert agenda.next_at is None
