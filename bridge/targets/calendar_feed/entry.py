"""The entries of a feed: what a message makes of one, and how it is kept in a link."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from icalendar import Event

from bridge.component.vcalendar import Thing, describe, put, revise, stamp, written
from bridge.errors import PermanentFailure
from bridge.model import OVER, JsonObject, Link
from bridge.targets.calendar_feed.options import CalendarFeedAction

ENTRY: Final = "entry"
"""Where a link keeps its entry, as calendars read it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a message says of its entry; ``at`` is when it was said, the same in each attempt."""

    action: CalendarFeedAction
    zone: ZoneInfo
    at: datetime

    def kept(self, target: str, key: str, link: Link | None) -> Link | None:
        """Return the link of the entry as it is to be; None if it was to be cancelled and is not there.

        Raises:
            PermanentFailure: it is not there, and the message does not say when it is.
        """
        event = _read(link)
        if event is None:
            if self.action.status == "cancelled":
                return None
            event = self._made(uid_of(target, key))
        else:
            revise(event, self._describe, self.at)
        data: JsonObject = {ENTRY: written(event).decode(), OVER: self._over(event)}
        return Link(target, key, str(event["UID"]), data)

    def _made(self, uid: str) -> Event:
        if self.action.start is None:
            raise PermanentFailure("there is no entry yet, and the message names no `start`")
        event = Event()
        event.add("UID", uid)
        event.add("CREATED", self.at)
        self._describe(event)
        stamp(event, self.at)
        return event

    def _describe(self, event: Thing) -> None:
        describe(event, self.action, self.zone)
        if self.action.url is not None:
            put(event, "URL", self.action.url)
        put(event, "STATUS", self.action.status.upper())

    def _over(self, event: Event) -> str:
        """Return when it is over, or was cancelled, in UTC, so that what is text can be compared."""
        cancelled = self.action.status == "cancelled"
        over = (event.LAST_MODIFIED if cancelled else None) or _moment(event.end, self.zone)
        return over.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def uid_of(target: str, key: str) -> str:
    """Return the UID of a target's entry for a key: always the same."""
    whose = f"{target}\n{key}".encode()
    return f"{sha256(whose).hexdigest()[:40]}@bridge"


def _read(link: Link | None) -> Event | None:
    if link is None:
        return None
    event = Event.from_ical(str(link.data[ENTRY]))
    return event if isinstance(event, Event) else None


def _moment(end: date | datetime, zone: ZoneInfo) -> datetime:
    return end if isinstance(end, datetime) else datetime.combine(end, time(), zone)
