from datetime import timedelta

from bridge.remote.memory import Memory
from tests.support.clock import ManualClock


def test_an_answer_is_good_for_its_time() -> None:
    clock = ManualClock()
    memory: Memory[str, int] = Memory(clock)
    memory.put("a", 1, timedelta(minutes=5))
    assert "a" in memory
    assert memory["a"] == 1
    clock.advance(seconds=300)
    assert "a" not in memory


def test_the_ones_that_were_not_used_for_longest_make_room() -> None:
    memory: Memory[str, int] = Memory(ManualClock(), room=2)
    for number, name in enumerate("ab"):
        memory.put(name, number, timedelta(hours=1))
    assert memory["a"] == 0
    memory.put("c", 2, timedelta(hours=1))
    assert [name in memory for name in "abc"] == [True, False, True]
