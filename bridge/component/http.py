"""HTTP as targets use it: one call, one answer, and every way it can fail sorted once, here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``timeout`` in seconds covers all of it.

    ``trusted`` says that the host was written literally in routes.yaml; a host that comes from event data is not,
    and may then not resolve to a private, loopback or link-local address.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float = 15
    trusted: bool = True

    def __repr__(self) -> str:
        """Return the method alone: addresses and headers may hold secrets."""
        return f"<Request {self.method}>"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; ``body`` is cut at 64 KiB. Header names are lower-cased."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def excerpt(self) -> str:
        """Return the first 500 characters of the body, for the attempt's record."""
        return self.body[:2000].decode("utf-8", "replace")[:500]


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
        """Send a request and return its answer if it is 2xx.

        Raises:
            TransientFailure: 408, 425, 429 and 5xx, with the ``Retry-After`` of the answer in seconds.
            PermanentFailure: any other status; redirects are not followed.
        """
