"""microsoft_calendar: one event a key in a calendar of Microsoft 365, made, moved, cancelled and revived."""

from bridge.targets.microsoft_calendar.options import MicrosoftCalendarAction, MicrosoftCalendarOptions
from bridge.targets.microsoft_calendar.target import MicrosoftCalendar

__all__ = ["MicrosoftCalendar", "MicrosoftCalendarAction", "MicrosoftCalendarOptions"]
