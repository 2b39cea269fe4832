"""A target: a configured service that messages go to. One module in ``bridge/targets`` is one type."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

from pydantic import ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from bridge.component.base import Strict
from bridge.component.http import Answer, Http, Request
from bridge.component.limits import BreakerOptions, RetryOptions
from bridge.errors import PermanentFailure
from bridge.model import JsonObject, Limits, Link, Message, Rate, Receipt
from bridge.options import Redactor, Secret, secrets_in
from bridge.options.quantity import RateOption

Escape: TypeAlias = Callable[[str], str]
"""Makes a piece of event data inert in the format of one field, so that it can only ever be text."""


@dataclass(frozen=True, slots=True)
class UnlessWhole:
    """An escape that spares data which is all that its field holds, written as one ``{{ expression }}``.

    So an event may bring a whole address, and yet never more than a piece of one that the rules have begun.
    """

    escape: Escape

    def __call__(self, data: str) -> str:
        """Return the data, inert."""
        return self.escape(data)


class TargetOptions(Strict):
    """What every target takes."""

    concurrency: int = Field(default=4, ge=1, le=64)
    """How many deliveries may be on their way at once."""
    timeout: float = Field(default=15, gt=0, le=120)
    """Seconds one attempt may take."""
    rate: RateOption | None = None
    """How many deliveries may be sent in a time, such as `1/s` or `100/10s`; by default what the service allows."""
    retry: RetryOptions = Field(default_factory=RetryOptions)
    """When to try again; a deliver entry may say otherwise."""
    breaker: BreakerOptions | None = Field(default_factory=BreakerOptions)
    """When to leave the service alone for a while; null never does."""


class Action(Strict):
    """What one deliver entry asks of a target: the keys beside `to`, rendered.

    The same model checks routes.yaml at load (where a template stands for any value) and the rendered content.
    A template that gives a number where text belongs gives its digits.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)


class Links(Protocol):
    """What a target may ask of the store, before it sends anything: the objects it made before."""

    async def find(self, key: str) -> Link | None:
        """Return the object this target made for a key, if any."""


OptionsT = TypeVar("OptionsT", bound=TargetOptions)
ActionT = TypeVar("ActionT", bound=Action)


