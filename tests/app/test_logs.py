"""One log: every line in the form that was asked for, and no secret in any."""

import io
import json
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

import pytest
import structlog
from aiohttp.http_exceptions import BadStatusLine

from bridge import telemetry
from bridge.app import logs
from bridge.app.logs import configure, keep_secret, redact
from bridge.options import Redactor

SECRET = "s3cret-of-the-source"


@pytest.fixture(autouse=True)
def own_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give back the log, and forget the secrets."""
    monkeypatch.setattr(logs, "_secrets", set())
    monkeypatch.setattr(logs, "_redactor", Redactor(()))
    monkeypatch.setattr(logs, "_lines", None)
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:], logging.root.level = handlers, level
    logging.getLogger("aiohttp.server").removeFilter(logs.without_traceback)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(form: Any = "json", level: str = "info", out: io.StringIO | None = None) -> tuple[Any, io.StringIO]:
    out = out or io.StringIO()
    configure(level, form, out)
    return structlog.get_logger(), out


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


# the form


def test_json_is_one_object_a_line() -> None:
    log, out = logged()
    log.info("event routed", event_id="evt_1", name="Ação\nnova", deliveries=["dlv_1"])
    [line] = lines(out)
    timestamp = line.pop("timestamp")
    assert timestamp.endswith("Z")
    assert abs(datetime.fromisoformat(timestamp) - datetime.now(UTC)) < timedelta(minutes=1)
    assert line == {
        "event": "event routed",
        "level": "info",
        "event_id": "evt_1",
        "name": "Ação\nnova",
        "deliveries": ["dlv_1"],
    }


@pytest.mark.parametrize(("out", "is_json"), [(io.StringIO(), True), (Terminal(), False)])
def test_auto_takes_the_form_for_people_on_a_terminal(out: io.StringIO, *, is_json: bool) -> None:
    log, _ = logged("auto", out=out)
    log.info("hello")
    assert out.getvalue().startswith("{") is is_json
    assert "hello" in out.getvalue()


def test_the_form_for_people_has_no_colours_in_a_file() -> None:
    log, out = logged("console")
    log.warning("hello", a=1)
    assert "\x1b" not in out.getvalue()
    assert "a=1" in out.getvalue()


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_on_a_terminal_it_has_colours_unless_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch, no_color: str, *, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    log, out = logged("console", out=Terminal())
    log.warning("hello", a=1)
    assert ("\x1b" in out.getvalue()) is coloured
    assert "hello" in out.getvalue()


def test_lines_below_the_level_are_left_out() -> None:
    log, out = logged(level="warning")
    log.info("quiet")
    log.warning("loud")
    assert [line["event"] for line in lines(out)] == ["loud"]


def test_an_exception_is_told_in_its_line() -> None:
    log, out = logged()
    log.error("failed", exc_info=ZeroDivisionError("by nothing"))
    [line] = lines(out)
    assert "ZeroDivisionError: by nothing" in line["exception"]


def test_what_json_does_not_know_is_written_as_text() -> None:
    log, out = logged()
    log.info("x", thing=object, places={1: [b"bytes"]}, half="\ud800", huge=2**99)
    [line] = lines(out)
    assert line["thing"] == "<class 'object'>"
    assert line["places"] == {"1": ["b'bytes'"]}
    assert line["huge"] == 2**99


# the standard library's logging


def test_other_libraries_go_through_the_same() -> None:
    _, out = logged()
    logging.getLogger("aiohttp.server").error("Error with %s", SECRET, exc_info=ValueError("why"))
    [line] = lines(out)
    assert line["event"] == f"Error with {SECRET}"
    assert line["level"] == "error"
    assert "ValueError: why" in line["exception"]


def test_other_libraries_are_heard_from_warnings_upward() -> None:
    _, out = logged(level="debug")
    logging.getLogger("asyncio").info("selector chosen")
    logging.getLogger("asyncio").warning("slow callback")
    assert [line["event"] for line in lines(out)] == ["slow callback"]


def test_a_request_that_is_no_http_is_one_short_line() -> None:
    _, out = logged()
    log = logging.getLogger("aiohttp.server")
    log.error("Error handling request from %s", "::1", exc_info=BadStatusLine(f"GET /hooks/crm/{SECRET} HTTP/9"))
    [line] = lines(out)
    assert line["level"] == "warning"
    assert line["event"].startswith("malformed request: ")
    assert "exception" not in line
    assert SECRET not in out.getvalue()


# secrets


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_that_is_known_stands_in_no_line(form: str) -> None:
    keep_secret(SECRET, "xx")
    log, out = logged(form)
    event = f"event {SECRET}"
    log.info(event, plain=SECRET, deep={"a": [(f"<{SECRET}>", {SECRET})]}, raw=SECRET.encode(), xx="xx")
    log.error("failed", exc_info=ValueError(f"cannot use {SECRET}"))
    logging.getLogger("other").error("said %s", SECRET, exc_info=ValueError(SECRET))
    assert SECRET not in out.getvalue()
    assert out.getvalue().count("***") >= 7
    assert "xx" in out.getvalue(), "too short to be told from innocent words"


def test_a_secret_that_is_known_stands_in_no_line_in_another_spelling_either() -> None:
    keep_secret("https://hooks.example/a/k3y-of-the-hook", "a/b&c=d e")
    assert redact("POST /a/k3y-of-the-hook: a%2Fb%26c%3Dd%20e") == "POST ***: ***"


def test_of_secrets_that_contain_each_other_the_longest_goes_first() -> None:
    keep_secret("abcdef")
    keep_secret("abcdefghij")
    assert redact("abcdefghij abcdef") == "*** ***"


def test_a_secret_is_taken_literally() -> None:
    keep_secret("a.c+(def")
    assert redact("a.c+(def abc+(def") == "*** abc+(def"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("POST /hooks/crm/abc HTTP/1.1", "POST /hooks/crm/*** HTTP/1.1"),
        ('"https://h.example/hooks/crm/a%2Fb?x=1"', '"https://h.example/hooks/crm/***?x=1"'),
        ("/hooks/crm", "/hooks/crm"),
        ("https://hooks.slack.com/services/T0/B0/xyz!", "https://hooks.slack.com/services/***"),
        ("https://hooks.slack.com/workflows/T0/A0/1/x", "https://hooks.slack.com/workflows/***"),
        ("token=xoxb-12-ab-CD next", "token=xoxb-*** next"),
        ("xoxp-1 xapp-1-A", "xoxp-*** xapp-***"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_what_looks_like_a_secret_is_one(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_a_log_that_nobody_reads_any_more_stops_nothing() -> None:
    class Closed(io.StringIO):
        refused = 0

        def write(self, _: str) -> int:
            self.refused += 1
            raise BrokenPipeError

    closed = Closed()
    logs.configure("info", "json", closed)
    for number in range(2):
        structlog.get_logger().info("unheard", number=number)
    logs.finish(5)
    assert closed.refused == 2, "it is tried again, for somebody may read on"


def read_all(descriptor: int) -> bytes:
    """Return what comes until nobody writes any more."""
    got = b""
    while chunk := os.read(descriptor, 1_000_000):
        got += chunk
    return got


@pytest.fixture
def unread() -> Iterator[tuple[int, TextIO]]:
    """A pipe that nobody reads yet, and its end to write to."""
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w", encoding="utf-8")
    yield reading, stream
    stream.close()
    os.close(reading)


def test_a_log_that_nobody_reads_holds_up_nothing_and_tells_what_was_lost(
    unread: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "ROOM", 10)
    before = telemetry.REGISTRY.get_sample_value("bridge_log_lines_lost_total") or 0
    reading, stream = unread
    configure("info", "json", stream)
    log = structlog.get_logger()
    for number in range(100):
        log.info("line", number=number, fill="x" * 10_000)
    logging.getLogger("other").error("not lost on its own account")
    logs.finish(0.01)
    with ThreadPoolExecutor() as reader:
        told = reader.submit(read_all, reading)
        logs.finish(10)
        log.info("at last")
        logs.finish(10)
        stream.close()
    printed = [json.loads(line) for line in told.result().splitlines()]
    marks = [line for line in printed if line["event"] == "log lines lost"]
    lost = sum(mark["count"] for mark in marks)
    assert lost > 0
    assert {mark["level"] for mark in marks} == {"error"}
    assert len(printed) - len(marks) + lost == 100 + 1 + 1
    assert printed[-1]["event"] == "at last"
    assert telemetry.REGISTRY.get_sample_value("bridge_log_lines_lost_total") == before + lost
