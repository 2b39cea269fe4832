"""What opens the API: a token in each address (v1), or an access token that is replaced every two hours (v2)."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import urlencode

from yarl import URL

from bridge.component.http import Answer, Http, Request
from bridge.component.reading import object_in
from bridge.errors import DeliveryFailure, RemoteRefusedError, RemoteUnavailableError
from bridge.options import Secret
from bridge.rdstation.api.faults import blotted, fault_of
from bridge.rdstation.api.keeping import TokenFile, Tokens
from bridge.rdstation.api.options import ApiOptions

MARGIN: Final = 120.0
"""Seconds before its end at which an access token is replaced."""
USUAL: Final = 7200.0
"""Seconds that an access token lasts where the answer does not say."""
NOT_CONNECTED: Final = "the application is not connected with an account yet: run `bridge crm login`"


class Access(Protocol):
    """Puts into requests what opens the API."""

    async def open(self, request: Request, http: Http) -> Request:
        """Return a request with what opens the API in it; may raise ``RemoteError``."""

    async def renew(self, refused: Request, http: Http) -> bool:
        """Tell whether there is something else to try after a request was refused with 401."""


class TokenAccess:
    """API v1: a person's token, as a parameter of every address."""

    def __init__(self, token: Secret) -> None:
        """Take the token."""
        self._token = token

    async def open(self, request: Request, http: Http) -> Request:
        """See ``Access``."""
        return replace(request, url=str(URL(request.url).update_query(token=self._token.reveal())))

    async def renew(self, refused: Request, http: Http) -> bool:
        """See ``Access``: a token is what it is."""
        return False


class OAuthAccess:
    """API v2: the tokens of an application. One refresh at a time, and what it brings is kept before it is used."""

    def __init__(self, options: ApiOptions, file: TokenFile) -> None:
        """Take id and secret of the application, and where its tokens are kept."""
        self._options = options
        self._file = file
        self._tokens: Tokens | None = None
        self._unkept: Tokens | None = None
        self._one_at_a_time = asyncio.Lock()

    async def open(self, request: Request, http: Http) -> Request:
        """See ``Access``."""
        async with self._one_at_a_time:
            tokens = await self._lasting(http)
        return replace(request, headers={**request.headers, "Authorization": f"Bearer {tokens.access.reveal()}"})

    async def renew(self, refused: Request, http: Http) -> bool:
        """See ``Access``: the token may have been revoked before its time, unless it was replaced meanwhile."""
        async with self._one_at_a_time:
            tokens = await self._current()
            if refused.headers.get("Authorization") == f"Bearer {tokens.access.reveal()}":
                await self._refresh(tokens, http)
        return True

    def sign_in_page(self, redirect: str, state: str) -> str:
        """Return the page on which a person allows the application access, and which leads back to ``redirect``."""
        asked = {
            "response_type": "code",
            "client_id": self._options.client_id or "",
            "redirect_uri": redirect,
            "state": state,
        }
        return str(URL(f"{self._options.accounts}/oauth/authorize").with_query(asked))

    async def sign_in(self, code: str, redirect: str, http: Http) -> None:
        """Trade the code that the page led back with for tokens, and keep them.

        Raises:
            RemoteError: the CRM refuses the code, or cannot be reached.
        """
        async with self._one_at_a_time:
            await self._trade({"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}, http)

    async def _current(self) -> Tokens:
        if self._unkept:  # a full disk: what they replaced opens nothing any more
            await self._keep(self._unkept)
        if self._tokens is None:
            self._tokens = await asyncio.to_thread(self._file.load)
        if self._tokens is None:
            raise RemoteRefusedError(NOT_CONNECTED)
        return self._tokens

    async def _lasting(self, http: Http) -> Tokens:
        tokens = await self._current()
        return tokens if tokens.ends > time.time() else await self._refresh(tokens, http)

    async def _refresh(self, tokens: Tokens, http: Http) -> Tokens:
        return await self._trade({"grant_type": "refresh_token", "refresh_token": tokens.refresh.reveal()}, http)

    async def _trade(self, given: Mapping[str, str], http: Http) -> Tokens:
        """Ask for tokens. Nothing may come between their arrival and their keeping, not even the end of the daemon."""
        trading = asyncio.ensure_future(self._ask_and_keep(given, http))
        try:
            return await asyncio.shield(trading)
        except asyncio.CancelledError:
            await asyncio.wait([trading])
            raise

    async def _ask_and_keep(self, given: Mapping[str, str], http: Http) -> Tokens:
        began = time.time()
        return await self._keep(_read(await self._ask(given, http), given, began))

    async def _keep(self, tokens: Tokens) -> Tokens:
        self._unkept = tokens
        await asyncio.to_thread(self._file.save, tokens)
        self._tokens, self._unkept = tokens, None
        return tokens

    async def _ask(self, given: Mapping[str, str], http: Http) -> Answer:
        client = self._options.client_id or "", (self._options.client_secret or Secret("")).reveal()
        form = {"client_id": client[0], "client_secret": client[1], **given}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        request = Request("POST", f"{self._options.origin}/oauth2/token", headers, urlencode(form).encode())
        try:
            answer = await http.call(request)
        except DeliveryFailure as failure:
            reason = f"the CRM cannot be reached for an access token: {failure.reason}"
        else:
            return self._accepted(answer, [Secret(given[name]) for name in ("code", "refresh_token") if name in given])
        raise RemoteUnavailableError(reason)

    def _accepted(self, answer: Answer, sent: Sequence[Secret]) -> Answer:
        if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            said = (
                object_in(answer.body).get("error_description") or object_in(answer.body).get("error") or answer.status
            )
            words = blotted(str(said), self._options, *sent)
            raise RemoteRefusedError(f"the CRM gives no access ({words}): run `bridge crm login` again", answer.status)
        if fault := fault_of(answer, self._options, *sent):
            raise fault
        return answer


def _read(answer: Answer, given: Mapping[str, str], began: float) -> Tokens:
    told = object_in(answer.body)
    access, lasts = told.get("access_token"), told.get("expires_in")
    refresh = told.get("refresh_token") or given.get("refresh_token")
    if not (isinstance(access, str) and access.isascii() and access.isprintable() and isinstance(refresh, str)):
        raise RemoteUnavailableError("the CRM answered without an access token", answer.status)
    seconds = float(lasts) if isinstance(lasts, int | float) else USUAL
    return Tokens(Secret(access), Secret(refresh), began + max(seconds - MARGIN, 0))
