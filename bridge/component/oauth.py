"""OAuth 2.0 as a client: an access token, asked for once however many wait for it, and again before it runs out.

RFC 6749: what a grant sends to the token endpoint, and what comes back. Which grant, its target says.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlencode

import orjson

from bridge.component.http import Answer, Http, Request
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.options import Secret

MARGIN: Final = 60.0
"""Seconds before its end at which a token is no longer used: a request takes time, and clocks differ."""
SHORT_LIVED: Final = 300.0
"""Seconds that a token is taken to last where its answer does not say."""

Form: TypeAlias = Callable[[], Mapping[str, str]]
"""Gives the fields of the form for the token endpoint, made anew for each request."""


@dataclass(frozen=True, slots=True)
class _Token:
    secret: Secret
    ends: float


class AccessTokens:
    """The access tokens of one target: at any time one, which all its messages share."""

    def __init__(self, url: str, form: Form, timeout: float) -> None:
        """Take the token endpoint, what it is sent, and the seconds that its answer may take."""
        self._url = url
        self._form = form
        self._timeout = timeout
        self._token: _Token | None = None
        self._asking = asyncio.Lock()

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
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        body = urlencode(self._form()).encode()
        began = time.monotonic()
        try:
            answer = await http.deliver(Request("POST", self._url, headers, body, timeout=self._timeout))
        except (PermanentFailure, AccessRefused) as failure:
            raise _refused(failure) from None
        except UnknownOutcome as failure:  # whatever became of the question, the message has not left
            raise TransientFailure(f"no access token: {failure.reason}") from None
        return _read(answer, began)


def _refused(failure: DeliveryFailure) -> AccessRefused:
    """Return the refusal in the words of the token endpoint (RFC 6749, 5.2)."""
    told = _object(failure.excerpt.encode())
    words = ": ".join(str(told[name]) for name in ("error", "error_description") if told.get(name))
    return AccessRefused(f"no access token: {words or failure.reason}", status=failure.status)


def _read(answer: Answer, began: float) -> _Token:
    told = _object(answer.body)
    token, lasts = told.get("access_token"), told.get("expires_in")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise TransientFailure("no access token: the answer holds none", status=answer.status)
    seconds = float(lasts) if isinstance(lasts, int | float) else SHORT_LIVED
    return _Token(Secret(token), began + max(seconds - MARGIN, 0))


def _object(body: bytes) -> dict[str, object]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
