"""Addresses: what routes.yaml may name, whose host a request goes to, and data that cannot leave its place in one."""

import re
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import quote

from yarl import URL

from bridge.options.address import parsed_address

Scalar: TypeAlias = str | bool | int | float | None
Query: TypeAlias = Mapping[str, Scalar | list[Scalar]]

LITERAL_HOST = re.compile(r"https?://[^/?#\\{}@\s]+(?=[/?#]|$)", re.IGNORECASE)
"""An address whose scheme, host and port are written out up to the path: nothing rendered later can change them."""
DOT_SEGMENT = re.compile(r"(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\?#]|$)", re.IGNORECASE)


def check_address(address: str) -> None:
    """Refuse an address that no request can go to, or that hides credentials.

    Raises:
        ValueError: a sentence that does not repeat the address, which may be a secret.
    """
    url = parsed_address(address)
    if url.user is not None or url.password is not None:
        raise ValueError("must not hold a user name or password; write them under auth: {basic: …}")


def check_path(path: str) -> None:
    """Refuse a path, or the path of an address, that climbs out of the place where it begins.

    Raises:
        ValueError: it has a segment ``.`` or ``..``.
    """
    if DOT_SEGMENT.search(path):
        raise ValueError('must not have a segment "." or ".."')


def literal_origin(template: str) -> URL | None:
    """Return the scheme, host and port that an address has whatever its templates will give; None if they decide."""
    found = LITERAL_HOST.match(template)
    try:
        return origin(found.group()) if found else None
    except ValueError:
        return None


def origin(address: str) -> URL:
    """Return scheme, host and port of an address: what credentials are given to."""
    return URL(address).origin()


def joined(address: str, path: str, query: Query) -> str:
    """Return the address with a path (which may bring a query) appended to its own, and with more query parameters."""
    base, more = URL(address), URL(f"/{path.lstrip('/')}")
    if path:
        below = base.raw_path.rstrip("/") + more.raw_path
        base = base.with_path(below, encoded=True, keep_query=True).extend_query(more.query)
    return str(base.update_query(pairs(query)) if query else base)


def encoded(data: str) -> str:
    """Percent-encode data, so that it stays within one segment of a path."""
    return quote(data, safe="")


def parameter(value: Scalar) -> str:
    """Return a value as forms and queries spell it: ``true``, ``12.5``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def pairs(query: Query) -> list[tuple[str, str]]:
    """Return the parameters in order: a list repeats its name, and null leaves it out."""
    listed = ((name, value if isinstance(value, list) else [value]) for name, value in query.items())
    return [(name, parameter(item)) for name, items in listed for item in items if item is not None]
