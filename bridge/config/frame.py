"""The frame of routes.yaml: what stands around options, matchers and messages, which others check."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator

from bridge.component.base import Strict
from bridge.component.limits import RetryOptions
from bridge.config.timing_frame import DigestFrame, WindowFrame
from bridge.config.trial_frame import TrialFrame
from bridge.model import OnUnknown
from bridge.options.quantity import Duration
from bridge.rendering.region import parse_currency, parse_locale, parse_timezone
from bridge.sources._bridge import NAME

_SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NAME = re.compile(r"\w[\w.-]{0,63}")


def _a_source_name(value: str) -> str:
    if not _SOURCE_NAME.fullmatch(value):
        raise ValueError("may hold only a-z, A-Z, 0-9, - and _, at most 64 of them: it stands in an address")
    if value == NAME:
        raise ValueError("is the name of bridge's own events; give it another one")
    return value


def _fitting(value: str) -> str:
    """Return a name that may be had and comes near."""
    fits = re.sub(r"[^\w.-]+", "-", value).strip("-.")[:64]
    return f'"{fits}"' if _NAME.fullmatch(fits) else '"deal-lost"'


def _a_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"may hold only letters, digits, -, _ and ., at most 64 of them, such as {_fitting(value)}")
    return value


SourceName = Annotated[
    str,
    AfterValidator(_a_source_name),
    WithJsonSchema({"type": "string", "pattern": f"^(?!{NAME}$){_SOURCE_NAME.pattern}$"}),
]
Name = Annotated[str, AfterValidator(_a_name), WithJsonSchema({"type": "string", "pattern": r"^[^\s/]{1,64}$"})]


def _a_path(value: str) -> str:
    if "**" in value:
        raise ValueError('must not hold "**"; `*` stands for any name in one folder')
    if "\0" in value:
        raise ValueError("must not hold a character that no path may hold")
    return value


IncludePath = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(_a_path),
    WithJsonSchema({"type": "string", "minLength": 1, "not": {"pattern": r"\*\*|\x00"}}),
]


def _a_locale(value: str) -> str:
    parse_locale(value)
    return value


def _a_timezone(value: str) -> str:
    parse_timezone(value)
    return value


class TermsFrame(Strict):
    """What may be said of a delivery beside its message."""

    retry: RetryOptions = Field(default_factory=RetryOptions)
    """When to try again, where it differs from the target's `retry`."""
    on_unknown: OnUnknown = "retry"
    """What to do when the answer was lost and the message may have arrived: `retry` (it may come twice) or `park`."""
    ordering: Literal["key", "none"] = "key"
    """`key` sends the deliveries of one key one after another; with `none` none waits for another."""
    supersede: bool | None = None
    """Whether a newer message of this entry and key cancels an older one that still waits.

    By default only where the target replaces what was there, such as an HTTP `PUT`.
    """


class DeliverFrame(TermsFrame):
    """What counts for all deliver entries that do not say otherwise."""

    retry: RetryOptions = Field(default_factory=RetryOptions)
    """When to try again, where neither the entry nor its target says otherwise."""


class DefaultsFrame(Strict):
    """What counts for all routes that do not say otherwise, and how values are written in messages."""

    locale: Annotated[str, AfterValidator(_a_locale)] = "pt-BR"
    """The language and country that numbers, money and dates are written for."""
    timezone: Annotated[str, AfterValidator(_a_timezone)] = "America/Sao_Paulo"
    """The time zone that times are told in."""
    currency: Annotated[str, AfterValidator(parse_currency)] = "BRL"
    """The currency of amounts that do not tell theirs."""
    deliver: DeliverFrame = Field(default_factory=DeliverFrame)
    """What counts for all deliver entries that do not say otherwise."""


class EntryFrame(TermsFrame):
    """One thing to deliver. The keys beside these are the target's own."""

    model_config = ConfigDict(extra="allow")

    to: str
    """The target, by its name under `targets`."""
    key: str | None = Field(default=None, min_length=1)
    """What orders deliveries and finds the object to update: a template or a kind of entity, such as `deal`.

    By default the entity of the event.
    """
    template: str | None = Field(default=None, min_length=1)
    """A file below `templates/` that holds the message's text."""
    delay: Duration | None = None
    """How long after the event to tell of it, as things stand by then."""
    unless: Annotated[str, Field(min_length=1)] | Annotated[list[str], Field(min_length=1)] | None = None
    """What calls the message off while it is held: written as `on`, and heard of the same entity."""
    within: str | None = None
    """The window, by its name under `windows`, that messages go out in; else they are held until it opens."""
    once: bool = False
    """Whether the entry tells something once for each key, and never again."""
    repeat_after: Duration | None = None
    """How long after it told something the entry tells nothing else under the same key."""

    @model_validator(mode="after")
    def _one_quiet(self) -> Self:
        if self.once and self.repeat_after:
            raise ValueError('"once" and "repeat_after" exclude each other')
        return self


class RouteFrame(Strict):
    """A rule: when something happens and matches, messages are delivered."""

    name: Name
    """What the route is called in logs and commands."""
    on: Annotated[str, Field(min_length=1)] | Annotated[list[str], Field(min_length=1)]
    """What the route listens to: a trigger (`deal.lost`), an event name, a pattern (`crm_deal_*`), or a list."""
    match: dict[str, object] = Field(default_factory=dict)
    """What must be true of the entity: all of these."""
    when: str | None = Field(default=None, min_length=1)
    """One more condition, as a template expression that gives true or false."""
    debounce: Duration | None = None
    """How long nothing more must match before the change is told: all that happened meanwhile, as one change."""
    digest: DigestFrame | None = None
    """When to tell of all that matched since the last time, in one message."""
    deliver: Annotated[list[EntryFrame], Field(min_length=1)]
    """What to deliver, and where."""

    @model_validator(mode="before")
    @classmethod
    def _no_test(cls, written: object) -> object:
        if isinstance(written, dict) and "steps" in written and "deliver" not in written:
            raise ValueError("is a test: put it under `tests:`, a route has `deliver`")
        return written


Sources = Annotated[
    dict[SourceName, dict[str, object]],
    Field(min_length=1, description="The systems that post webhooks, by the name in their address `/hooks/NAME/…`."),
]
Targets = Annotated[
    dict[Name, dict[str, object]],
    Field(min_length=1, description="The services that messages go to, by the names that routes use."),
]
Routes = Annotated[list[RouteFrame], Field(min_length=1, description="The rules.")]


class PartFrame(Strict):
    """A part of the rules: a file that another one includes. What stands here counts as if it stood there."""

    sources: Sources = Field(default_factory=dict)
    targets: Targets = Field(default_factory=dict)
    routes: Routes = Field(default_factory=list)


class FileFrame(Strict):
    """The rules of bridge: what comes in, where messages go, and which event becomes which message."""

    version: Literal[1]
    """The version of this language."""
    include: IncludePath | Annotated[list[IncludePath], Field(min_length=1)] = Field(default_factory=list)
    """Further files that hold routes, targets or sources: a path or a pattern such as `routes.d/*.yaml`, or a list."""
    defaults: DefaultsFrame = Field(default_factory=DefaultsFrame)
    """What counts for all routes that do not say otherwise, and how values are written in messages."""
    sources: Sources
    targets: Targets
    windows: dict[Name, WindowFrame] = Field(default_factory=dict)
    """The hours in which messages may go out, by the names that routes use."""
    routes: Routes
    tests: list[TrialFrame] = Field(default_factory=list)
    """Tests of the rules, which `bridge test` runs."""
