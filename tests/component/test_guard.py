import socket
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.component.guard import EVERYWHERE, ForbiddenAddressError, forbidden, guarded_sockets

FORBIDDEN = {
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "::1": "loopback",
    "0.0.0.0": "unspecified",  # noqa: S104 (it is refused)
    "::": "unspecified",
    "169.254.169.254": "link-local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "224.0.0.1": "multicast",
    "ff02::1": "multicast",
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "192.168.0.1": "private",
    "192.0.2.1": "private",
    "198.18.0.1": "private",
    "0.1.2.3": "private",
    "255.255.255.255": "private",
    "fc00::1": "private",
    "fd00:ec2::254": "private",
    "fec0::1": "private",
    "2001:db8::1": "private",
    "100.64.0.1": "reserved",
    "100.100.100.200": "reserved",
    "240.0.0.1": "private",
    "168.63.129.16": "metadata",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:a00:1": "private",
    "::127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "link-local",
    "2002:7f00:1::1": "loopback",
    "2002:a9fe:a9fe::": "link-local",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::c0a8:1": "private",
    "2001:0:7f00:1::": "loopback",
}


@pytest.mark.parametrize(("address", "rule"), FORBIDDEN.items())
def test_what_is_not_public_is_forbidden_in_every_form(address: str, rule: str) -> None:
    assert forbidden(address) == rule


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_what_is_public_may_be_reached_in_every_form(address: str) -> None:
    assert forbidden(address) is None


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203"])
def test_an_allowed_network_covers_every_form_of_its_addresses(address: str) -> None:
    assert forbidden(address, (ip_network("10.1.0.0/16"),)) is None
    assert forbidden(address, (ip_network("10.2.0.0/16"),)) == "private"


TEREDO = "2001:0:a14:1:0:0:80ff:fffe"
"""Carries the server 10.20.0.1 and the client 127.0.0.1."""


@pytest.mark.parametrize(
    ("networks", "rule"),
    [
        ([], "private"),
        (["10.20.0.0/16"], "loopback"),
        (["127.0.0.0/8"], "private"),
        (["2001::/32"], "private"),
        (["10.20.0.0/16", "127.0.0.0/8"], None),
        (["0.0.0.0/0", "::/0"], None),
    ],
)
def test_every_address_inside_another_must_be_allowed(networks: list[str], rule: str | None) -> None:
    assert forbidden(TEREDO, tuple(map(ip_network, networks))) == rule


@given(st.ip_addresses())
def test_whoever_allows_everything_may_reach_it(address: object) -> None:
    assert forbidden(str(address), EVERYWHERE) is None


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_judged_as_itself(address: object) -> None:
    assert forbidden(f"::ffff:{address}") == forbidden(str(address))


@given(st.ip_addresses())
def test_nothing_forbidden_is_global_and_nothing_allowed_is_private(address: object) -> None:
    text = str(address)
    if forbidden(text) is None:
        assert forbidden(text, (ip_network("10.0.0.0/8"),)) is None


def test_no_socket_is_made_for_a_forbidden_address() -> None:
    make = guarded_sockets(())
    with pytest.raises(ForbiddenAddressError, match="loopback"):
        make((socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 80)))


def test_a_socket_is_made_for_a_public_one() -> None:
    with guarded_sockets(())((socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("8.8.8.8", 80))) as made:
        assert made.family == socket.AF_INET
