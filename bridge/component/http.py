"""HTTP as targets use it: one call, one answer, and every way it can fail sorted once, here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import orjson

from bridge.component.guard import Network
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure
from bridge.model import Json

if TYPE_CHECKING:
    from ssl import SSLContext  # most have no certificate of their own, and it is slow to load

BODY_LIMIT = 64 * 1024
"""Bytes of an answer that are kept, unless a request asks for more; what follows is not read."""
LONGEST_WAIT = 86_400.0
"""Seconds; a service that asks for more is asked again after a day."""
NOT_NOW = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""The refusals below 500 that say: later."""

NOT_US = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.GONE})
"""The refusals that no other message would fare better with."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``timeout`` in seconds covers all of it; of the answer ``most`` bytes are kept.

    ``trusted`` says that the host was written literally in routes.yaml; a host that comes from event data is not,
    and may then not resolve to a private, loopback or link-local address outside the ``allowed`` networks.
    ``welcome`` are the statuses that are a success, where that is not any 2xx. ``tls`` replaces the trust of the client
    and may bring a certificate of ours.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float = 15
    trusted: bool = True
    allowed: tuple[Network, ...] = ()
    most: int = BODY_LIMIT
    welcome: frozenset[int] | None = None
    tls: "SSLContext | None" = None

    def __repr__(self) -> str:
        """Return the method alone: addresses and headers may hold secrets."""
        return f"<Request {self.method}>"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; ``body`` is cut at 64 KiB, or what the request asked for. Header names are lower-cased."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        """Return the status alone: a service may echo what it was sent."""
        return f"<Answer {self.status}>"

    @property
    def ok(self) -> bool:
        """Tell whether the service accepted the request."""
        return 200 <= self.status < 300  # noqa: PLR2004 (the definition of success)

    @property
    def excerpt(self) -> str:
        """Return the body as text, for the attempt's record: that is cut when the secrets in it are blotted out."""
        return self.body.decode("utf-8", "replace")


class Http(Protocol):
    """The one way out, shared by all targets."""

    async def call(self, request: Request) -> Answer:
        """Send a request and return its answer, whatever its status.

        Raises:
            TransientFailure: it never reached the service (refused connection, name not found, TLS).
            UnknownOutcome: it left, and no complete answer came in time.
            PermanentFailure: it may not be sent: malformed address, or one that is not allowed.
        """

    async def deliver(self, request: Request) -> Answer:
        """Send a request and return its answer if it is 2xx, or what the request welcomes instead.

        Raises:
            TransientFailure: 408, 425, 429 and 5xx, with the ``Retry-After`` of the answer in seconds.
            AccessRefused: 401, 403 and 410.
            PermanentFailure: any other status; redirects are not followed.
        """


def refusal(answer: Answer, now: datetime, welcome: frozenset[int] | None = None) -> DeliveryFailure | None:
    """Return what an answer's status means for a delivery; None when it was accepted."""
    if answer.ok if welcome is None else answer.status in welcome:
        return None
    reason = f"answered {_status_line(answer.status)}"
    if answer.status in NOT_NOW or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        wait = retry_after(answer.headers, now)
        return TransientFailure(
            reason,
            status=answer.status,
            excerpt=answer.excerpt,
            retry_after=wait,
            throttled=answer.status == HTTPStatus.TOO_MANY_REQUESTS,
        )
    if answer.status in NOT_US:
        return AccessRefused(reason, status=answer.status, excerpt=answer.excerpt)
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        reason += "; redirects are not followed, so write the final address in routes.yaml"
    elif answer.ok:
        reason += ", which the rules do not name as a success"
    return PermanentFailure(reason, status=answer.status, excerpt=answer.excerpt)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the wait a ``Retry-After`` header asks for, in seconds from 0 to a day; None without a readable one.

    RFC 9110, 10.2.3: a number of seconds, or an HTTP date.
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value) if _is_number(value) else (_http_date(value) - now).total_seconds()
    except (ValueError, OverflowError):  # a year of many digits
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def json_body(value: Json) -> bytes:
    """Return a value as JSON.

    Raises:
        PermanentFailure: it holds what JSON cannot, such as an integer of more than 64 bits.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        reason = f"the message cannot be written as JSON: {error}"
    raise PermanentFailure(reason)


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _is_number(value: str) -> bool:
    return value.removeprefix("-").replace(".", "", 1).isdecimal() and value.isascii()


def _http_date(value: str) -> datetime:
    date = parsedate_to_datetime(value)
    return date if date.tzinfo else date.replace(tzinfo=UTC)
