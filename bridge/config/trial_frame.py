"""The frame of `tests:`: a test tells events and the passing of time, and what has to be delivered by then."""

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from bridge.component.base import Strict
from bridge.options.quantity import Duration

DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2} ([01]\d|2[0-3]):[0-5]\d")
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


YEARS = range(1980, 2200)
"""Years in which a test can be: at the ends of the calendar there is no time zone, and no next day."""


def _a_date_and_time(value: str) -> str:
    if not DATE_TIME.fullmatch(value):
        raise ValueError('must be a date and a time, such as "2026-11-24 09:00"')
    return _in_a_year(value)


def _a_moment(value: str) -> str:
    if not (TIME.fullmatch(value) or DATE_TIME.fullmatch(value)):
        raise ValueError('must be a time such as "18:00", or a date and a time such as "2026-11-24 18:00"')
    return value if TIME.fullmatch(value) else _in_a_year(value)


def _in_a_year(value: str) -> str:
    if int(value[:4]) not in YEARS:
        raise ValueError(f"must be in the years {YEARS[0]} to {YEARS[-1]}")
    return value


DateTime = Annotated[str, AfterValidator(_a_date_and_time)]
Moment = Annotated[str, AfterValidator(_a_moment)]


class ReplyFrame(Strict):
    """What a service answers to one request."""

    status: int = Field(default=200, ge=100, le=599)
    """The HTTP status."""
    retry_after: Duration | None = None
    """How long it asks us to wait."""
    body: object = None
    """What it says, such as `{ok: false, error: channel_not_found}`."""


Reply: TypeAlias = Literal["ok", "timeout", "unreachable"] | ReplyFrame


class SendFrame(Strict):
    """The CRM sends a sample."""

    send: str
    """A sample, as `bridge send` knows them: a trigger (`deal.lost`) or the name of an event."""
    set: dict[str, object] = Field(default_factory=dict)
    """Values of the entity, by their path: `deal.name: Padaria`. They stay for what is sent later."""
    source: str | None = None
    """The source that it arrives at, if several could send it."""


class EventFrame(Strict):
    """The CRM sends this very body."""

    event: dict[str, object] | str
    """The body of a webhook, or a file that holds it as JSON."""
    source: str | None = None
    """The source that it arrives at, if there are several."""


class WaitFrame(Strict):
    """Time passes; what becomes due meanwhile happens at its time."""

    wait: Duration
    """How much time passes."""


class UntilFrame(Strict):
    """Time passes until then."""

    until: Moment
    """The next such time (`18:00`), or a date and a time, in the timezone of the rules."""


class ExpectationFrame(Strict):
    """A delivery that is expected. The keys beside these are fields of its message, as in `match`."""

    model_config = ConfigDict(extra="allow")

    to: str
    """The target."""
    count: int = Field(default=1, ge=0)
    """How many such deliveries."""
    state: Literal["delivered", "dead", "parked", "deferred", "pending", "cancelled"] = "delivered"
    """What has become of it by now."""
    route: str | None = None
    """The route that made it."""
    key: str | None = None
    """What orders it, such as `deal:65f1`."""
    attempts: int | None = Field(default=None, ge=0)
    """How often it was tried."""
    after: Duration | None = None
    """How long after the last `send` or `event` it was last tried."""
    at: Moment | None = None
    """When it was last tried, in the timezone of the rules."""
    reason: str | None = None
    """A part of why it is in this state."""


class ExpectFrame(Strict):
    """All that was delivered since the last `expect`, and nothing else."""

    expect: Literal["nothing"] | Annotated[list[ExpectationFrame], Field(min_length=1)]
    """`nothing`, or each delivery."""

    @field_validator("expect", mode="before")
    @classmethod
    def _no_other_word(cls, written: object) -> object:
        if isinstance(written, str) and written != "nothing":
            raise ValueError('must be "nothing", or a list of deliveries, such as [{to: sales}]')
        return written


StepFrame: TypeAlias = SendFrame | EventFrame | WaitFrame | UntilFrame | ExpectFrame


class TrialFrame(Strict):
    """A test of the rules."""

    name: Annotated[str, Field(min_length=1)]
    """What it shows, as a sentence."""
    at: DateTime = "2026-11-24 09:00"
    """When it begins, in the timezone of the rules."""
    answers: dict[str, list[Reply]] = Field(default_factory=dict)
    """What the services answer, per target and one after another; after these, all is well."""
    steps: Annotated[list[StepFrame], Field(min_length=1)]
    """What happens, and what is expected by then."""

    @model_validator(mode="before")
    @classmethod
    def _no_route(cls, written: object) -> object:
        if isinstance(written, dict) and "deliver" in written and "steps" not in written:
            raise ValueError("is a route: put it under `routes:`, a test has `steps`")
        return written


class TrialFileFrame(Strict):
    """Tests in a file of their own."""

    tests: Annotated[list[TrialFrame], Field(min_length=1)]
    """The tests."""
