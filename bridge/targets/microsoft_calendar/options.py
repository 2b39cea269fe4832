"""What a microsoft_calendar target and its deliver entries take."""

import re
from datetime import timedelta
from typing import Final, Literal

from pydantic import Field, field_validator

from bridge.component import TargetOptions
from bridge.component.appointment import Meeting
from bridge.component.oauth import ClientCredentials
from bridge.component.occasion import ZoneName
from bridge.options import Secret, is_stand_in
from bridge.options.address import Address
from bridge.options.quantity import Duration

TENANT: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]*")
"""An id, or a domain: it stands in an address."""
USER_ID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
MOST_ATTENDEES: Final = 500
"""Outlook's limit."""
EARLIEST_REMINDER: Final = timedelta(weeks=10)
SCOPE: Final = "https://graph.microsoft.com/.default"
"""All that an administrator has granted to the application."""


class MicrosoftCalendarOptions(TargetOptions):
    """What a microsoft_calendar target takes."""

    tenant: str
    """The directory (tenant) of your organisation: its id, or its domain such as `empresa.onmicrosoft.com`."""
    client_id: str = Field(min_length=1)
    """The application (client) id of the registered application."""
    client_secret: Secret
    """A client secret of the application: its value, not its id."""
    mailbox: str = Field(min_length=1)
    """Whose calendar it is: the user's address, such as `vendas@empresa.com.br`, or the user's id."""
    calendar: str | None = Field(default=None, min_length=1)
    """A calendar of the mailbox, by its name or its id; by default the one that each mailbox has."""
    timezone: ZoneName = "America/Sao_Paulo"
    """The time zone of events, and of moments that do not tell theirs."""
    concurrency: int = Field(default=3, ge=1, le=3)
    """How many deliveries may be on their way at once: Microsoft takes four requests at a time for a mailbox."""
    login_url: Address = "https://login.microsoftonline.com"
    """Where access tokens are given; other clouds have their own."""
    api_url: Address = "https://graph.microsoft.com/v1.0"
    """The address of Microsoft Graph; other clouds have their own."""

    @field_validator("mailbox")
    @classmethod
    def _of_a_user(cls, value: str) -> str:
        if not ("@" in value or USER_ID.fullmatch(value) or is_stand_in(value)):
            raise ValueError("must be the user's address, such as vendas@empresa.com.br, or the user's id")
        return value

    @field_validator("tenant")
    @classmethod
    def _in_an_address(cls, value: str) -> str:
        if is_stand_in(value):
            return "stand-in"
        if not TENANT.fullmatch(value):
            raise ValueError("must be the id or a domain of the directory, such as empresa.onmicrosoft.com")
        return value

    @property
    def client(self) -> ClientCredentials:
        """Return what access tokens are asked for with."""
        return ClientCredentials(
            token_url=f"{self.login_url}/{self.tenant}/oauth2/v2.0/token",
            client_id=self.client_id,
            client_secret=self.client_secret,
            scope=SCOPE,
            client_auth="client_secret_post",
        )


class MicrosoftCalendarAction(Meeting):
    """What a deliver entry to a microsoft_calendar target takes. What it does not name stays as it is."""

    attendees: list[str] | None = Field(default=None, max_length=MOST_ATTENDEES)
    """The e-mail addresses of those who are invited, all of them. Outlook tells them of each change."""
    reminders: list[Duration] | None = Field(default=None, max_length=1)
    """How long before it the calendar reminds, once; never with `[]`."""
    categories: list[str] | None = Field(default=None, max_length=25)
    """Names of Outlook's categories, which give it their colours."""
    status: Literal["confirmed", "tentative", "cancelled"] = "confirmed"
    """What becomes of it: `cancelled` takes it out of the calendar, any other brings it back."""

    @field_validator("reminders")
    @classmethod
    def _reminds_in_time(cls, value: list[Duration] | None) -> list[Duration] | None:
        if any(before > EARLIEST_REMINDER for before in value or ()):
            raise ValueError("must come ten weeks before it at most")
        return value
