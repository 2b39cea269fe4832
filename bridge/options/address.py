"""Addresses of services, as options hold them."""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator
from yarl import URL


def parsed_address(address: str) -> URL:
    """Return a whole address of the web, in its parts.

    Raises:
        ValueError: it is none, without repeating it: it may be a secret.
    """
    try:
        url = URL(address)
        _ = url.port, url.host
    except ValueError:
        raise ValueError("is not a valid address") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("must be a whole address, such as https://example.com/path")
    return url


def _bare(address: str) -> str:
    parsed_address(address)
    return address.rstrip("/")


Address: TypeAlias = Annotated[str, AfterValidator(_bare)]
"""An option that is the address of an API, without the slash at its end."""
