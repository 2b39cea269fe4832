"""What benchmarks conclude: growth, loss and what never settles fail a run; a missed bar is a figure."""

import pytest

from benchmarks.drain import Tally
from benchmarks.sink import Sink
from benchmarks.soak import MEASURED, SAMPLES, Seen
from benchmarks.verdict import bar, conclude, counted

STEADY = {"memory": 100.0, "files": 38, "log": 60.0, "database": 30.0}


def soaked(minutes: float = 20, **a_minute: float) -> Seen:
    """Return what a soak saw, of which some things grew."""
    seen = Seen(settled=True)
    for number in range(SAMPLES):
        moment = 60 * minutes * number / SAMPLES
        seen.moments.append(moment)
        for name in MEASURED:
            seen.values[name].append(STEADY[name] + a_minute.get(name, 0) * moment / 60)
    return seen


def test_a_steady_soak_has_no_faults() -> None:
    assert soaked().faults(lost=0) == []


@pytest.mark.parametrize("name", ["memory", "files", "database"])
def test_what_grows_is_a_fault(name: str) -> None:
    [fault] = soaked(**{name: 1}).faults(lost=0)

    assert fault.startswith(f"{name} grows by 1.000 ")


def test_the_slope_of_a_moment_is_none() -> None:
    assert soaked(minutes=1, memory=3).faults(lost=0) == []


def test_what_is_too_large_is_a_fault() -> None:
    [fault] = soaked(log=5).faults(lost=0)

    assert fault == "log came to 159.2 MiB, of at most 80"


def test_what_is_lost_refused_or_unfinished_is_a_fault() -> None:
    seen = soaked()
    seen.settled, seen.refused = False, 2

    assert seen.faults(lost=3) == ["refused 2", "lost 3", "not all was finished"]


async def test_a_lost_message_is_waited_for_in_vain_and_counted() -> None:
    sink = Sink()
    sink.take(f"POST {sink.path} HTTP/1.1\r\nIdempotency-Key: one\r\n".encode(), b"{}")
    sink.take(b"POST / HTTP/1.1\r\nIdempotency-Key: another's\r\n", b"{}")

    await sink.has(2, patience=0.05)

    assert (sink.count, sink.rate) == (1, 0.0)
    assert Tally(expected=2, lost=1, unsettled=1).faults() == ["lost 1", "rounds that did not settle 1"]


def test_a_verdict_is_a_line_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude(counted(lost=0)) == 0
    assert conclude(counted(lost=1, refused=2)) == 1
    assert capsys.readouterr().out.splitlines() == ["verdict    passed", "verdict    failed: lost 1; refused 2"]


def test_a_missed_bar_is_told() -> None:
    assert bar(0.5, holds=True) == "bar 0.5, met"
    assert bar(1.5, holds=False) == "bar 1.5, missed"
