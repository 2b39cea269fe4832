"""What the entries of every calendar take: an appointment, in keys that mean the same at each of them."""

from typing import Final, Self
from zoneinfo import ZoneInfo

from pydantic import field_validator, model_validator

from bridge.component.occasion import Occasion, WhenOption, occasion
from bridge.component.target import Action
from bridge.errors import PermanentFailure
from bridge.options.address import parsed_address
from bridge.options.quantity import Duration

LONGEST_SUMMARY: Final = 1024
"""Characters of a title."""
ELLIPSIS: Final = "…"


class Appointment(Action):
    """An appointment. What an entry does not name stays as it is in the calendar."""

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
    reminders: list[Duration] | None = None
    """How long before it the calendar reminds; none with `[]`."""
    busy: bool | None = None
    """Whether it blocks the time; by default it does."""
    private: bool | None = None
    """Whether only those who may change the calendar see what it is about."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.end is not None and self.duration is not None:
            raise ValueError('takes "end" or "duration", not both')
        if self.start is None and (self.end is not None or self.duration is not None):
            raise ValueError('"end" and "duration" go with "start"')
        return self

    def when(self, zone: ZoneInfo) -> Occasion | None:
        """Return when the entry says that it is.

        Raises:
            PermanentFailure: it ends before it begins.
        """
        if self.start is None:
            return None
        try:
            return occasion(self.start, self.end, self.duration, zone)
        except ValueError as error:
            reason = f"no event can be made of it: {error}"
        raise PermanentFailure(reason)

    def title(self) -> str | None:
        """Return the title as calendars take it: one line, cut where it is too long."""
        return None if self.summary is None else cut(" ".join(self.summary.split()), LONGEST_SUMMARY)


class Meeting(Appointment):
    """An appointment that people are invited to."""

    attendees: list[str] | None = None
    """The e-mail addresses of those who are invited, all of them."""

    @model_validator(mode="after")
    def _invites_people(self) -> Self:
        if any(not is_mail_address(address) for address in self.attendees or ()):
            raise ValueError('"attendees" holds what is no e-mail address')
        return self

    @property
    def guests(self) -> list[str] | None:
        """Return the addresses of those who are invited, each once."""
        return None if self.attendees is None else list(dict.fromkeys(map(str.strip, self.attendees)))


class WithAddress(Appointment):
    """An appointment that says where to read more."""

    url: str | None = None
    """An address that belongs to it, such as that of the deal."""

    @field_validator("url")
    @classmethod
    def _whole_address(cls, value: str | None) -> str | None:
        return str(parsed_address(value)) if value else None


def is_mail_address(text: str) -> bool:
    """Tell whether a text can be the address of one person."""
    name, at, domain = text.rpartition("@")
    return bool(at and name and domain) and not any(character.isspace() or character in "<>," for character in text)


def cut(text: str, most: int) -> str:
    """Return a text of so many characters at most; one that was longer shows it."""
    return text if len(text) <= most else text[: most - 1] + ELLIPSIS
