"""Services as tests play them: they answer what the test says, and no socket is ever opened."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from bridge.component import Answer, AnyTarget, Http, Links, Request, Target
from bridge.component.http import json_body, refusal
from bridge.config.trial_frame import Reply, ReplyFrame
from bridge.errors import TransientFailure, UnknownOutcome
from bridge.model import Clock, Json, Limits, Message, Receipt


class PlayedHttp:
    """The way out to one service, which answers as it was told to, one request after another, and then well.

    It is asked by one target only, so that each has its own answers.
    """

    def __init__(self, target: AnyTarget, replies: Iterable[Reply], clock: Clock) -> None:
        """Take the target, which knows how its service answers what it accepts."""
        self._target = target
        self._replies = deque(replies)
        self._clock = clock
        self._number = 0

    async def call(self, request: Request) -> Answer:
        """Return the next answer; see ``Http.call``."""
        self._number += 1
        reply = self._replies.popleft() if self._replies else "ok"
        match reply:
            case "timeout":
                raise UnknownOutcome(f"no complete answer within {request.timeout:g} s")
            case "unreachable":
                raise TransientFailure("no connection: Connection refused")
            case ReplyFrame():
                return self._answer(reply, request)
            case _:
                return self._target.accepted(request, self._number)

    async def deliver(self, request: Request) -> Answer:
        """Return the next answer if it is a success; see ``Http.deliver``."""
        answer = await self.call(request)
        if failure := refusal(answer, self._clock.now(), request.welcome):
            raise failure
        return answer

    def _answer(self, reply: ReplyFrame, request: Request) -> Answer:
        wait = reply.retry_after
        headers = {} if wait is None else {"retry-after": f"{wait.total_seconds():g}"}
        if reply.body is not None:
            said: Json = reply.body  # type: ignore[assignment]  # YAML gives nothing but JSON
            return Answer(reply.status, headers, said.encode() if isinstance(said, str) else json_body(said))
        well = self._target.accepted(request, self._number)
        return Answer(reply.status, headers, well.body if Answer(reply.status, {}, b"").ok else b"")


class PlayedTarget(Target[Any, Any]):
    """A target in a test: its own code where all of it goes over HTTP, and in its place nothing but the answer.

    Its rate is not kept: in a test, what only waits for its turn goes at once.
    """

    def __init__(self, target: AnyTarget) -> None:
        """Take the target of the rules."""
        super().__init__(target.name, target.options)
        self._target = target

    @property
    def limits(self) -> Limits:
        """Return the target's limits, without the rate."""
        return Limits(self._target.limits.concurrency)

    @property
    def looks_up(self) -> bool:
        """Tell whether the target can find out what became of a message."""
        return self._target.over_http and self._target.looks_up

    @property
    def never_doubles(self) -> bool:
        """Tell whether the target's messages can be sent again."""
        return self._target.idempotent or self.looks_up

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Send a message to the played service."""
        if self._target.over_http:
            return await self._target.send(message, links, http)
        self._target.action(message)
        answer = await http.deliver(Request("POST", "", timeout=self.options.timeout))
        return Receipt(answer.status)

    async def look_up(self, message: Message, since: Any, links: Links, http: Http) -> Receipt | None:  # noqa: ANN401 (as the target has it)
        """Ask the played service for a message."""
        return await self._target.look_up(message, since, links, http)
