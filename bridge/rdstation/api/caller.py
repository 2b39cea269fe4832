"""One request to the CRM: within the budget, with what opens the API, and again where that does no harm."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential
from yarl import URL

from bridge.component.http import Answer, Http, Request
from bridge.component.remote import Urgency
from bridge.errors import (
    DeliveryFailure,
    RemoteError,
    RemoteGarbledError,
    RemoteMissingError,
    RemoteUnavailableError,
    UnknownOutcome,
)
from bridge.model import Json, JsonObject
from bridge.options import Secret
from bridge.rdstation.api.access import Access
from bridge.rdstation.api.budget import Budget
from bridge.rdstation.api.faults import fault_of
from bridge.rdstation.api.options import ApiOptions, Credentials

ATTEMPTS: Final = 4
PATIENT_ATTEMPTS: Final = 8
"""So many at the limit of requests, where nobody waits: their pauses outlast the minute that the limit is of."""
LARGEST: Final = 16 * 1024 * 1024
"""Bytes of an answer that are read: a page of 200 deals with all their fields has a few hundred thousand."""
LARGEST_FOR_A_MESSAGE: Final = 1024 * 1024
"""The same for what a message asks for: one entity, or a few. Many are read and remembered beside webhooks."""
TIMEOUT: Final = 20.0
PAUSE: Final = 10.0
"""Seconds that nothing is asked after a 429 that does not say how long."""
LONGEST_PAUSE: Final = 60.0
"""Seconds: the limit is one of a minute, so whoever asks for more is asked again after it."""

ID: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""What an id may be: both APIs give hexadecimal digits, or UUIDs."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

_backoff = wait_random_exponential(multiplier=0.5, max=8)


class LostAnswerError(RemoteUnavailableError):
    """The request left, and no answer came: it may have been acted upon."""


class Caller:
    """Asks the API of one source."""

    def __init__(
        self,
        options: ApiOptions,
        access: Access,
        http: Http,
        budget: Budget | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take where to ask, what opens it, the way out, how much may be asked, and how to wait."""
        self._options = options
        self._access = access
        self._http = http
        self.budget = budget or Budget()
        self._sleep = sleep

    @property
    def credentials(self) -> Credentials:
        """Return what opens the API."""
        return self._options.credentials

    def under(self, options: ApiOptions) -> "Caller":
        """Return what asks under other options: within the same budget, and by the same tokens."""
        return Caller(options, self._access, self._http, self.budget, self._sleep)

    @property
    def near(self) -> bool:
        """Tell whether the API is on this machine."""
        return URL(self._options.origin).host in LOOPBACK

    @property
    def patience(self) -> float:
        """Return how many seconds a message waits at most."""
        return self._options.wait.total_seconds()

    async def ask(
        self,
        method: str,
        path: str,
        urgency: Urgency,
        *,
        query: Mapping[str, str] | None = None,
        body: JsonObject | None = None,
    ) -> Json:
        """Return the JSON of an answer; None where it has no body.

        Raises:
            RemoteError: it was refused, or is not to be had now.
        """
        url = URL(self._options.origin + path).update_query(query or {})
        most = LARGEST_FOR_A_MESSAGE if urgency is Urgency.MESSAGE else LARGEST
        request = Request(method, str(url), _headers(body), _encoded(body), timeout=TIMEOUT, most=most)
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: _may_repeat(error, method)),
            stop=lambda state: state.attempt_number >= _attempts(state, urgency),
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )
        answer: Answer = await retrying(self._once, request, urgency)
        return _read(answer)

    async def _once(self, request: Request, urgency: Urgency) -> Answer:
        opened, answer = await self._send(request, urgency)
        if answer.status == HTTPStatus.UNAUTHORIZED and await self._access.renew(opened, self._http):
            opened, answer = await self._send(request, urgency)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._slow_down(answer)
        if fault := fault_of(answer, self._options, *_bearer(opened)):
            raise fault
        return answer

    async def _send(self, request: Request, urgency: Urgency) -> tuple[Request, Answer]:
        await self.budget.spend(urgency)
        opened = await self._access.open(request, self._http)
        try:
            return opened, await self._http.call(opened)
        except UnknownOutcome as failure:
            fault: RemoteError = LostAnswerError(f"the CRM did not answer: {failure.reason}")
        except DeliveryFailure as failure:
            fault = RemoteUnavailableError(f"the CRM cannot be reached: {failure.reason}")
        raise fault

    def _slow_down(self, answer: Answer) -> None:
        fault = fault_of(answer, self._options)
        asked = fault.retry_after if isinstance(fault, RemoteUnavailableError) else None
        self.budget.close(min(PAUSE if asked is None else asked, LONGEST_PAUSE))


def _may_repeat(error: BaseException, method: str) -> bool:
    """Tell whether a request may be sent again: one that makes something must not be, if it may have been made."""
    if method == "POST" and isinstance(error, RemoteUnavailableError):
        unmade = error.status == HTTPStatus.TOO_MANY_REQUESTS
        return unmade or (error.status is None and not isinstance(error, LostAnswerError))
    return isinstance(error, RemoteUnavailableError)


def _attempts(state: RetryCallState, urgency: Urgency) -> int:
    """Return how often it is asked at most: what takes hours must not end because others took the whole of a minute."""
    error = state.outcome.exception() if state.outcome else None
    limited = isinstance(error, RemoteUnavailableError) and error.status == HTTPStatus.TOO_MANY_REQUESTS
    return PATIENT_ATTEMPTS if limited and urgency is Urgency.REPAIR else ATTEMPTS


def _bearer(request: Request) -> Sequence[Secret]:
    """Return the access token that a request carries, if it does."""
    _, _, token = request.headers.get("Authorization", "").partition(" ")
    return (Secret(token),) if token else ()


def _pause(state: RetryCallState) -> float:
    """Return the wait before the next attempt; what a 429 asks for, the budget waits for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, RemoteUnavailableError) else None
    return min(asked, LONGEST_PAUSE) if asked is not None else _backoff(state)


def _headers(body: JsonObject | None) -> dict[str, str]:
    accept = {"Accept": "application/json"}
    return accept if body is None else {**accept, "Content-Type": "application/json"}


def _encoded(body: JsonObject | None) -> bytes | None:
    return None if body is None else orjson.dumps(body)


def _read(answer: Answer) -> Json:
    if not answer.body.strip():
        return None
    try:
        told: Json = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        pass
    else:
        return told
    reason = "the CRM answered with something that is no JSON"
    if answer.body.lstrip().startswith(b"<"):  # a page for people: whatever is asked, it would come
        raise RemoteUnavailableError(reason, answer.status)
    raise RemoteGarbledError(reason, answer.status)


def segment(id_: str) -> str:
    """Return an id as one segment of a path. Ids come from webhooks: none may lead to another resource.

    Raises:
        RemoteMissingError: nothing can have such an id.
    """
    if not ID.fullmatch(id_):
        raise RemoteMissingError("the CRM gives nothing such an id")
    return id_


def items(told: Json, name: str) -> Sequence[JsonObject]:
    """Return the objects of a list, which stands alone or under a name."""
    listed = told.get(name) if isinstance(told, dict) else told
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else ()


def whole(told: Json, name: str) -> JsonObject:
    """Return an object, which stands alone or under a name; empty if it is none."""
    inner = told.get(name, told) if isinstance(told, dict) else told
    return inner if isinstance(inner, dict) else {}
