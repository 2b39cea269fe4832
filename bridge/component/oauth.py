"""OAuth 2.0 as a client: an access token, asked for once however many wait for it, and again before it runs out.

RFC 6749: what a grant sends to the token endpoint, and what comes back. Which grant, its target says.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias
from urllib.parse import quote_plus, urlencode

from pydantic import Field

from bridge.component.base import Strict
from bridge.component.http import Answer, Http, Request
from bridge.component.reading import object_in
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.options import Secret
from bridge.options.address import Address

if TYPE_CHECKING:
    from ssl import SSLContext  # slow to load, as asyncio is: models of this module are there to be checked, too

MARGIN: Final = 60.0
"""Seconds before its end at which a token is no longer used: a request takes time, and clocks differ."""
SHORT_LIVED: Final = 300.0
"""Seconds that a token is taken to last where its answer does not say."""

Form: TypeAlias = Callable[[], Mapping[str, str]]
"""Gives the fields of the form for the token endpoint, made anew for each request."""

Sort: TypeAlias = Callable[[DeliveryFailure], DeliveryFailure]
"""Makes of a refusal what it means for the delivery, in the words of its service."""


class ClientCredentials(Strict):
    """A client that acts for itself, not for a person (RFC 6749, 4.4)."""

    token_url: Address
    """The address of the token endpoint."""
    client_id: str = Field(min_length=1)
    """The id of the client."""
    client_secret: Secret
    """The secret of the client."""
    scope: str | None = None
    """What the token is to be good for, as the service calls it; several with spaces between them."""
    audience: str | None = None
    """Which service the token is for, where the endpoint asks for it."""
    client_auth: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    """Where id and secret go: into a header, or with `client_secret_post` into the form."""

    @property
    def form(self) -> dict[str, str]:
        """Return the form with which the client asks for a token, in clear."""
        asked = {"grant_type": "client_credentials", "scope": self.scope, "audience": self.audience}
        if self.client_auth == "client_secret_post":
            asked |= {"client_id": self.client_id, "client_secret": self.client_secret.reveal()}
        return {name: value for name, value in asked.items() if value is not None}

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that go with the form, in clear."""
        return {"Authorization": f"Basic {self._pair}"} if self.client_auth == "client_secret_basic" else {}

    def made_secrets(self) -> tuple[str, ...]:
        """Return id and secret as they go into a header."""
        return (self._pair,)

    @property
    def _pair(self) -> str:
        """Return both, encoded as a form encodes them (RFC 6749, 2.3.1)."""
        parts = (self.client_id, self.client_secret.reveal())
        return b64encode(":".join(map(quote_plus, parts)).encode()).decode()


@dataclass(frozen=True, slots=True)
class _Token:
    secret: Secret
    ends: float


class AccessTokens:
    """The access tokens of one target: at any time one, which all its messages share."""

    def __init__(
        self,
        url: str,
        form: Form,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        tls: "SSLContext | None" = None,
    ) -> None:
        """Take the token endpoint, what it is sent, and the seconds that its answer may take."""
        import asyncio  # noqa: PLC0415 (where rules are only checked, few targets ask for tokens)

        self._url = url
        self._form = form
        self._timeout = timeout
        self._headers = headers or {}
        self._tls = tls
        self._token: _Token | None = None
        self._asking = asyncio.Lock()

    @classmethod
    def of(cls, client: ClientCredentials, timeout: float, tls: "SSLContext | None" = None) -> Self:
        """Return the tokens of a client that acts for itself."""
        return cls(client.token_url, lambda: client.form, timeout, client.headers, tls)

    def known(self, secret: Secret, seconds: float) -> None:
        """Take a token that lasts so long from now on."""
        self._token = _Token(secret, time.monotonic() + max(seconds - MARGIN, 0))

    async def get(self, http: Http) -> Secret:
        """Return a token that lasts for one request at least.

        Raises:
            AccessRefused: the credentials are refused.
            TransientFailure: none is to be had now; nothing of the message has left.
        """
        async with self._asking:
            if self._token is None or self._token.ends <= time.monotonic():
                self._token = await self._ask(http)
            return self._token.secret

    def forget(self, secret: Secret) -> None:
        """Drop a token that was refused, unless it has been replaced meanwhile."""
        if self._token and self._token.secret == secret:
            self._token = None

    async def _ask(self, http: Http) -> _Token:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", **self._headers}
        body = urlencode(self._form()).encode()
        began = time.monotonic()
        request = Request("POST", self._url, headers, body, timeout=self._timeout, tls=self._tls)
        try:
            answer = await http.deliver(request)
        except (PermanentFailure, AccessRefused) as failure:
            raise _refused(failure) from None
        except UnknownOutcome as failure:  # whatever became of the question, the message has not left
            raise TransientFailure(f"no access token: {failure.reason}") from None
        return _read(answer, began)


class RefusedError(Exception):
    """A service's refusal, beside what it means for the delivery where nothing else can be tried."""

    def __init__(self, status: int, failure: DeliveryFailure) -> None:
        """Keep both."""
        super().__init__(status)
        self.status = status
        self.failure = failure


class Bearer:
    """Sends requests with a token of the moment; one that is refused may have been revoked, and is replaced once."""

    def __init__(self, tokens: AccessTokens, sort: Sort = lambda failure: failure) -> None:
        """Take the tokens, and what a refusal of the service means."""
        self._tokens = tokens
        self._sort = sort
        self.token: Secret | None = None
        """The token that was used last."""

    async def deliver(self, http: Http, request: Request) -> Answer:
        """Send a request.

        Raises:
            RefusedError: the service refused it.
            DeliveryFailure: as ``Http.deliver``; ``AccessRefused`` comes from the token endpoint.
        """
        try:
            return await self._sent(http, request)
        except RefusedError as refusal:
            if refusal.status != HTTPStatus.UNAUTHORIZED or self.token is None:
                raise
            self._tokens.forget(self.token)
        return await self._sent(http, request)

    async def _sent(self, http: Http, request: Request) -> Answer:
        self.token = await self._tokens.get(http)
        headers = {**request.headers, "Authorization": f"Bearer {self.token.reveal()}"}
        try:
            return await http.deliver(replace(request, headers=headers))
        except (AccessRefused, PermanentFailure) as failure:
            raise RefusedError(failure.status or 0, self._sort(failure)) from None


def _refused(failure: DeliveryFailure) -> AccessRefused:
    """Return the refusal in the words of the token endpoint (RFC 6749, 5.2)."""
    told = object_in(failure.excerpt.encode())
    words = ": ".join(str(told[name]) for name in ("error", "error_description") if told.get(name))
    return AccessRefused(f"no access token: {words or failure.reason}", status=failure.status)


def _read(answer: Answer, began: float) -> _Token:
    told = object_in(answer.body)
    token, lasts = told.get("access_token"), told.get("expires_in")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise TransientFailure("no access token: the answer holds none", status=answer.status)
    seconds = float(lasts) if isinstance(lasts, int | float) else SHORT_LIVED
    return _Token(Secret(token), began + max(seconds - MARGIN, 0))
