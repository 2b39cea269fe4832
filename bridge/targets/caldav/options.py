"""What a caldav target and its deliver entries take."""

from base64 import b64encode
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from bridge.component import TargetOptions
from bridge.component.appointment import Meeting, WithAddress, is_mail_address
from bridge.component.occasion import WhenOption, ZoneName
from bridge.options import Secret, is_stand_in
from bridge.options.address import Address, parsed_address

OF_EVENTS: Final = frozenset({"start", "end", "duration", "attendees", "busy"})
OF_TODOS: Final = frozenset({"due", "completed"})
STATUSES: Final = {
    "event": frozenset({"confirmed", "tentative", "cancelled"}),
    "todo": frozenset({"open", "started", "completed", "cancelled"}),
}


class CaldavOptions(TargetOptions):
    """What a caldav target takes: `url`, `username` and `password`, and the name of a `calendar`."""

    url: Address
    """The server's address, such as `https://cloud.example.com`; without `calendar`, that of the calendar itself."""
    calendar: str | None = Field(default=None, min_length=1)
    """The calendar's name, as its settings show it, or the last part of its address."""
    username: str = Field(min_length=1)
    """The user name at the server; an Apple ID is an e-mail address."""
    password: Secret
    """The password: where the server has passwords for apps, one of these."""
    timezone: ZoneName = "America/Sao_Paulo"
    """The time zone of moments that do not tell theirs."""
    organizer: str | None = None
    """The e-mail address in whose name people are invited."""
    notify: Literal["all", "none"] = "none"
    """Whether the server tells those who are invited: all of them, or nobody; `all` needs `organizer`."""

    @field_validator("url")
    @classmethod
    def _no_second_password(cls, value: str) -> str:
        url = parsed_address(value)
        if url.user or url.password or url.query_string or url.fragment:
            raise ValueError("must hold neither a password nor a query: these are `username` and `password`")
        return value

    @field_validator("username")
    @classmethod
    def _one_part(cls, value: str) -> str:
        if ":" in value and not is_stand_in(value):
            raise ValueError("must not hold a colon")
        return value

    @model_validator(mode="after")
    def _somebody_invites(self) -> Self:
        if self.organizer is not None and not is_mail_address(self.organizer):
            raise ValueError('"organizer" is no e-mail address')
        if self.notify == "all" and self.organizer is None:
            raise ValueError('"notify: all" needs an "organizer"')
        return self

    @property
    def pair(self) -> str:
        """Return user name and password as they go on the wire, in clear."""
        return b64encode(f"{self.username}:{self.password.reveal()}".encode()).decode()

    def made_secrets(self) -> tuple[str, ...]:
        """Return the pair."""
        return (self.pair,)


class CaldavAction(Meeting, WithAddress):
    """What a deliver entry to a caldav target takes. What it does not name stays as it is in the calendar."""

    kind: Literal["event", "todo"] = "event"
    """Whether it is an event, or something to do."""
    due: WhenOption | None = None
    """When something is to be done by: a day, or a moment; of an event it is `start` and `end`."""
    completed: WhenOption | None = None
    """When it was done, which says that it is; with `status: completed` alone, the moment of the message."""
    status: Literal["confirmed", "tentative", "cancelled", "open", "started", "completed"] | None = None
    """What becomes of it: `cancelled`; of an event `confirmed` or `tentative`; else `open`, `started`, `completed`."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        named = {name for name in self.model_fields_set if getattr(self, name) is not None}
        for name in sorted(named & (OF_TODOS if self.kind == "event" else OF_EVENTS)):
            raise ValueError(f'"{name}" is of {"something to do" if self.kind == "event" else "an event"}')
        if self.status is not None and self.status not in STATUSES[self.kind]:
            known = ", ".join(sorted(STATUSES[self.kind]))
            raise ValueError(f'"status" of kind "{self.kind}" is one of {known}')
        if self.completed is not None and self.status not in {None, "completed"}:
            raise ValueError(f'takes "completed" or "status: {self.status}", not both')
        return self

    @property
    def becomes(self) -> str:
        """Return the status that it is to have."""
        if self.status:
            return self.status
        return "completed" if self.completed else "confirmed" if self.kind == "event" else "open"
