"""What an email target and its deliver entries take."""

import ssl
from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from bridge.chart import Chart
from bridge.component import Action, TargetOptions
from bridge.component.base import Strict
from bridge.options import Secret
from bridge.targets.email.address import Mailbox, domain_of, mailbox

Security: TypeAlias = Literal["starttls", "tls", "none"]

PORTS: Final[Mapping[Security, int]] = {"starttls": 587, "tls": 465, "none": 25}
HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that a password reaches without leaving the machine."""
MOST_RECIPIENTS: Final = 50
"""Amazon SES takes no more of one message, and most servers a few more."""
MOST_ATTACHED: Final = 10
ROOM: Final = 5 * 2**20
"""Bytes of all attachments together. They travel as base64, a third larger; many servers take 10 MB."""
OWN_HEADERS: Final = frozenset({"importance", "priority", "sensitivity", "list-id", "list-unsubscribe"})
"""Headers that an entry may set, beside those that begin with X-: none of them names a recipient or frames a part."""
LONGEST_HEADER: Final = 500


def _one_address(text: str) -> str:
    if text.strip():
        mailbox(text)
    return text.strip()


def _domains(names: list[str]) -> list[str]:
    return [domain_of(name) for name in names]


def _listed(value: Any) -> Any:  # noqa: ANN401 (whatever stands there; the type judges it)
    return [value] if isinstance(value, str) else value


Written: TypeAlias = Annotated[str, AfterValidator(_one_address)]
"""One address as rules and data write it; empty where the data has none."""
Addresses: TypeAlias = Written | Annotated[list[Written | None], Field(max_length=MOST_RECIPIENTS)] | None


class EmailOptions(TargetOptions):
    """What an email target takes."""

    host: str = Field(min_length=1, pattern=r"^[^\s/@]+$")
    """The SMTP server, such as `smtp.gmail.com`."""
    port: int | None = Field(default=None, ge=1, le=65_535)
    """Its port; by default 587, for `tls` 465, for `none` 25."""
    security: Security | None = None
    """`starttls` begins in clear and then must encrypt, `tls` is encrypted at once, `none` never is.

    By default `tls` at port 465, else `starttls`.
    """
    username: str | None = Field(default=None, min_length=1)
    """Who logs in; goes with `password`."""
    password: Secret | None = None
    """The password, or the app password, of who logs in."""
    ca_file: str | None = None
    """A file of certificate authorities to trust in place of the system's, in PEM."""
    sender: Annotated[str, AfterValidator(_one_address)] = Field(alias="from", min_length=1)
    """Who the messages are from: `bridge@example.com`, or `Vendas <bridge@example.com>`."""
    reply_to: Written | None = None
    """Where answers go, for entries that do not say; by default to `from`."""
    domain: Annotated[str, AfterValidator(domain_of)] | None = None
    """What the ids of messages end in, and how the server is greeted; by default the domain of `from`."""
    allowed_domains: Annotated[list[str], BeforeValidator(_listed), AfterValidator(_domains)] = Field(
        default_factory=list
    )
    """The domains that mail may go to, such as `example.com`; by default any."""

    @field_validator("ca_file")
    @classmethod
    def _authorities(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ssl.create_default_context(cafile=value)
            except (OSError, ValueError):
                raise ValueError("must be a readable file of certificates in PEM") from None
        return value

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError('"username" and "password" go together')
        if self.password and self.secured == "none" and self.host.lower() not in HERE:
            raise ValueError('must not send the password in clear: set "security" to "starttls" or "tls"')
        return self

    def made_secrets(self) -> tuple[str, ...]:
        """Return the password as it goes on the wire, which a server may quote (RFC 4616, and LOGIN)."""
        if not (self.username and self.password):
            return ()
        password = self.password.reveal()
        return tuple(b64encode(each.encode()).decode() for each in (f"\0{self.username}\0{password}", password))

    @property
    def secured(self) -> Security:
        """Return how the connection is encrypted."""
        return self.security or ("tls" if self.port == PORTS["tls"] else "starttls")

    @property
    def at_port(self) -> int:
        """Return the port to connect to."""
        return self.port or PORTS[self.secured]

    @property
    def own_domain(self) -> str:
        """Return the domain that bridge speaks for."""
        return self.domain or mailbox(self.sender).domain


class Attachment(Strict):
    """A file that goes along, made of text."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    name: str = Field(min_length=1)
    """What the file is called; its ending tells the type, such as `.csv`."""
    text: str
    """What it holds."""


class EmailAction(Action):
    """What a deliver entry to an email target takes: `recipients`, `subject`, and `text`, `html` or both."""

    recipients: Addresses
    """Who gets the message: an address such as `"{{ deal.user.email }}"`, or a list, whose empty ones are left out."""
    cc: Addresses = None
    """Who gets a copy."""
    bcc: Addresses = None
    """Who gets a copy that the others do not see."""
    reply_to: Written | None = None
    """Where answers go; by default to the target's `reply_to`."""
    subject: str
    """The subject."""
    text: str | None = None
    """The message as plain text; `template:` fills it. Without it, it is made from `html`."""
    html: str | None = None
    """The message as HTML; `template:` fills it from a file whose name ends in `.html.j2`."""
    chart: Chart | None = None
    """A picture of figures, below the message or where its HTML says `<img src="cid:chart@bridge">`."""
    attachments: list[Attachment] = Field(default_factory=list, max_length=MOST_ATTACHED)
    """Files that go along."""
    thread: str | None = None
    """The key of a conversation: a template, or the bare name of an entity kind such as `deal`."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Further headers: those that begin with `X-`, Importance, Priority, Sensitivity, List-Id, List-Unsubscribe."""

    @model_validator(mode="before")
    @classmethod
    def _something_said(cls, data: Any) -> Any:  # noqa: ANN401 (pydantic's signature)
        if isinstance(data, Mapping) and data.get("text") is None and data.get("html") is None:
            raise ValueError('needs "text", "html" or "template"')
        return data

    @field_validator("attachments")
    @classmethod
    def _within_bounds(cls, value: list[Attachment]) -> list[Attachment]:
        if sum(len(each.text.encode()) for each in value) > ROOM:
            raise ValueError(f"hold more than {ROOM // 2**20} MiB together")
        return value

    @field_validator("headers")
    @classmethod
    def _harmless(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            own = name.lower().startswith("x-") or name.lower() in OWN_HEADERS
            if not (own and name.isascii() and name.replace("-", "").isalnum()):
                raise ValueError(f'the header "{name}" cannot be set: only X-… and {", ".join(sorted(OWN_HEADERS))}')
        return value

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.to:
            raise ValueError('"recipients" gives nobody to send to')
        if len(self.everybody) > MOST_RECIPIENTS:
            raise ValueError(f"has more than {MOST_RECIPIENTS} recipients")
        return self

    @property
    def to(self) -> tuple[Mailbox, ...]:
        """Return who gets the message."""
        return _mailboxes(self.recipients)

    @property
    def copied(self) -> tuple[Mailbox, ...]:
        """Return who gets a copy that all see."""
        return _mailboxes(self.cc)

    @property
    def blind(self) -> tuple[Mailbox, ...]:
        """Return who gets a copy that nobody else sees."""
        return _mailboxes(self.bcc)

    @property
    def everybody(self) -> tuple[Mailbox, ...]:
        """Return all who get it, each once."""
        found = (*self.to, *self.copied, *self.blind)
        return tuple({each.address: each for each in found}.values())


def _mailboxes(written: Addresses) -> tuple[Mailbox, ...]:
    texts = [written] if isinstance(written, str) else written or []
    return tuple(mailbox(text) for text in texts if text)
