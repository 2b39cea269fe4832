"""Which resolved addresses a request may reach when its host came from event data.

The judgement is on the address that is about to be connected to, never on the text of a URL: names can resolve to
anything, and an address has many spellings.
"""

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:  # commands that reach no network do not wait a tenth of a second for what does
    from aiohttp import AddrInfoType, SocketFactoryType

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

EVERYWHERE: Final = (ip_network("0.0.0.0/0"), ip_network("::/0"))
"""All networks there are: who allows them still does not trust the name that leads there."""
NAT64 = ip_network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are an IPv4 address."""
V4_COMPATIBLE = ip_network("::/96")
"""RFC 4291, 2.5.5.1, deprecated: likewise."""
CLOUD_METADATA = frozenset({ip_address("168.63.129.16")})
"""Azure's host agent answers on a public address; the other clouds' are link-local or private already."""


class ForbiddenAddressError(Exception):
    """A connection that was refused before it was made; ``str()`` names the rule, never the address.

    It is no OSError on purpose: the connector would go on to the host's next address.
    """


def forbidden(address: str, allowed: tuple[Network, ...] = ()) -> str | None:
    """Return the rule that forbids an address, such as ``loopback``, or None if it may be reached.

    Of an address that carries others inside, each of those must be public or ``allowed``.
    """
    rules = (_rule(form) for form in _effective(ip_address(address)) if not any(form in each for each in allowed))
    return next(filter(None, rules), None)


def guarded_sockets(allowed: tuple[Network, ...]) -> "SocketFactoryType":
    """Return a socket factory for a connector that makes no socket for a forbidden address."""

    def make(info: "AddrInfoType") -> socket.socket:
        family, kind, protocol, _, address = info
        if rule := forbidden(str(address[0]), allowed):
            raise ForbiddenAddressError(rule)
        return socket.socket(family=family, type=kind, proto=protocol)

    return make


def _effective(address: Address) -> tuple[Address, ...]:
    """Return the addresses that a packet to this one would reach: those it carries inside, or itself."""
    return tuple(_embedded(address)) or (address,)


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses inside an IPv6 address: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in NAT64 or (address in V4_COMPATIBLE and int(address) > 1):
        yield IPv4Address(int(address) & 0xFFFF_FFFF)


def _rule(address: Address) -> str | None:
    rules = {
        "metadata": address in CLOUD_METADATA,
        "unspecified": address.is_unspecified,
        "loopback": address.is_loopback,
        "link-local": address.is_link_local,
        "multicast": address.is_multicast,
        "private": address.is_private or (isinstance(address, IPv6Address) and address.is_site_local),
        "reserved": address.is_reserved or not address.is_global,
    }
    return next((rule for rule, holds in rules.items() if holds), None)
