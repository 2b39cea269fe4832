"""The aiohttp implementation of ``Http``: no redirects, no cookies, no proxy from the environment, no retries."""

import errno
import os
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from importlib.metadata import version
from ssl import SSLContext
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from bridge.component.guard import ForbiddenAddressError, Network, guarded_sockets
from bridge.component.http import Answer, Request, refusal
from bridge.component.resolver import Resolver
from bridge.errors import DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import Clock, SystemClock

if TYPE_CHECKING:
    from aiohttp.tracing import Trace

CONNECT_TIMEOUT: Final = 10.0
"""Seconds for connection and TLS together; for the name, which nothing is sent without, there is the whole timeout."""

Policy: TypeAlias = "tuple[Network, ...] | None"
"""The networks a guarded request may reach beside the public ones; None for a request that is trusted."""


@dataclass(slots=True)
class _Progress:
    """How far a request came: once it ``left``, the service may have acted on it."""

    left: bool = False


_progress: ContextVar[_Progress] = ContextVar("progress")
"""That of the request under way."""


class _Connector(aiohttp.TCPConnector):
    """Notes which requests leave: they do as soon as they have a connection.

    Each leaves once: aiohttp repeats a GET, PUT or DELETE that got no answer, and we count attempts.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: "list[Trace]",
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (aiohttp's signature)
    ) -> Connection:
        """Return a connection for a request, which goes out by it at once."""
        progress = _progress.get()
        if progress.left:
            raise aiohttp.ServerConnectionError
        connection = await super().connect(req, traces, timeout)
        progress.left = True
        return connection


class Client:
    """The one way out. An async context manager; targets share it, and with it its connections.

    There is one session for each trust policy, because a pooled connection must never serve a stricter policy than
    the one it was opened under, and names of one policy must not wait for those of another.
    """

    def __init__(
        self, clock: Clock | None = None, tls: SSLContext | None = None, connect_timeout: float = CONNECT_TIMEOUT
    ) -> None:
        """Prepare a client; ``tls`` replaces the system's trust in certificates, ``connect_timeout`` is in seconds."""
        self._clock = clock or SystemClock()
        self._tls = tls
        self._connect_timeout = connect_timeout
        self._sessions: dict[Policy, aiohttp.ClientSession] = {}
        self._resolvers: list[Resolver] = []

    async def __aenter__(self) -> Self:
        """Return the client; sessions are made when they are first needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()
        for resolver in self._resolvers:
            await resolver.close()

    async def call(self, request: Request) -> Answer:
        """Send a request and return its answer, whatever its status; see ``Http.call``."""
        progress = _Progress()
        token = _progress.set(progress)
        try:
            return await self._exchange(request)
        # RuntimeError: uvloop raises it for some failed connections, aiohttp for a session that is closed.
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError, ForbiddenAddressError) as error:
            failure = self._failure(error, request, progress)
        finally:
            _progress.reset(token)
        # Raised outside of the handler: the original holds the address and the headers, and would stay as context.
        raise failure

    async def deliver(self, request: Request) -> Answer:
        """Send a request and return its answer if it is a success; see ``Http.deliver``."""
        answer = await self.call(request)
        if failure := refusal(answer, self._clock.now(), request.welcome):
            raise failure
        return answer

    async def _exchange(self, request: Request) -> Answer:
        async with self._session(request).request(
            request.method,
            _checked(request.url),
            headers=request.headers,
            data=request.body,
            ssl=request.tls or True,
            allow_redirects=False,
            timeout=_timeout(request.timeout, min(self._connect_timeout, request.timeout)),
        ) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, await _body(response, request.most))

    def _session(self, request: Request) -> aiohttp.ClientSession:
        policy = None if request.trusted else request.allowed
        if policy not in self._sessions:
            self._sessions[policy] = aiohttp.ClientSession(
                connector=self._connector(policy),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"bridge/{version('bridge')}"},
                trust_env=False,
            )
        return self._sessions[policy]

    def _connector(self, policy: Policy) -> aiohttp.TCPConnector:
        """Return a connector without a limit of its own: a target's ``concurrency`` is the limit."""
        tls, resolver = self._tls or True, Resolver()
        self._resolvers.append(resolver)
        if policy is None:
            return _Connector(limit=0, ssl=tls, resolver=resolver)
        # One address after the other: racing them swallows the guard's verdict.
        sockets = guarded_sockets(policy)
        return _Connector(limit=0, ssl=tls, resolver=resolver, socket_factory=sockets, happy_eyeballs_delay=None)

    def _failure(self, error: Exception, request: Request, progress: _Progress) -> DeliveryFailure:
        if isinstance(error, ForbiddenAddressError):
            return PermanentFailure(f"the address is not allowed: {error}, and its host does not stand in routes.yaml")
        if isinstance(error, ValueError) and not isinstance(error, OSError):
            return PermanentFailure("the address or a header is malformed")
        if progress.left:
            return UnknownOutcome(_lost_answer(error, request))
        return TransientFailure(_no_connection(error))


def _checked(address: str) -> URL:
    """Return an address that a request can go to; raises ValueError."""
    url = URL(address)
    if url.scheme not in {"http", "https"} or not url.raw_host or " " in url.raw_host:
        raise ValueError
    return url


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Read at most the limit, and drop the connection rather than read the rest.

    A refusal whose body breaks off is still that refusal.
    """
    body = bytearray()
    try:
        while len(body) < most and not response.content.at_eof():
            body += await response.content.read(most - len(body))
    except (aiohttp.ClientError, OSError):
        if response.status < HTTPStatus.MULTIPLE_CHOICES:
            raise
    if not response.content.at_eof():
        response.close()
    return bytes(body)


@lru_cache(maxsize=64)
def _timeout(total: float, connect: float) -> aiohttp.ClientTimeout:
    """Return the same for the same numbers: making one costs more than all else that is said of a request."""
    return aiohttp.ClientTimeout(total=total, sock_connect=connect)


def _lost_answer(error: Exception, request: Request) -> str:
    if isinstance(error, TimeoutError):
        return f"no complete answer within {request.timeout:g} s"
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.ClientPayloadError):
        return "the answer was not valid HTTP, or broke off"
    return "the connection ended before the answer"


def _no_connection(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the name of the host could not be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "the certificate of the host is not trusted"
    if isinstance(error, aiohttp.ClientSSLError):
        return "no TLS connection could be agreed on"
    if isinstance(error, TimeoutError):
        return "no connection in time"
    return f"no connection: {_system_words(error)}"


def _system_words(error: Exception) -> str:
    number = (error.errno if isinstance(error, OSError) else None) or 0
    return os.strerror(number) if number in errno.errorcode else "it failed"
