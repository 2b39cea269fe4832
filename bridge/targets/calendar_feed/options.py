"""What a calendar_feed target and its deliver entries take."""

import re
from datetime import timedelta
from typing import Final, Literal

from pydantic import Field, field_validator

from bridge.component import TargetOptions
from bridge.component.appointment import WithAddress
from bridge.component.occasion import ZoneName
from bridge.options import Secret, is_stand_in
from bridge.options.quantity import Duration

SHORTEST_SECRET: Final = 16
PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")
"""What stands in every address as it is."""


class CalendarFeedOptions(TargetOptions):
    """What a calendar_feed target takes: `secrets`."""

    secrets: list[Secret] = Field(min_length=1)
    """What opens the feed, in its address `/feeds/NAME/SECRET.ics`: one for all, or for each who subscribes."""
    title: str | None = Field(default=None, min_length=1)
    """What calendars call it; by default the target's name."""
    timezone: ZoneName = "America/Sao_Paulo"
    """The time zone of moments that do not tell theirs."""
    refresh: Duration = timedelta(hours=1)
    """How often calendars are asked to look for news; some look when they please."""
    keep: Duration = timedelta(days=90)
    """How long an entry is shown after it is over, or was cancelled."""

    @field_validator("secrets")
    @classmethod
    def _hard_to_guess(cls, value: list[Secret]) -> list[Secret]:
        for each in (secret.reveal() for secret in value):
            if not is_stand_in(each) and (len(each) < SHORTEST_SECRET or not PLAIN.fullmatch(each)):
                raise ValueError(f"must be {SHORTEST_SECRET} letters, digits, - or _ at least, such as of a generator")
        return value


class CalendarFeedAction(WithAddress):
    """What a deliver entry to a calendar_feed target takes. What it does not name stays as it is in the feed."""

    status: Literal["confirmed", "tentative", "cancelled"] = "confirmed"
    """What becomes of it: `cancelled` takes it out of the calendars, any other brings it back."""
