"""Quantities as people write them: ``90s``, ``15m``, ``2h``, ``1d`` and ``100/10s``."""

import re
from datetime import timedelta
from typing import Annotated, Final, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from bridge.model import Rate

UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
"""Seconds of each unit."""
SIZES: Final = ("KiB", "MiB", "GiB", "TiB")
"""Units of sizes, each 1024 of the one before."""
SHORTEST: Final = 0.001
LONGEST: Final = 3660.0 * 86_400
"""Seconds; less is no time, and more would leave the calendar."""
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) *(ms|[smhdw])")
_RATE = re.compile(r"([0-9]{1,6}) */ *((?:[0-9]+(?:\.[0-9]+)?)?) *(ms|[smhdw])")


def duration(value: object) -> object:
    """Return the time that a text such as ``90s`` or ``1h`` stands for; a time comes back as it is.

    Raises:
        ValueError: it is no such text.
    """
    if isinstance(value, timedelta):
        return value
    found = _match(_DURATION, value)
    if not found:
        raise ValueError('write a duration such as "30s", "15m", "2h" or "1d"')
    return timedelta(seconds=_seconds(found[1], found[2]))


def sure(value: object) -> timedelta:
    """Return the time that a text stands for which was found to be one."""
    found = duration(value)
    if not isinstance(found, timedelta):
        raise TypeError(f"no time: {found!r}")
    return found


def rate(value: object) -> object:
    """Return the rate that a text such as ``1/s`` or ``100/10s`` stands for; a rate comes back as it is.

    Raises:
        ValueError: it is no such text.
    """
    if isinstance(value, Rate):
        return value
    found = _match(_RATE, value)
    if not (found and int(found[1])):
        raise ValueError('write a rate such as "1/s", "50/m" or "100/10s"')
    return Rate(int(found[1]), _seconds(found[2] or "1", found[3]))


def written(time: timedelta) -> str:
    """Return a time as people write it: in the largest unit that divides it, to the millisecond."""
    whole = round(time.total_seconds() * 1000)
    unit = next((name for name in ("d", "h", "m", "s") if whole % round(UNITS[name] * 1000) == 0), "ms")
    return f"{whole // round(UNITS[unit] * 1000)}{unit}"


def size_written(size: int) -> str:
    """Return a number of bytes as people write it, in a unit that makes it short."""
    power = min(max(size.bit_length() - 1, 0) // 10, len(SIZES))
    return f"{size / 1024**power:.1f} {SIZES[power - 1]}" if power else f"{size} bytes"


def _match(pattern: re.Pattern[str], value: object) -> re.Match[str] | None:
    return pattern.fullmatch(value.strip()) if isinstance(value, str) else None


def _seconds(number: str, unit: str) -> float:
    seconds = float(number) * UNITS[unit]
    if not SHORTEST <= seconds <= LONGEST:
        raise ValueError("must be a time from 1ms to 3660d")
    return seconds


def _text(pattern: re.Pattern[str], example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern.pattern}$", "examples": [example]})


Duration: TypeAlias = Annotated[timedelta, BeforeValidator(duration), _text(_DURATION, "15m")]
"""An option that is a time."""
RateOption: TypeAlias = Annotated[Rate, BeforeValidator(rate), _text(_RATE, "100/10s")]
"""An option that is a rate."""
