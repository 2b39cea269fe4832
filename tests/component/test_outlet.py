"""What leaves the process, with and without somebody who reads it."""

import io
import os
from collections.abc import Iterator
from concurrent.futures import Future
from queue import Full

import pytest

from bridge.component.outlet import AT_ONCE, Outlet

PIPE = 64 * 1024
"""Bytes that a pipe holds for a reader that stalls."""


class Pipe:
    """A pipe with an outlet into it; nobody reads until a test does."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        self.stream = os.fdopen(writing, "w", encoding="utf-8")
        self.outlet = Outlet(lambda: self.stream, "test", 2)

    def stall(self) -> Future[None]:
        """Write more than the pipe holds, and return once the thread is at it."""
        stuck = self.outlet.put("x" * 3 * PIPE)
        while not stuck.running():
            pass
        return stuck

    def read(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            got += os.read(self.reading, size - len(got))
        return got

    def close(self) -> None:
        os.close(self.reading)
        self.stream.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def test_texts_come_out_whole_and_in_order(pipe: Pipe) -> None:
    first, second = pipe.outlet.put("São "), pipe.outlet.put("Paulo\n")
    assert pipe.read(len("São Paulo\n".encode())).decode() == "São Paulo\n"
    assert first.result(10) is second.result(10) is None


def test_who_does_not_read_holds_nobody_up_and_gets_everything_later(pipe: Pipe) -> None:
    stuck = pipe.stall()
    waiting = pipe.outlet.put("y"), pipe.outlet.put("z")
    assert pipe.outlet.full
    with pytest.raises(Full):
        pipe.outlet.put("lost")
    pipe.outlet.flush(0.01)
    assert not stuck.done()
    assert pipe.read(3 * PIPE + 2) == b"x" * 3 * PIPE + b"yz"
    for written in (stuck, *waiting):
        assert written.result(10) is None
    pipe.outlet.flush(10)


def test_what_nobody_waits_for_comes_out_in_order_and_with_a_text_between_that_can_be_taken_back(pipe: Pipe) -> None:
    pipe.outlet = Outlet(lambda: pipe.stream, "test", 2000)
    pipe.stall()
    for number in range(1000):
        pipe.outlet.mention(f"{number:8}\n")
        if number == 500:
            taken_back, kept = pipe.outlet.put("never\n"), pipe.outlet.put("    here\n")
    assert taken_back.cancel()
    expected = "".join(f"{number:8}\n" for number in range(501)) + "    here\n"
    expected += "".join(f"{number:8}\n" for number in range(501, 1000))
    assert pipe.read(3 * PIPE + len(expected))[3 * PIPE :].decode() == expected
    assert kept.result(10) is None


def test_what_nobody_waits_for_is_written_together_and_each_as_a_whole(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    pipe.outlet = Outlet(lambda: pipe.stream, "test", 2000)
    pipe.stall()
    monkeypatch.setattr("bridge.component.outlet._write", lambda _, encoded: written.append(len(encoded)))
    for size in (1000,) * 10 + (3 * AT_ONCE,) + (1000,) * 3:
        pipe.outlet.mention("y" * size)
    pipe.read(3 * PIPE)
    pipe.outlet.flush(10)
    together = AT_ONCE // 1000
    assert written[0] == together * 1000
    assert 3 * AT_ONCE in written, "too long for others beside it"
    assert sum(written) == 13_000 + 3 * AT_ONCE


def test_where_nobody_waits_a_reader_that_is_gone_ends_nothing(pipe: Pipe) -> None:
    reading, pipe.reading = pipe.reading, os.open(os.devnull, os.O_RDONLY)
    os.close(reading)
    pipe.outlet.mention("x")
    pipe.outlet.flush(10)
    with pytest.raises(BrokenPipeError):
        pipe.outlet.put("x").result(10)


def test_no_more_than_there_is_room_for_may_wait_unwatched(pipe: Pipe) -> None:
    pipe.stall()
    pipe.outlet.mention("y")
    pipe.outlet.mention("z")
    with pytest.raises(Full):
        pipe.outlet.mention("lost")
    assert pipe.read(3 * PIPE + 2)[-2:] == b"yz"


def test_a_text_that_waits_can_be_taken_back(pipe: Pipe) -> None:
    pipe.stall()
    waiting = pipe.outlet.put("y")
    assert waiting.cancel()
    last = pipe.outlet.put("z")
    assert pipe.read(3 * PIPE + 1)[-1:] == b"z"
    last.result(10)


def test_a_stream_that_does_not_block_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.stream.fileno(), False)
    stuck = pipe.stall()
    assert pipe.read(3 * PIPE) == b"x" * 3 * PIPE
    assert stuck.result(10) is None


def test_a_reader_that_is_gone_is_told_of(pipe: Pipe) -> None:
    reading, pipe.reading = pipe.reading, os.open(os.devnull, os.O_RDONLY)
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        pipe.outlet.put("x").result(10)


@pytest.mark.parametrize(("encoding", "spelt"), [("utf-8", "São \\udcff"), ("ascii", r"S\xe3o \udcff")])
def test_what_is_no_file_is_written_at_once_in_whatever_it_can_spell(encoding: str, spelt: str) -> None:
    memory = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert Outlet(lambda: memory, "test", 1).put("São \udcff").done()
    assert memory.buffer.getvalue().decode(encoding) == spelt


def test_what_is_closed_fails_and_raises_nothing() -> None:
    memory = io.StringIO()
    memory.close()
    assert isinstance(Outlet(lambda: memory, "test", 1).put("x").exception(), ValueError)
