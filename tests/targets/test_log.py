import asyncio
import io
import sys
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from queue import Full
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.component.outlet import Outlet
from bridge.errors import PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Message
from bridge.targets.log import Log, LogOptions, framed
from tests.contracts.target import WAITED_FOR, KnownLinks, Service, TargetContract, Trouble, once


async def printed(text: object, key: str = "deal:65") -> None:
    await Log("screen", LogOptions()).send(Message("dlv_1", key, {"text": text}), KnownLinks(), Client())  # type: ignore[dict-item]


async def test_a_message_is_printed_in_a_frame(capsys: pytest.CaptureFixture[str]) -> None:
    await printed("Negócio perdido: Acme\n  R$ 11.050,50\n")
    assert capsys.readouterr().out == ("┌─ screen · deal:65 · dlv_1\n│ Negócio perdido: Acme\n│   R$ 11.050,50\n└─\n")


async def test_a_number_is_printed_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    await printed(11050.5)
    assert "│ 11050.5\n" in capsys.readouterr().out


async def test_data_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    await printed("\x1b[2J\x1b]0;owned\x07 \x9b31m \u202etxt.exe\u2028└─\r ok", key="deal:\x1b[1m\n│ fake")
    out = capsys.readouterr().out
    assert out.isprintable() or set(out) - {"\n"} == {c for c in out if c.isprintable()}
    assert r"\x1b[2J\x1b]0;owned\x07 \x9b31m \u202etxt.exe\u2028└─\r ok" in out


async def test_a_key_cannot_break_out_of_the_title(capsys: pytest.CaptureFixture[str]) -> None:
    await printed("text", key="deal:1\n└─")
    assert capsys.readouterr().out.count("\n") == 3


async def test_emoji_and_scripts_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    await printed("👩‍💻 नमस्ते São")
    assert "│ 👩‍💻 नमस्ते São\n" in capsys.readouterr().out


async def test_a_terminal_that_cannot_spell_it_gets_an_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)
    await printed("São")
    assert rb"S\xe3o" in ascii_only.buffer.getvalue()


async def test_a_closed_output_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", closed())
    with pytest.raises(TransientFailure, match="standard output"):
        await printed("text")


class Stalled(Outlet):
    """Standard output that nobody reads: ``begun`` frames are being written, the others wait."""

    def __init__(self, *, begun: bool = False, full: bool = False) -> None:
        super().__init__(lambda: sys.stdout, "stalled", 1)
        self.asked = asyncio.Event()
        self.frame: Future[None] = Future()
        self._begun, self._full = begun, full

    def put(self, text: str) -> Future[None]:
        self.asked.set()
        if self._full:
            raise Full
        if self._begun:
            self.frame.set_running_or_notify_cancel()
        return self.frame


def closed() -> io.StringIO:
    """Return what was standard output."""
    output = io.StringIO()
    output.close()
    return output


class TestLogContract(TargetContract):
    type_name = "log"
    content: ClassVar[JsonObject] = {"text": "Negócio perdido: Acme"}
    seen_by_people = "Negócio perdido: Acme"
    spared: ClassVar[Mapping[Trouble, str]] = {
        Trouble.BROKEN: "nobody answers, so there is no answer to lose",
        Trouble.NEVER: "everything can be printed",
        Trouble.SHUT: "there is nobody to refuse",
    }

    @pytest.fixture(autouse=True)
    def _patching(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch = monkeypatch

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        return Log("sales", LogOptions(timeout=timeout))

    @asynccontextmanager
    async def facing(self, trouble: Trouble | None, seconds: float) -> AsyncIterator[Service]:
        outlet, output = Stalled(begun=trouble is Trouble.SILENT), io.StringIO()
        if trouble in WAITED_FOR:
            self.patch.setattr("bridge.component.printing.STANDARD_OUTPUT", outlet)
        self.patch.setattr(sys, "stdout", closed() if trouble is Trouble.NOBODY else output)
        yield Service(self.build("", seconds), outlet.asked, lambda: once(output.getvalue().split("└─\n")))


async def stalled(monkeypatch: pytest.MonkeyPatch, outlet: Outlet) -> None:
    monkeypatch.setattr("bridge.component.printing.STANDARD_OUTPUT", outlet)
    await Log("screen", LogOptions(timeout=0.01)).send(Message("dlv_1", "k", {"text": "x"}), KnownLinks(), Client())


async def test_a_message_that_nobody_reads_is_taken_back_for_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    outlet = Stalled()
    with pytest.raises(TransientFailure, match="nobody reads"):
        await stalled(monkeypatch, outlet)
    assert outlet.frame.cancelled(), "it will not be printed after all"


async def test_a_message_that_is_half_printed_may_have_been_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownOutcome, match="nobody reads"):
        await stalled(monkeypatch, Stalled(begun=True))


async def test_where_no_other_message_may_wait_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TransientFailure, match="nobody reads"):
        await stalled(monkeypatch, Stalled(full=True))


async def test_a_message_without_text_is_refused() -> None:
    with pytest.raises(PermanentFailure, match="text"):
        await printed(None)


@given(st.text())
def test_every_line_of_any_text_stands_behind_the_frame(text: str) -> None:
    first, *inner, last, end = framed("title", text).split("\n")
    assert (first, last, end) == ("┌─ title", "└─", "")
    assert all(line.startswith("│") for line in inner)


async def test_there_is_nobody_to_ask() -> None:
    async with Client() as http:
        assert await Log("screen", LogOptions()).probe(http) == "prints to standard output"
