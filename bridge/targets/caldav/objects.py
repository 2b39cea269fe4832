"""The objects of a calendar: which is whose, and what a message makes of one."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Todo, vCalAddress

from bridge.component.occasion import read
from bridge.component.vcalendar import Thing, calendar, describe, invite, moment, put, revise, stamp, written
from bridge.errors import PermanentFailure
from bridge.targets.caldav.options import CaldavAction, CaldavOptions

NAMES: Final = {"event": "VEVENT", "todo": "VTODO"}
STATUS: Final = {"open": "NEEDS-ACTION", "started": "IN-PROCESS"}
"""The statuses that iCalendar calls otherwise."""
DONE: Final = 100
"""Per cent."""


def identity(target: str, key: str, kind: str, generation: int) -> str:
    """Return the UID of a target's object for a key: always the same, so that none is made twice.

    A further ``generation`` takes the place of one that the server keeps in its trash, where nothing can be written.
    """
    whose = sha256(f"{target}\n{key}".encode()).hexdigest()[:40]
    return f"{kind}-{whose}" if generation == 1 else f"{kind}-{whose}-{generation}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a message says of its object; ``at`` is when it was said, the same in each attempt."""

    uid: str
    action: CaldavAction
    options: CaldavOptions
    at: datetime

    @property
    def lacking(self) -> str | None:
        """Return what an entry must name so that the object can be made, and does not."""
        needed, value = (
            ("start", self.action.start) if self.action.kind == "event" else ("summary", self.action.summary)
        )
        return needed if value is None else None

    @property
    def ends(self) -> bool:
        """Tell whether it only says that something is over: what is not there needs no end."""
        return self.action.becomes == "cancelled" or (self.action.becomes == "completed" and self.lacking is not None)

    def made(self) -> bytes:
        """Return the object as it is made.

        Raises:
            PermanentFailure: it ends before it begins.
        """
        thing: Thing = Event() if self.action.kind == "event" else Todo()
        thing.add("UID", self.uid)
        thing.add("CREATED", self.at)
        self._describe(thing)
        stamp(thing, self.at)
        return written(calendar(thing))

    def changed(self, existing: bytes) -> bytes | None:
        """Return an object as it is to be, with all that the message does not name; None if it is so already.

        Raises:
            PermanentFailure: what is there cannot be read, or it ends before it begins.
        """
        whole = _read(existing)
        return written(whole) if revise(self._of(whole), self._describe, self.at) else None

    def _of(self, whole: Calendar) -> Thing:
        """Return the object itself, and not one of the days on which a repeated one differs."""
        for thing in whole.walk(NAMES[self.action.kind]):
            if isinstance(thing, Event | Todo) and "RECURRENCE-ID" not in thing:
                return thing
        raise PermanentFailure(f"what the server keeps under this address is no {NAMES[self.action.kind]}")

    def _describe(self, thing: Thing) -> None:
        zone = ZoneInfo(self.options.timezone)
        if self.action.due is not None:
            thing.pop("DURATION", None)
            put(thing, "DUE", moment(read(self.action.due, zone)))
        describe(thing, self.action, zone)
        if self.action.url is not None:
            put(thing, "URL", self.action.url)
        if self.action.guests is not None:
            self._invite(thing, self.action.guests)
        put(thing, "STATUS", STATUS.get(self.action.becomes, self.action.becomes.upper()))
        if self.action.kind == "todo":
            self._complete(thing, zone)

    def _invite(self, thing: Thing, guests: list[str]) -> None:
        if self.options.organizer and guests:
            put(thing, "ORGANIZER", vCalAddress(f"mailto:{self.options.organizer}"))
        invite(thing, guests, told_by_server=self.options.notify == "all")

    def _complete(self, thing: Thing, zone: ZoneInfo) -> None:
        """Write when it was done, or that it is not."""
        done = self.action.becomes == "completed"
        if self.action.completed is not None:
            when = read(self.action.completed, zone)
            put(thing, "COMPLETED", moment(when if isinstance(when, datetime) else read(f"{when}T00:00", zone)))
        elif not done or "COMPLETED" not in thing:
            put(thing, "COMPLETED", self.at if done else None)
        if done or self.action.becomes == "open":
            put(thing, "PERCENT-COMPLETE", DONE if done else None)


def _read(body: bytes) -> Calendar:
    try:
        return Calendar.from_ical(body)
    except ValueError:
        pass
    raise PermanentFailure("what the server keeps under this address is no calendar that can be read")
