"""Events as Microsoft Graph keeps them: https://learn.microsoft.com/graph/api/resources/event."""

import html
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from bridge.component.appointment import cut
from bridge.component.occasion import Occasion, When
from bridge.model import Json, JsonObject
from bridge.targets.microsoft_calendar.options import MicrosoftCalendarAction

LONGEST_SUBJECT: Final = 255
"""Characters, as Exchange keeps them."""
LONGEST_BODY: Final = 100_000
"""Characters: a request may have 4 MB, and nobody reads as much."""
PROPERTY: Final = "String {5b6ac7c1-0b0e-4f2b-9a55-6f0c4f6e2d7a} Name bridge"
"""The extended property that bears an event's mark. Its GUID is ours, and must never change."""
MINUTE: Final = timedelta(minutes=1)


def mark_of(target: str, key: str) -> str:
    """Return the mark of a target's event for a key, which nobody sees, and by which it is found again."""
    return sha256(f"{target}\n{key}".encode()).hexdigest()[:32]


def escape(data: str) -> str:
    """Return data as a description shows it literally: Outlook reads descriptions as HTML."""
    return html.escape(data, quote=False)


def fields(action: MicrosoftCalendarAction, zone: ZoneInfo, *, was_tentative: bool) -> JsonObject:
    """Return what an entry says of the event, and nothing of what it does not name."""
    title = action.title()
    told: JsonObject = {
        "subject": None if title is None else cut(title, LONGEST_SUBJECT),
        "body": None if action.description is None else _body(action.description),
        "location": None if action.location is None else {"displayName": action.location},
        "attendees": _attendees(action),
        "showAs": _shown_as(action, was_tentative=was_tentative),
        "sensitivity": None if action.private is None else "private" if action.private else "normal",
        "categories": _categories(action),
        **_times(action.when(zone), zone),
        **_reminder(action),
    }
    return {name: value for name, value in told.items() if value is not None}


def marked(told: JsonObject, mark: str, delivery_id: str) -> JsonObject:
    """Return an event to be made, with its mark; one delivery makes one, however often it is tried."""
    bearing: list[Json] = [{"id": PROPERTY, "value": mark}]
    return {**told, "singleValueExtendedProperties": bearing, "transactionId": delivery_id}


def _body(description: str) -> JsonObject:
    """Return a description as HTML in which lines break where they did."""
    content = cut(description.strip(), LONGEST_BODY).replace("\n", "<br>\n")
    return {"contentType": "html", "content": content}


def _times(span: Occasion | None, zone: ZoneInfo) -> JsonObject:
    if span is None:
        return {}
    return {"start": _moment(span.start, zone), "end": _moment(span.end, zone), "isAllDay": span.whole_days}


def _moment(moment: When, zone: ZoneInfo) -> JsonObject:
    """Return an end of an event by the clock of its zone; a day begins at midnight."""
    local = moment.astimezone(zone) if isinstance(moment, datetime) else datetime.combine(moment, time())
    return {"dateTime": local.replace(tzinfo=None).isoformat(timespec="seconds"), "timeZone": zone.key}


def _attendees(action: MicrosoftCalendarAction) -> list[Json] | None:
    if action.guests is None:
        return None
    return [{"emailAddress": {"address": address}, "type": "required"} for address in action.guests]


def _categories(action: MicrosoftCalendarAction) -> list[Json] | None:
    """Return the names of categories, but for those that came out empty."""
    if action.categories is None:
        return None
    return [*dict.fromkeys(name.strip() for name in action.categories if name.strip())]


def _reminder(action: MicrosoftCalendarAction) -> JsonObject:
    if action.reminders is None:
        return {}
    minutes = [before // MINUTE for before in action.reminders]
    return {"isReminderOn": bool(minutes), **({"reminderMinutesBeforeStart": minutes[0]} if minutes else {})}


def _shown_as(action: MicrosoftCalendarAction, *, was_tentative: bool) -> str | None:
    if action.status == "tentative":
        return "tentative"
    if action.busy is None:
        return "busy" if was_tentative else None
    return "busy" if action.busy else "free"
