"""Threads that may be held up."""

from functools import partial
from queue import Full
from threading import Event, current_thread

import pytest

from bridge.component.threads import Threads


def fail() -> None:
    raise ZeroDivisionError


def hold(begun: Event, gate: Event) -> bool:
    begun.set()
    return gate.wait(10)


def test_work_is_done_elsewhere_and_its_result_or_failure_told() -> None:
    threads = Threads(2, "helper")
    assert threads.submit(lambda: current_thread().name).result(10) == "helper"
    assert threads.submit(lambda: current_thread().daemon).result(10), "nobody waits for it at the end"
    with pytest.raises(ZeroDivisionError):
        threads.submit(fail).result(10)
    assert threads.submit(lambda: 1).result(10) == 1, "a failure ends no thread"
    threads.close()


def test_what_has_not_begun_can_be_taken_back_and_what_has_cannot() -> None:
    threads, begun, gate = Threads(1, "helper"), Event(), Event()
    holding = threads.submit(partial(hold, begun, gate))
    waiting = threads.submit(fail)
    assert begun.wait(10)
    assert not holding.cancel()
    assert waiting.cancel()
    gate.set()
    assert holding.result(10)
    assert threads.submit(lambda: 1).result(10) == 1
    threads.close()


def test_no_more_may_wait_than_there_is_room_for() -> None:
    threads, begun, gate = Threads(1, "helper", room=1), Event(), Event()
    threads.submit(partial(hold, begun, gate))
    assert begun.wait(10)
    waiting = threads.submit(lambda: 1)
    with pytest.raises(Full):
        threads.submit(fail)
    gate.set()
    assert waiting.result(10) == 1
    assert threads.submit(lambda: 2).result(10) == 2


def test_as_many_work_at_once_as_there_may_be() -> None:
    threads, gates = Threads(2, "helper"), [Event(), Event()]
    held = [threads.submit(partial(gate.wait, 10)) for gate in gates]
    third = threads.submit(lambda: 3)
    gates[1].set()
    assert third.result(10) == 3, "one of the two is free"
    assert not held[0].done()
    gates[0].set()
    threads.close()


def test_closed_they_do_what_was_handed_over_and_end() -> None:
    threads = Threads(2, "helper")
    done = [threads.submit(lambda: 1) for _ in range(20)]
    threads.close()
    assert [future.result(10) for future in done] == [1] * 20
    for thread in threads._threads:
        thread.join(10)
        assert not thread.is_alive()
