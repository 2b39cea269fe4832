"""Logs: structlog throughout, one object a line or lines for people, and no secret in either."""

import json
import logging
import os
import re
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache
from queue import Full
from typing import Literal, TextIO

import orjson
import structlog
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, Processor, WrappedLogger

from bridge import telemetry
from bridge.component.outlet import Outlet
from bridge.options import Redactor

PATTERNS = (
    ("/hooks/", re.compile(r"(/hooks/[^/\s\"'?]+/)[^/\s\"'?]+")),
    ("hooks.slack.com/", re.compile(r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[^\s\"']+")),
    ("xox", re.compile(r"(xox[a-z]-)[\w-]+")),
    ("xapp-", re.compile(r"(xapp-)[\w-]+")),
)
"""What is a secret by its look alone: what every such text holds, and the pattern, whose first group stays."""

ROOM = 2000
"""Lines that may wait to be read before others are lost."""
LULL = 0.02
"""Seconds that lines may be gathered for."""

_secrets: set[str] = set()
_redactor = Redactor(())
_lines: "_Lines | None" = None


def keep_secret(*secrets: str) -> None:
    """Blot these out of every line from now on."""
    global _redactor  # noqa: PLW0603 (one process has one log)
    _secrets.update(secrets)
    _redactor = Redactor(_secrets)


def redact(text: str) -> str:
    """Return the text with stars in place of secrets."""
    text = _redactor.redacted(text)
    for sign, pattern in PATTERNS:
        if sign in text:
            text = pattern.sub(r"\1***", text)
    return text


def redacting(_: WrappedLogger, __: str, line: EventDict | str) -> str:
    """Redact a line as it will be printed, whatever is in it; the last structlog processor."""
    return redact(str(line))


def without_traceback(record: logging.LogRecord) -> bool:
    """Tell a request that is no HTTP in one line: anybody may send one; a filter for the server's logger."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = f"malformed request: {_first_line(error.message)}", ()
        record.exc_info = record.exc_text = None
    return True


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip(":")[:200]


def finish(seconds: float) -> None:
    """Wait until all lines are printed, but no longer than this: what waits then is lost with the process."""
    if _lines:
        _lines.flush(seconds)


def configure(level: str, form: Literal["auto", "json", "console"], stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging through one chain to standard error.

    Lines for people have colours on a terminal, unless ``NO_COLOR`` is set.
    """
    global _lines  # noqa: PLW0603 (one process has one log)
    out = stream or sys.stderr
    lines = _lines = _Lines(out)
    as_json = form == "json" or (form == "auto" and not out.isatty())
    threshold = logging.getLevelNamesMapping()[level.upper()]
    finish = _finishing(as_json=as_json, colors=out.isatty() and not os.environ.get("NO_COLOR"))
    structlog.configure(
        processors=[_stamped, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=stream is None,
    )
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=[_stamped], processors=[_without_meta, *finish])
    handler = logging.StreamHandler(lines)
    handler.setFormatter(formatter)
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(max(threshold, logging.WARNING))
    logging.getLogger("aiohttp.server").addFilter(without_traceback)


class _Lines:
    """Takes lines from structlog and from the standard library; where nobody reads them, the daemon goes on without."""

    def __init__(self, out: TextIO) -> None:
        self._outlet = Outlet(lambda: out, "log", ROOM, LULL)
        self._lost = 0

    def msg(self, message: str) -> None:
        """Print one line."""
        self.write(f"{message}\n")

    log = debug = info = warn = warning = error = critical = fatal = failure = exception = msg

    def write(self, text: str) -> None:
        """Print a text, or count it as lost; what was lost is told as soon as there is room again."""
        if self._lost and not self._outlet.full:
            lost, self._lost = self._lost, 0
            telemetry.log_lines_lost(lost)
        try:
            self._outlet.mention(text)
        except Full:
            self._lost += 1

    def flush(self, seconds: float = 0) -> None:
        """Wait so long for what is not printed yet; the standard library asks after each line, and does not wait."""
        if seconds:
            self._outlet.flush(seconds)


def _finishing(*, as_json: bool, colors: bool) -> list[Processor]:
    plain = structlog.dev.plain_traceback
    form = _json if as_json else structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)
    return [structlog.processors.format_exc_info, form, redacting]


def _stamped(_: WrappedLogger, level: str, line: EventDict) -> EventDict:
    """Put time and level before all else."""
    second, fraction = divmod(time.time_ns() // 1000, 1_000_000)
    return {"timestamp": f"{_spelled(second)}.{fraction:06}Z", "level": level, **line}


@lru_cache(maxsize=1)
def _spelled(second: int) -> str:
    """Return a time to the second: it takes longer than all else that is done to a line, and many are of one second."""
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"


def _without_meta(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(_, __, line)


def _json(_: WrappedLogger, __: str, line: EventDict) -> str:
    try:
        return orjson.dumps(line, default=str).decode()
    except TypeError:  # an integer beyond 64 bits, or half a surrogate pair: a log that raises is worse than a slow one
        return json.dumps(line, default=str)
