"""A target that does as it is told, and remembers what it was sent."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from bridge.component import Action as BaseAction
from bridge.component import Http, Links, Target, TargetOptions
from bridge.errors import DeliveryFailure
from bridge.model import Message, Receipt
from bridge.options import Secret

Step = DeliveryFailure | Receipt | Exception | Callable[[], Awaitable[Receipt]]


async def never() -> Receipt:
    """Keep the target waiting for ever."""
    await asyncio.Event().wait()
    raise AssertionError("for ever has ended")


class ScriptedOptions(TargetOptions):
    """A secret, to see whether it leaks."""

    token: Secret = Secret("hush-hush")


class ScriptedAction(BaseAction):
    """Text alone."""

    text: str = ""


class ScriptedTarget(Target[ScriptedOptions, ScriptedAction]):
    """Answers each message with the next step of its script, and with a receipt when the script has ended."""

    Options = ScriptedOptions
    Action = ScriptedAction

    def __init__(self, name: str = "sales", *script: Step, **options: Any) -> None:
        super().__init__(name, ScriptedOptions(**options))
        self.script = list(script)
        self.sent: list[Message] = []
        self.arrived = asyncio.Event()

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        self.sent.append(message)
        self.arrived.set()
        step = self.script.pop(0) if self.script else Receipt(status=200)
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Receipt) else await step()


class LookingTarget(ScriptedTarget):
    """Finds the messages that are ``there``, unless looking itself fails."""

    def __init__(self, name: str = "sales", *script: Step, **options: Any) -> None:
        super().__init__(name, *script, **options)
        self.there: set[str] = set()
        self.looked: list[str] = []
        self.looking: list[DeliveryFailure] = []

    @property
    def looks_up(self) -> bool:
        return True

    async def look_up(self, message: Message, since: datetime, links: Links, http: Http) -> Receipt | None:
        self.looked.append(message.delivery_id)
        if self.looking:
            raise self.looking.pop()
        return Receipt(excerpt="found") if message.delivery_id in self.there else None


class NoHttp:
    """An ``Http`` for targets that need none."""

    async def call(self, request: object) -> object:
        raise AssertionError(f"no request was expected: {request!r}")

    deliver = call
