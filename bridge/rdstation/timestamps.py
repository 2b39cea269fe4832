"""The CRM's times: ISO 8601, with milliseconds and an offset in documents, cut to the second in ``event_timestamp``."""

from datetime import UTC, datetime, timedelta, timezone

from bridge.model import Json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = range(1970, 2201)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
BRASILIA = timezone(timedelta(hours=-3))


def instant(value: Json) -> datetime | None:
    """Return a time of the CRM, aware, in UTC; None if it is none. A time without an offset counts as UTC.

    What lies outside of ``YEARS`` is no time of the CRM: no zone could be reckoned at the ends of the calendar.
    """
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        moment = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in YEARS else None


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return (moment - EPOCH) // _MICROSECOND


def end_of_second(moment: datetime) -> int:
    """Return the last microsecond of a moment's second since 1970, the latest that a time cut to it can mean."""
    return microseconds(moment) // _SECOND * _SECOND + _SECOND - 1


def as_document_time(moment: datetime) -> str:
    """Write a moment as documents do: Brasília time, milliseconds, offset."""
    local = moment.astimezone(BRASILIA)
    return local.isoformat(timespec="milliseconds")


def as_event_time(moment: datetime) -> str:
    """Write a moment as ``event_timestamp`` does: UTC, cut to the second, with milliseconds of zero."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
