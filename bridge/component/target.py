"""A target: a configured service that messages go to. One module in ``bridge/targets`` is one type."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

from pydantic import Field

from bridge.component.base import Strict
from bridge.component.http import Http
from bridge.model import JsonObject, Link, Message, Receipt

Escape: TypeAlias = Callable[[str], str]
"""Makes a piece of event data inert in the format of one field, so that it can only ever be text."""


class TargetOptions(Strict):
    """What every target takes."""

    concurrency: int = Field(default=4, ge=1, le=64)
    """How many deliveries may be on their way at once."""
    timeout: float = Field(default=15, gt=0, le=120)
    """Seconds one attempt may take."""


class Action(Strict):
    """What one deliver entry asks of a target: the keys beside `to`, rendered.

    The same model checks routes.yaml at load (where a template stands for any value) and the rendered content.
    """


class Links(Protocol):
    """What a target may ask of the store: the objects it made before."""

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
    key_fields: ClassVar[frozenset[str]] = frozenset()
    """The action fields that hold a key, as `key:` does: a template, or the bare name of an entity kind (`deal`)."""

    def __init__(self, name: str, options: OptionsT) -> None:
        """Keep the name from routes.yaml and the parsed options."""
        self.name = name
        self.options = options

    def __repr__(self) -> str:
        """Return type and name, never an option."""
        return f"<{type(self).__name__} {self.name}>"

    def action(self, message: Message) -> ActionT:
        """Return the message's content as this target's action model."""
        return self.Action.model_validate(message.content)  # type: ignore[return-value]

    @abstractmethod
    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Make one attempt.

        Raises:
            TransientFailure: not accepted; safe to try again.
            UnknownOutcome: it may have been accepted.
            PermanentFailure: refused for good.
        """

    def preview(self, content: JsonObject) -> str:
        """Return the message as a person would see it at the service; never with a secret in it."""
        main = content.get(self.main_field)
        return main if isinstance(main, str) else str(content)

    def warnings(self, content: JsonObject) -> tuple[str, ...]:
        """Return what of an unrendered action this target's options can never do, a sentence each."""
        return ()


AnyTarget: TypeAlias = Target[Any, Any]
"""A target whose type does not matter: what the delivery loop holds."""
