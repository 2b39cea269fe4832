"""google_calendar: one event a key in a Google calendar, made, moved, cancelled and revived."""

from bridge.targets.google_calendar.options import GoogleCalendarAction, GoogleCalendarOptions
from bridge.targets.google_calendar.target import GoogleCalendar

__all__ = ["GoogleCalendar", "GoogleCalendarAction", "GoogleCalendarOptions"]
