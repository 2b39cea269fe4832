"""What leaves the process, with and without somebody who reads it."""

import io
import os
from collections.abc import Iterator
from concurrent.futures import Future
from queue import Full

import pytest

from bridge.component.outlet import Outlet

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