class Target(ABC, Generic[OptionsT, ActionT]):
    """Sends one message at a time. Never retries, sleeps, logs or renders: the delivery loop does."""

    Options: ClassVar[type[TargetOptions]] = TargetOptions
    Action: ClassVar[type[Action]] = Action
    escapes: ClassVar[Mapping[str, Escape]] = {}
    """How event data is made inert, per action field; a field that is not named takes data as it is."""
    main_field: ClassVar[str] = "text"
    """The action field that `template: FILE` fills."""
    rate: ClassVar[Rate | None] = None
    """What the service allows, per bucket, where the options say nothing else."""
    key_fields: ClassVar[frozenset[str]] = frozenset()
    """The action fields that hold a key, as `key:` does: a template, or the bare name of an entity kind (`deal`)."""
    idempotent: ClassVar[bool] = False
    """Whether sending a message twice leaves what sending it once does: then what is unknown is sent again."""
    over_http: ClassVar[bool] = False
    """Whether all that it sends goes through the ``Http`` it is handed: then `bridge test` runs it, else stands in."""

    def __init__(self, name: str, options: OptionsT) -> None:
        """Keep the name from routes.yaml and the parsed options."""
        self.name = name
        self.options = options
        self._blotting: tuple[Secret | None, Redactor] | None = None

    @property
    def redactor(self) -> Redactor:
        """Return what blots this target's own secrets, and its token of the moment, out of what its service says."""
        token = self.token
        if self._blotting is None or self._blotting[0] != token:  # to prepare one takes longer than most attempts do
            self._blotting = (token, Redactor((*secrets_in(self.options), *secrets_in(token))))
        return self._blotting[1]

    @property
    def token(self) -> Secret | None:
        """Return the access token that was used last, where the service gave one for the credentials."""
        return None

    @property
    def limits(self) -> Limits:
        """Return how much may be sent."""
        return Limits(self.options.concurrency, self.options.rate or self.rate)

    @property
    def looks_up(self) -> bool:
        """Tell whether ``look_up`` can find out what became of a message; else an unknown outcome stays unknown."""
        return False

    @property
    def never_doubles(self) -> bool:
        """Tell whether a message whose outcome is unknown can be sent again, and will not be there twice."""
        return self.idempotent or self.looks_up

    def bucket(self, content: JsonObject) -> str:
        """Return what of the service a rendered action is counted against, such as a channel; all share one."""
        return ""

    def upserts(self, content: JsonObject) -> bool:
        """Tell whether a rendered action replaces what an earlier one of its key has left at the service."""
        return False

    def link_key(self, message: Message) -> str | None:
        """Return the key whose link tells what a message updates or answers to; None if it makes something new."""
        return None

    def __repr__(self) -> str:
        """Return type and name, never an option."""
        return f"<{type(self).__name__} {self.name}>"

    @classmethod
    def filled_by(cls, file: str) -> str:  # noqa: ARG003 (for those that tell files apart)
        """Return the action field that a template file of this name fills: ``main_field``, but for a few targets."""
        return cls.main_field

    @classmethod
    def prepare(cls, content: JsonObject, *, gathered: bool = False) -> JsonObject:  # noqa: ARG003 (for those it matters to)
        """Return an action as it is to be compiled, its templates not yet rendered.

        Here a target notes what rendering would hide, such as whether an address was written out in routes.yaml.
        ``gathered`` says that it tells of many changes: then there is no `event`.
        """
        return content

    def action(self, message: Message) -> ActionT:
        """Return the message's content as this target's action model.

        Raises:
            PermanentFailure: the content does not fit, such as a message planned by an older version.
        """
        try:
            return self.Action.model_validate(message.content)  # type: ignore[return-value]
        except ValidationError as error:
            reason = "; ".join(_sentence(detail) for detail in error.errors(include_input=False, include_url=False))
        raise PermanentFailure(f"the message does not fit the target: {reason}")

    @abstractmethod
    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Make one attempt.

        Raises:
            TransientFailure: not accepted; safe to try again.
            UnknownOutcome: it may have been accepted.
            PermanentFailure: refused for good.
            AccessRefused: the service refuses the target, whatever the message.
        """

    async def look_up(self, message: Message, since: datetime, links: Links, http: Http) -> Receipt | None:
        """Ask the service whether it has a message that was first sent at ``since``; None if it has not.

        Only asked where ``looks_up`` says so, before a message is sent again whose outcome is unknown.

        Raises:
            DeliveryFailure: it could not be found out; as ``send``.
        """
        raise NotImplementedError

    async def probe(self, http: Http) -> str | None:
        """Ask the service whether it takes the target's credentials and has its channel, board or calendar.

        Return what was found, such as "posts as Bridge in #vendas"; None if it cannot be asked without sending
        something. It never writes at the service.

        Raises:
            DeliveryFailure: as ``send``: what a message would meet just now.
        """
        return None

    def accepted(self, request: Request, number: int) -> Answer:
        """Return what the service answers to a request that it accepts, the ``number``-th one of a test of rules."""
        return Answer(200, {}, b"{}")

    def preview(self, content: JsonObject) -> str:
        """Return the message as a person would see it at the service; never with a secret in it."""
        main = content.get(self.main_field)
        return main if isinstance(main, str) else str(content)

    def warnings(self, content: JsonObject) -> tuple[str, ...]:
        """Return what of an unrendered action this target's options can never do, a sentence each."""
        return ()

    def objections(self, content: JsonObject) -> tuple[str, ...]:
        """Return why an unrendered action makes no sense with this target's options, a sentence each."""
        return ()


def _sentence(detail: ErrorDetails) -> str:
    return ": ".join(filter(None, (".".join(map(str, detail["loc"])), detail["msg"])))


AnyTarget: TypeAlias = Target[Any, Any]
"""A target whose type does not matter: what the delivery loop holds."""
