"""Events as Google Calendar keeps them: https://developers.google.com/workspace/calendar/api/v3/reference/events."""

import html
from base64 import b32hexencode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from bridge.component.occasion import Occasion, When, occasion
from bridge.errors import PermanentFailure
from bridge.model import Json, JsonObject
from bridge.targets.google_calendar.options import GoogleCalendarAction

LONGEST_SUMMARY: Final = 1024
LONGEST_DESCRIPTION: Final = 8192
"""Characters; the API refuses longer descriptions."""
ELLIPSIS: Final = "…"
MINUTE: Final = timedelta(minutes=1)


def event_id(target: str, key: str) -> str:
    """Return the id of a target's event for a key: always the same, so that no event is made twice.

    Ids are 5 to 1024 of the characters `a-v` and `0-9`, unique in a calendar.
    """
    return b32hexencode(sha256(f"{target}\n{key}".encode()).digest()).decode().rstrip("=").lower()


def escape(data: str) -> str:
    """Return data as a description shows it literally: Google reads descriptions as HTML."""
    return html.escape(data, quote=False)


def when(action: GoogleCalendarAction, zone: ZoneInfo) -> Occasion | None:
    """Return when an entry says that the event is.

    Raises:
        PermanentFailure: it ends before it begins.
    """
    if action.start is None:
        return None
    try:
        return occasion(action.start, action.end, action.duration, zone)
    except ValueError as error:
        reason = f"no event can be made of it: {error}"
    raise PermanentFailure(reason)


def fields(action: GoogleCalendarAction, zone: ZoneInfo) -> JsonObject:
    """Return what an entry says of the event, and nothing of what it does not name."""
    span = when(action, zone)
    told: JsonObject = {
        "status": action.status,
        "summary": _cut(" ".join(action.summary.split()), LONGEST_SUMMARY) if action.summary is not None else None,
        "description": _cut(action.description, LONGEST_DESCRIPTION) if action.description is not None else None,
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
    if action.attendees is None:
        return None
    return [{"email": address} for address in dict.fromkeys(map(str.strip, action.attendees))]


def _reminders(action: GoogleCalendarAction) -> JsonObject | None:
    if action.reminders is None:
        return None
    overrides: list[Json] = [{"method": "popup", "minutes": before // MINUTE} for before in action.reminders]
    return {"useDefault": False, "overrides": overrides}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + ELLIPSIS
