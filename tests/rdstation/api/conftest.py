"""A CRM that answers from a script: what it was asked is kept, and what it was not told to answer fails the test."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from yarl import URL

from bridge.component.http import Answer, Request
from bridge.errors import DeliveryFailure
from bridge.options import Secret
from bridge.rdstation.api.budget import Budget
from bridge.rdstation.api.options import ApiOptions

V1 = ApiOptions(token=Secret("t0ken"), url="http://crm.test")
V2 = ApiOptions(client_id="app", client_secret=Secret("s3cret"), url="http://crm.test")


def answer(status: int = 200, body: Any = None, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


@dataclass
class Crm:
    """Answers in turn, or by path; ``asked`` are the requests in their order."""

    script: deque[Answer | DeliveryFailure] = field(default_factory=deque)
    paths: dict[str, Any] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    async def call(self, request: Request) -> Answer:
        self.asked.append(request)
        path = URL(request.url).path
        told = self.paths[path] if path in self.paths else self.script.popleft()
        told = told(URL(request.url).query) if callable(told) else told
        if isinstance(told, DeliveryFailure):
            raise told
        return told if isinstance(told, Answer) else answer(body=told)

    async def deliver(self, request: Request) -> Answer:
        raise NotImplementedError

    def queries(self) -> list[Mapping[str, str]]:
        return [dict(URL(request.url).query) for request in self.asked]

    def bodies(self) -> list[Any]:
        return [orjson.loads(request.body) for request in self.asked if request.body]


@pytest.fixture
def crm() -> Crm:
    return Crm()


@pytest.fixture
def budget() -> Budget:
    return Budget()


@pytest.fixture
def waits() -> list[float]:
    """How long the client would have waited."""
    return []


@pytest.fixture
def sleep(waits: list[float]) -> Callable[[float], Awaitable[None]]:
    async def wait(seconds: float) -> None:
        waits.append(seconds)

    return wait
