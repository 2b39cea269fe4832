"""What a google_calendar target and its deliver entries take."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from bridge.component import Action, TargetOptions
from bridge.component.occasion import WhenOption, ZoneName
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


class GoogleCalendarAction(Action):
    """What a deliver entry to a google_calendar target takes. What it does not name stays as it is in the calendar."""

    summary: str | None = None
    """The event's title."""
    description: str | None = None
    """What the event is about; `template:` fills it."""
    location: str | None = None
    """Where it is."""
    start: WhenOption | None = None
    """When it begins: a day, or a moment such as `2026-12-24T15:00-03:00`."""
    end: WhenOption | None = None
    """When it ends; a day is the last one, and whole."""
    duration: Duration | None = None
    """How long it lasts, in place of `end`; by default an hour, or one day where `start` is a day."""
    attendees: list[str] | None = Field(default=None, max_length=MOST_ATTENDEES)
    """The e-mail addresses of those who are invited, all of them."""
    reminders: list[Duration] | None = Field(default=None, max_length=MOST_REMINDERS)
    """How long before it the calendar reminds; none with `[]`."""
    busy: bool | None = None
    """Whether it blocks the time; by default it does."""
    private: bool | None = None
    """Whether only those who may change the calendar see what it is about."""
    status: Literal["confirmed", "tentative", "cancelled"] = "confirmed"
    """What becomes of it: `cancelled` takes it out of the calendar, any other brings it back."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.end is not None and self.duration is not None:
            raise ValueError('takes "end" or "duration", not both')
        if self.start is None and (self.end is not None or self.duration is not None):
            raise ValueError('"end" and "duration" go with "start"')
        if any(before > EARLIEST_REMINDER for before in self.reminders or ()):
            raise ValueError("a reminder comes four weeks before it at most")
        if any(not _is_mail_address(address) for address in self.attendees or ()):
            raise ValueError('"attendees" holds what is no e-mail address')
        return self


def _is_mail_address(text: str) -> bool:
    name, at, domain = text.rpartition("@")
    return bool(at and name and domain) and not any(character.isspace() or character in "<>," for character in text)
