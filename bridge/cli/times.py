"""Times as people type and read them: ``2h`` ago, a day, a moment; always in the zone of their machine."""

import re
from datetime import UTC, datetime, timedelta

import click

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def moment_of(text: str, now: datetime, *, latest: bool = False) -> datetime:
    """Return the moment that a text means; a day alone is its beginning, or its end when ``latest``.

    Raises:
        ValueError: it means none.
    """
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    moment = datetime.fromisoformat(text).astimezone()
    if latest and _DAY.fullmatch(text):
        moment = (datetime.fromisoformat(text) + timedelta(days=1)).astimezone()
    return moment.astimezone(UTC)


def shown(moment: object) -> str:
    """Return a moment of an answer in local time, to the second; nothing for none."""
    if not isinstance(moment, str):
        return ""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def lasting(seconds: float) -> str:
    """Return a duration as its two largest units: ``2d 3h``, ``4m 5s``, ``120ms``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    left, parts = int(seconds), list[str]()
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count}{unit}")
    return " ".join(part for part in parts[:2] if part[:-1] != "0")


class Moment(click.ParamType[datetime]):
    """A point in time on the command line."""

    name = "time"

    def __init__(self, *, latest: bool) -> None:
        """Tell whether a day means its end."""
        self._latest = latest

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment, in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            return moment_of(str(value), datetime.now(UTC), latest=self._latest)
        except (ValueError, OverflowError):
            self.fail(f'"{value}" is no time; write 30m, 2h, 3d, 2026-11-24 or 2026-11-24T09:00', param, ctx)


SOONEST = Moment(latest=False)
LATEST = Moment(latest=True)
