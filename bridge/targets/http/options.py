"""What an http target and its deliver entries take."""

import re
from base64 import b64encode
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Literal, Self, TypeAlias

from pydantic import Field, JsonValue, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from bridge.component import Action, TargetOptions
from bridge.component.base import Strict
from bridge.options import Secret
from bridge.targets.http.address import Query, check_address, check_path

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, 5.6.2."""
OURS = frozenset({"host", "connection", "content-length", "transfer-encoding"})
"""Headers that frame the request: a wrong one would split it in two."""
CONTENT = ("body", "text", "form")
BEHIND_PATH = re.compile(r"[?#]")


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

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.bearer, self.basic, self.api_key)) != 1:
            raise ValueError('needs exactly one of "bearer", "basic" and "api_key"')
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


class HttpOptions(TargetOptions):
    """What an http target takes."""

    url: Secret
    """The address of the service; it may be internal, since it is written here."""
    method: Method = "POST"
    """The method of requests that do not name one."""
    headers: Mapping[str, Secret] = {}
    """Headers sent with every request."""
    query: Mapping[str, Secret] = {}
    """Query parameters sent with every request."""
    auth: Auth | None = None
    """The credentials."""
    idempotency_header: str | None = "Idempotency-Key"
    """The header that carries the delivery's id, the same in every attempt; null sends none."""
    probe: str | None = None
    """A path of the service that changes nothing, such as `/health`: `bridge check --online` sends it a GET."""
    allow_private: bool | tuple[IPv4Network | IPv6Network, ...] = False
    """Whether an address that comes from event data may be internal: all of them, or those in a list of networks."""

    @field_validator("url")
    @classmethod
    def _whole_address(cls, value: Secret) -> Secret:
        check_address(value.reveal())
        return value

    @field_validator("probe")
    @classmethod
    def _sound_probe(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("/"):
            raise ValueError("must be a path of the service's host that begins with /, such as /health")
        check_path(BEHIND_PATH.split(value or "", maxsplit=1)[0])
        return value

    @field_validator("headers")
    @classmethod
    def _sound_headers(cls, value: Mapping[str, Secret]) -> Mapping[str, Secret]:
        check_headers({name: secret.reveal() for name, secret in value.items()})
        return value

    @field_validator("idempotency_header")
    @classmethod
    def _sound_name(cls, value: str | None) -> str | None:
        check_headers({value: ""} if value is not None else {})
        return value


class HttpAction(Action):
    """What a deliver entry to an http target takes."""

    path: str = ""
    """A path appended to the target's address; data in it is percent-encoded."""
    url: str | None = None
    """A whole address, in place of the target's; the target's credentials, headers and query stay with its own host."""
    method: Method | None = None
    """The method, if it is not the target's."""
    headers: Mapping[str, str] = {}
    """More headers; of one name, this one wins."""
    query: Query = Field(default_factory=dict)
    """Query parameters; null leaves one out, a list repeats it."""
    body: JsonValue = None
    """A structure, sent as JSON."""
    text: str | None = None
    """Text, sent as it is (`template:` fills it): set a Content-Type header if it is not plain text."""
    form: Query | None = None
    """Fields, sent as a web form."""
    host_in_rules: SkipJsonSchema[bool] = False
    """Filled by bridge: whether the host of `url` is written out in routes.yaml."""

    @field_validator("path")
    @classmethod
    def _below(cls, value: str) -> str:
        check_path(value)
        return value

    @field_validator("url")
    @classmethod
    def _whole_address(cls, value: str | None) -> str | None:
        if value is not None:
            check_address(value)
            check_path(BEHIND_PATH.split(value, maxsplit=1)[0])
        return value

    @field_validator("headers")
    @classmethod
    def _sound_headers(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        check_headers(value)
        return value

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if self.url is not None and self.path:
            raise ValueError('takes "url" or "path", not both')
        if len(self.model_fields_set & set(CONTENT)) > 1:
            raise ValueError('takes one of "body", "text" and "form"')
        return self


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
