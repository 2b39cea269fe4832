"""Appointments as iCalendar writes them (RFC 5545), for the targets that speak it."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event, Todo, vCalAddress, vText

from bridge.component.appointment import Appointment, cut
from bridge.component.occasion import When

PRODUCT: Final = "-//bridge//calendar//EN"
LONGEST_TEXT: Final = 32_768
"""Characters of a description: servers take objects of some hundred kilobytes."""
UNSEEN: Final = re.compile(r"[^\S \n]|[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
"""What no text may hold (RFC 5545, 3.3.11): controls, half characters, and line ends of other kinds."""
STAMPS: Final = ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE")

Thing: TypeAlias = Event | Todo
"""What a calendar holds of one key."""


def calendar(*things: Thing) -> Calendar:
    """Return a calendar that holds these."""
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    for thing in things:
        made.add_component(thing)
    return made


class Literal(vText):
    r"""A text whose `\N` stays what it is: the library takes it for the end of a line."""

    def to_ical(self) -> bytes:
        """Return it escaped."""
        return rb"\\N".join(vText(part).to_ical() for part in self.split(r"\N"))


def written(whole: Calendar | Thing) -> bytes:
    """Return it as it goes on the wire."""
    for part in whole.walk():
        part.update({name: _literal(value) for name, value in part.items()})
    body: bytes = whole.to_ical()
    return body


def _literal(value: object) -> object:
    if isinstance(value, list):
        return [_literal(each) for each in value]
    return Literal(value, params=value.params) if type(value) is vText else value


def put(thing: Thing, name: str, value: object) -> None:
    """Write a property in place of what was there; None takes it away."""
    thing.pop(name, None)
    if value is not None:
        thing.add(name, value)


def describe(thing: Thing, told: Appointment, zone: ZoneInfo) -> None:
    """Write what an entry says of it, and leave alone what it does not name.

    Raises:
        PermanentFailure: it ends before it begins.
    """
    span = told.when(zone)
    if span:
        thing.pop("DURATION", None)
        put(thing, "DTSTART", moment(span.start))
        put(thing, "DTEND", moment(span.end))
    said = {
        "SUMMARY": line(told.title()),
        "DESCRIPTION": _text(told.description),
        "LOCATION": line(told.location),
        "TRANSP": None if told.busy is None else "OPAQUE" if told.busy else "TRANSPARENT",
        "CLASS": None if told.private is None else "PRIVATE" if told.private else "PUBLIC",
    }
    for name, value in said.items():
        if value is not None:
            put(thing, name, value)
    if told.reminders is not None:
        _remind(thing, told)


def invite(thing: Thing, guests: Iterable[str], *, told_by_server: bool) -> None:
    """Write who is invited, all of them; those who were there already keep what they answered."""
    there = thing.pop("ATTENDEE", [])
    known = {_address(each): each for each in (there if isinstance(there, list) else [there])}
    for guest in guests:
        thing.add("ATTENDEE", known.get(guest.lower()) or _guest(guest, told_by_server=told_by_server), encode=False)


def line(text: str | None) -> str | None:
    """Return a text on one line, without what no text may hold."""
    return None if text is None else " ".join(UNSEEN.sub(" ", text).split())


def revise(thing: Thing, describe_it: Callable[[Thing], None], at: datetime) -> bool:
    """Write what is to be said of it; tell whether that has changed anything, and number the change."""
    before = _without_stamps(thing)
    describe_it(thing)
    if _without_stamps(thing) == before:
        return False
    stamp(thing, at)
    return True


def stamp(thing: Thing, at: datetime) -> None:
    """Write that it has changed: a number more, and when."""
    number = thing.get("SEQUENCE")
    put(thing, "SEQUENCE", 0 if number is None else int(number) + 1)
    put(thing, "DTSTAMP", at)
    put(thing, "LAST-MODIFIED", at)


def moment(when: When) -> When:
    """Return an end of it as it is written: a day, or a moment in UTC, which needs no time zone beside it."""
    return when.astimezone(UTC).replace(microsecond=0) if isinstance(when, datetime) else when


def _without_stamps(thing: Thing) -> bytes:
    copy = thing.copy()
    copy.subcomponents = thing.subcomponents
    for name in STAMPS:
        copy.pop(name, None)
    return written(copy)


def _remind(thing: Thing, told: Appointment) -> None:
    thing.subcomponents = [each for each in thing.subcomponents if each.name != "VALARM"]
    to_the_end = {"RELATED": "END"} if thing.name == "VTODO" else {}
    for before in told.reminders or () if not to_the_end or "DUE" in thing else ():
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", str(thing.get("SUMMARY", "")))
        alarm.add("trigger", -before, parameters=to_the_end)
        thing.add_component(alarm)


def _guest(address: str, *, told_by_server: bool) -> vCalAddress:
    guest = vCalAddress(f"mailto:{address}")
    guest.params["PARTSTAT"] = "NEEDS-ACTION"
    guest.params["ROLE"] = "REQ-PARTICIPANT"
    if told_by_server:
        guest.params["RSVP"] = "TRUE"
    else:
        guest.params["SCHEDULE-AGENT"] = "NONE"  # RFC 6638, 7.1: the server tells them nothing
    return guest


def _address(guest: str) -> str:
    return guest.lower().removeprefix("mailto:")


def _text(text: str | None) -> str | None:
    return None if text is None else cut(UNSEEN.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")), LONGEST_TEXT)
