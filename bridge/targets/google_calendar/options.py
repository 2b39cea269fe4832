"""What a google_calendar target and its deliver entries take."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from bridge.component import TargetOptions
from bridge.component.appointment import Meeting
from bridge.component.occasion import ZoneName
from bridge.options import Secret, is_stand_in
from bridge.options.address import Address
from bridge.options.quantity import Duration
from bridge.targets.google_calendar.account import Consent, made_key, read_key

EARLIEST_REMINDER = timedelta(weeks=4)
"""The API's limit: 40320 minutes."""
MOST_REMINDERS = 5
MOST_ATTENDEES = 200
"""The API's limit."""


class GoogleCalendarOptions(TargetOptions):
    """What a google_calendar target takes: `calendar`, and `service_account` or `consent`."""

    calendar: str = Field(min_length=1)
    """The calendar's id, as its settings show it: an e-mail address, or `primary` with `consent`."""
    service_account: Secret | None = None
    """The JSON key of a service account that the calendar is shared with: `${file:/run/secrets/google.json}`."""
    subject: str | None = None
    """The address of the person that the service account acts for, where the domain lets it: it may then invite."""
    consent: Consent | None = None
    """The consent of a person, in place of a service account: `client_id`, `client_secret` and `refresh_token`."""
    timezone: ZoneName = "America/Sao_Paulo"
    """The time zone of moments that do not tell theirs."""
    notify: Literal["all", "external", "none"] = "none"
    """Which attendees Google tells by e-mail of a change: all of them, those without a Google calendar, or nobody."""
    api_url: Address = "https://www.googleapis.com/calendar/v3"
    """The API's address."""

    @field_validator("service_account")
    @classmethod
    def _some_key(cls, value: Secret | None) -> Secret | None:
        return Secret(made_key()) if value and is_stand_in(value.reveal()) else value

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.service_account is None) == (self.consent is None):
            raise ValueError('needs "service_account" or "consent", and not both')
        if self.subject and not self.service_account:
            raise ValueError('"subject" goes with "service_account"')
        if self.service_account:
            read_key(self.service_account)
        return self

    def made_secrets(self) -> Iterator[str]:
        """Yield what opens the account in its key."""
        if self.service_account:
            yield read_key(self.service_account).private_key


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
