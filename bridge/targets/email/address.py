"""E-mail addresses: one text is one address, so that no data can ever add another."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

STRUCTURE: Final = re.compile(r"""[\x00-\x1f\x7f-\x9f\u2028\u2029<>()\[\]\\,;:"]+""")
"""What separates addresses from each other and from names (RFC 5322, 3.2.3); beside a name none of it is missed."""
LONGEST_NAME: Final = 100
_SEVERAL: Final = re.compile(r"[^\s,;@<>\"]+@[^\s,;@<>\"]+")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address, its domain in ASCII, and the name that people see. ``international`` ones need SMTPUTF8."""

    name: str
    local: str
    domain: str
    international: bool = False

    @property
    def address(self) -> str:
        """Return the address without the name, as it goes to the server."""
        return f"{self.local}@{self.domain}"

    def __str__(self) -> str:
        """Return it as people write it."""
        return f"{self.name} <{self.address}>" if self.name else self.address


@lru_cache(maxsize=1024)
def mailbox(text: str) -> Mailbox:
    """Return the one address that a text holds: ``ana@example.com`` or ``Ana Souza <ana@example.com>``.

    Raises:
        ValueError: it holds none, or more than one.
    """
    before, opened, rest = text.strip().rpartition("<")
    if opened and (not rest.endswith(">") or "@" in before or "<" in before):
        raise ValueError(f'"{text}" is not one e-mail address; write several as a list')
    if len(several := _SEVERAL.findall(text)) > 1:
        raise ValueError(f"holds several e-mail addresses; write a list: [{', '.join(several)}]")
    checked = _validated(rest.removesuffix(">") if opened else rest)
    local, domain = checked.local_part, checked.ascii_domain
    return Mailbox(readable(before.strip(' "'))[:LONGEST_NAME], local, domain, international=checked.smtputf8)


def inert(data: str) -> str:
    """Return data that can be a part of an address or of a name, and never the end of it."""
    return STRUCTURE.sub(" ", data)


def readable(text: str) -> str:
    """Return a text on one line, without characters that cannot be seen."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def domain_of(name: str) -> str:
    """Return a domain in ASCII and in small letters; raises ValueError for what is none."""
    try:
        return _validated(f"postmaster@{name}").ascii_domain.lower()
    except ValueError:
        raise ValueError(f'holds "{name}", which is no domain such as example.com') from None


def _validated(address: str) -> ValidatedEmail:
    try:
        return validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        reason = str(error).rstrip(".")
    raise ValueError(f'"{address}" is no e-mail address: {reason}')
