"""Events as Google Calendar keeps them: https://developers.google.com/workspace/calendar/api/v3/reference/events."""

import html
from base64 import b32hexencode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from bridge.component.appointment import cut
from bridge.component.occasion import When
from bridge.model import Json, JsonObject
from bridge.targets.google_calendar.options import GoogleCalendarAction

LONGEST_DESCRIPTION: Final = 8192
"""Characters; the API refuses longer ones."""
MINUTE: Final = timedelta(minutes=1)


def event_id(target: str, key: str) -> str:
    """Return the id of a target's event for a key: always the same, so that no event is made twice.

    Ids are 5 to 1024 of the characters `a-v` and `0-9`, unique in a calendar.
    """
    return b32hexencode(sha256(f"{target}\n{key}".encode()).digest()).decode().rstrip("=").lower()


def escape(data: str) -> str:
    """Return data as a description shows it literally: Google reads descriptions as HTML."""
    return html.escape(data, quote=False)


def fields(action: GoogleCalendarAction, zone: ZoneInfo) -> JsonObject:
    """Return what an entry says of the event, and nothing of what it does not name."""
    span = action.when(zone)
    told: JsonObject = {
        "status": action.status,
        "summary": action.title(),
        "description": cut(action.description, LONGEST_DESCRIPTION) if action.description is not None else None,
        "location": action.location,
        "start": _moment(span.start) if span else None,
        "end": _moment(span.end) if span else None,
        "attendees": _attendees(action),
        "reminders": _reminders(action),
        "transparency": None if action.busy is None else "opaque" if action.busy else "transparent",
        "visibility": None if action.private is None else "private" if action.private else "default",
    }
    return {name: value for name, value in told.items() if value is not None}


def merged(existing: JsonObject, told: JsonObject) -> JsonObject:
    """Return an event as it is to be: what the entry names, and of all else what is there, answers of guests too."""
    together = {**existing, **told}
    if "attendees" in told:
        known = _by_address(existing.get("attendees"))
        together["attendees"] = [
            {**known.get(address, {}), **new} for address, new in _by_address(told["attendees"]).items()
        ]
    return together


def _by_address(attendees: Json) -> dict[str, JsonObject]:
    listed = attendees if isinstance(attendees, list) else []
    return {str(each["email"]).lower(): each for each in listed if isinstance(each, dict) and "email" in each}


def _moment(moment: When) -> JsonObject:
    """Return an end of an event. What of a former one must go is null: a day has no time, and a time no day."""
    if not isinstance(moment, datetime):
        return {"date": moment.isoformat()}
    zone = getattr(moment.tzinfo, "key", None)
    return {"dateTime": moment.isoformat(), **({"timeZone": zone} if zone else {})}


def _attendees(action: GoogleCalendarAction) -> list[Json] | None:
    return None if action.guests is None else [{"email": address} for address in action.guests]


def _reminders(action: GoogleCalendarAction) -> JsonObject | None:
    if action.reminders is None:
        return None
    overrides: list[Json] = [{"method": "popup", "minutes": before // MINUTE} for before in action.reminders]
    return {"useDefault": False, "overrides": overrides}
