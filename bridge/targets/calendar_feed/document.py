"""A feed as calendars fetch it (RFC 5545, RFC 7986)."""

from collections.abc import Iterable

from icalendar import vDuration, vText

from bridge.component.vcalendar import calendar, line, written
from bridge.targets.calendar_feed.options import CalendarFeedOptions

END = b"END:VCALENDAR\r\n"


def document(name: str, options: CalendarFeedOptions, entries: Iterable[str]) -> bytes:
    """Return the feed of a target's entries, each as its link keeps it; the same bytes for the same entries."""
    whole = calendar()
    title = vText(line(options.title or name) or "")
    whole.add("calscale", "GREGORIAN")
    whole.add("method", "PUBLISH")
    whole.add("x-wr-calname", title)
    whole.add("name", title)
    whole.add("x-wr-timezone", options.timezone)
    whole.add("refresh-interval", vDuration(options.refresh, params={"VALUE": "DURATION"}))
    whole.add("x-published-ttl", vDuration(options.refresh))
    return written(whole).removesuffix(END) + "".join(entries).encode() + END
