"""What an http target and its deliver entries take."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Final, Self, TypeAlias
from xml.parsers import expat

from pydantic import AfterValidator, Field, JsonValue, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from bridge.component import Action, TargetOptions
from bridge.component.base import Strict
from bridge.component.trust import Tls
from bridge.options import Secret, did_you_mean
from bridge.targets.http.address import Query, check_address, check_path
from bridge.targets.http.answers import Noted, Success
from bridge.targets.http.credentials import Auth, check_headers
from bridge.targets.http.signing import Sign

USUAL: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
METHOD: Final = re.compile("[A-Z][A-Z-]{0,31}")
NO_METHODS: Final = frozenset({"CONNECT", "TRACE"})
"""Methods that speak to what lies on the way, not to the service."""
CONTENT: Final = ("body", "text", "xml", "form")
BEHIND_PATH: Final = re.compile(r"[?#]")
ID: Final = "{id}"
"""Stands in a path for the id that was noted of the key."""


def _any_method(value: str) -> str:
    if not METHOD.fullmatch(value) or value in NO_METHODS:
        hint = did_you_mean(value.upper(), USUAL)
        raise ValueError('must be a method of HTTP in capitals, such as "POST"' + (f"; {hint}" if hint else ""))
    return value


Method: TypeAlias = Annotated[str, AfterValidator(_any_method)]


class HttpOptions(TargetOptions):
    """What an http target takes."""

    url: Secret
    """The address of the service; it may be internal, since it is written here."""
    method: Method = "POST"
    """The method of requests that do not name one."""
    headers: Mapping[str, Secret] = Field(default_factory=dict)
    """Headers sent with every request."""
    query: Mapping[str, Secret] = Field(default_factory=dict)
    """Query parameters sent with every request."""
    auth: Auth | None = None
    """The credentials."""
    sign: Sign | None = None
    """How requests to the target's own host are signed."""
    tls: Tls | None = None
    """Certificates: our own for the target's host, and whom to trust there."""
    success: Success = Field(default_factory=dict)
    """What makes an answer a success, for entries that do not say; by default any 2xx."""
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


class Update(Strict):
    """How a request differs that is about something which was made before. All else is as the entry says."""

    method: Method = "PUT"
    """The method."""
    path: str
    """The path appended to the target's address; `{id}` is what was noted of the key."""

    @field_validator("path")
    @classmethod
    def _below(cls, value: str) -> str:
        check_path(value)
        return value


class HttpAction(Action):
    """What a deliver entry to an http target takes."""

    path: str = ""
    """A path appended to the target's address; data in it is percent-encoded."""
    url: str | None = None
    """A whole address, in place of the target's; the target's credentials, headers and query stay with its own host."""
    method: Method | None = None
    """The method, if it is not the target's."""
    headers: Mapping[str, str] = Field(default_factory=dict)
    """More headers; of one name, this one wins."""
    query: Query = Field(default_factory=dict)
    """Query parameters; null leaves one out, a list repeats it."""
    body: JsonValue = None
    """A structure, sent as JSON."""
    text: str | None = None
    """Text, sent as it is (`template:` fills it): set a Content-Type header if it is not plain text."""
    xml: str | None = None
    """XML, in which data can be text alone; `template:` fills it from a file whose name ends in `.xml.j2`."""
    form: Query | None = None
    """Fields, sent as a web form."""
    success: Success | None = None
    """What makes an answer a success, in place of what the target says: `{status: [2xx, 404]}`, `{body.ok: true}`."""
    link: Noted | None = None
    """What to note of the answer, for later messages of the same key: `{id: body.id}`."""
    update: Update | None = None
    """What to send instead once an id is noted for the key: `{method: PUT, path: "/things/{id}"}`."""
    host_in_rules: SkipJsonSchema[bool] = False
    """Filled by bridge: whether the host of `url` is written out in routes.yaml."""

    @field_validator("path")
    @classmethod
    def _below(cls, value: str) -> str:
        check_path(value)
        return value

    @field_validator("xml")
    @classmethod
    def _well_formed(cls, value: str | None) -> str | None:
        if value is not None:
            check_xml(value)
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
        if self.url is not None and self.update:
            raise ValueError('takes "url" or "update", not both')
        if len(self.model_fields_set & set(CONTENT)) > 1:
            raise ValueError('takes one of "body", "text", "xml" and "form"')
        return self

    @property
    def refers(self) -> bool:
        """Tell whether it can only be about something that was made before."""
        return ID in self.path

    @property
    def updating(self) -> Self:
        """Return it as it is to be sent once something was made."""
        return self.model_copy(update=dict(self.update)) if self.update else self


def check_xml(text: str) -> None:
    """Refuse what is no well-formed XML, or declares types and entities of its own.

    Raises:
        ValueError: it is not, with the line, and without repeating any of it.
    """
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _no_types
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        reason = f"is no well-formed XML: {expat.ErrorString(error.code)}, in line {error.lineno}"
    else:
        return
    raise ValueError(reason)


def _no_types(*_: object) -> None:
    raise ValueError("must not have a <!DOCTYPE>")
