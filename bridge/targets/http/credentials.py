"""How an http target proves who it is: a token, a password, a key, or an access token that it asks for."""

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Final, Self

from pydantic import field_validator, model_validator

from bridge.component.base import Strict
from bridge.component.oauth import ClientCredentials
from bridge.options import Secret

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, 5.6.2."""
OURS: Final = frozenset({"host", "connection", "content-length", "transfer-encoding"})
"""Headers that frame the request: a wrong one would split it in two."""


class Basic(Strict):
    """User name and password."""

    username: str
    """The user name; it may not hold a colon."""
    password: Secret
    """The password."""

    @property
    def pair(self) -> str:
        """Return both as they go on the wire, in clear."""
        return b64encode(f"{self.username}:{self.password.reveal()}".encode()).decode()

    def made_secrets(self) -> tuple[str, ...]:
        """Return the pair."""
        return (self.pair,)

    @field_validator("username")
    @classmethod
    def _one_part(cls, value: str) -> str:
        if ":" in value:
            raise ValueError("must not hold a colon")
        return value


class ApiKey(Strict):
    """A key in a header or in the query."""

    header: str | None = None
    """The header that carries the key, such as `X-Api-Key`."""
    query: str | None = None
    """The query parameter that carries the key."""
    value: Secret
    """The key."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.header is None) == (self.query is None):
            raise ValueError('needs "header" or "query", and not both')
        check_headers({self.header: self.value.reveal()} if self.header else {})
        return self


class Auth(Strict):
    """How the target proves who it is: one of these."""

    bearer: Secret | None = None
    """A token, sent as `Authorization: Bearer …`."""
    basic: Basic | None = None
    """A user name and a password."""
    api_key: ApiKey | None = None
    """A key in a header or in the query."""
    oauth2: ClientCredentials | None = None
    """A client that asks a token endpoint for access tokens: client credentials."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.bearer, self.basic, self.api_key, self.oauth2)) != 1:
            raise ValueError('needs exactly one of "bearer", "basic", "api_key" and "oauth2"')
        check_headers(self.headers)
        return self

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that carry the credentials, in clear."""
        if self.bearer:
            return {"Authorization": f"Bearer {self.bearer.reveal()}"}
        if self.basic:
            return {"Authorization": f"Basic {self.basic.pair}"}
        if self.api_key and self.api_key.header:
            return {self.api_key.header: self.api_key.value.reveal()}
        return {}

    @property
    def query(self) -> dict[str, str]:
        """Return the query parameters that carry the credentials, in clear."""
        return {self.api_key.query: self.api_key.value.reveal()} if self.api_key and self.api_key.query else {}


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse header names and values that are not sound, without repeating a value.

    Raises:
        ValueError: a sentence that names the header.
    """
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f'"{name}" is no name of a header')
        if name.lower() in OURS:
            raise ValueError(f"the header {name} cannot be set: bridge writes it")
        if any(character in value for character in "\r\n\0"):
            raise ValueError(f"the header {name} must not hold a line break")
