"""What a google_calendar target and its deliver entries take."""

from datetime import timedelta
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from bridge.component.appointment import Meeting
from bridge.component.google import AccountOptions
from bridge.component.occasion import ZoneName
from bridge.options import is_stand_in
from bridge.options.address import Address
from bridge.options.quantity import Duration

EARLIEST_REMINDER = timedelta(weeks=4)
"""The API's limit: 40320 minutes."""
MOST_REMINDERS = 5
MOST_ATTENDEES = 200
"""The API's limit."""
OWN: Final = "primary"


class GoogleCalendarOptions(AccountOptions):
    """What a google_calendar target takes: `calendar`, and `service_account` or `consent`."""

    calendar: str = Field(min_length=1)
    """The calendar's id, as its settings show it: an e-mail address, or `primary` with `consent`."""
    timezone: ZoneName = "America/Sao_Paulo"
    """The time zone of moments that do not tell theirs."""
    notify: Literal["all", "external", "none"] = "none"
    """Which attendees Google tells by e-mail of a change: all of them, those without a Google calendar, or nobody."""
    api_url: Address = "https://www.googleapis.com/calendar/v3"
    """The API's address."""

    @field_validator("calendar")
    @classmethod
    def _an_id(cls, value: str) -> str:
        if value != OWN and ("@" not in value or "/" in value) and not is_stand_in(value):
            raise ValueError(
                "must be the calendar's id, which holds an @, and not its name or address: "
                "it stands in the calendar's settings, under Integrate calendar"
            )
        return value


class GoogleCalendarAction(Meeting):
    """What a deliver entry to a google_calendar target takes. What it does not name stays as it is in the calendar."""

    attendees: list[str] | None = Field(default=None, max_length=MOST_ATTENDEES)
    """The e-mail addresses of those who are invited, all of them."""
    reminders: list[Duration] | None = Field(default=None, max_length=MOST_REMINDERS)
    """How long before it the calendar reminds; none with `[]`."""
    status: Literal["confirmed", "tentative", "cancelled"] = "confirmed"
    """What becomes of it: `cancelled` takes it out of the calendar, any other brings it back."""

    @model_validator(mode="after")
    def _reminds_in_time(self) -> Self:
        if any(before > EARLIEST_REMINDER for before in self.reminders or ()):
            raise ValueError("a reminder comes four weeks before it at most")
        return self
