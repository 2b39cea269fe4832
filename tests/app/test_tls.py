"""Certificates: read again when they are renewed; a broken renewal changes nothing."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from structlog.testing import capture_logs

from bridge.app.tls import Certificate
from bridge.errors import SettingsError


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(tmp_path: Path, authority: trustme.CA) -> tuple[Path, Path]:
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write(authority.issue_cert("127.0.0.1"), chain, key)
    return chain, key


def write(issued: trustme.LeafCert, chain: Path, key: Path) -> None:
    chain.write_bytes(issued.cert_chain_pems[0].bytes())
    key.write_bytes(issued.private_key_pem.bytes())


async def served(certificate: Certificate, authority: trustme.CA) -> bytes:
    """Return the certificate that a client is shown."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=certificate.context)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
        shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return shown


def in_file(chain: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(chain.read_text())


async def test_the_certificate_of_the_files_is_served(files: tuple[Path, Path], authority: trustme.CA) -> None:
    assert await served(Certificate(*files), authority) == in_file(files[0])


def test_nothing_older_than_tls_1_2_is_spoken(files: tuple[Path, Path]) -> None:
    assert Certificate(*files).context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_a_renewed_certificate_is_served_from_then_on(files: tuple[Path, Path], authority: trustme.CA) -> None:
    certificate = Certificate(*files)
    before = in_file(files[0])
    write(authority.issue_cert("127.0.0.1"), *files)
    assert await served(certificate, authority) == before
    with capture_logs() as lines:
        certificate.refresh()
    assert await served(certificate, authority) == in_file(files[0]) != before
    assert [line["event"] for line in lines] == ["certificate loaded"]


async def test_files_that_did_not_change_are_not_loaded_again(files: tuple[Path, Path]) -> None:
    certificate = Certificate(*files)
    for path in files:
        path.touch()
    with capture_logs() as lines:
        certificate.refresh()
    assert lines == []


@pytest.mark.parametrize("damage", ["half", "other key", "gone"])
async def test_a_broken_renewal_leaves_the_former_in_place_and_is_told_once(
    files: tuple[Path, Path], authority: trustme.CA, damage: str
) -> None:
    certificate, before = Certificate(*files), in_file(files[0])
    chain, key = files
    if damage == "half":
        chain.write_text(chain.read_text()[:200])
    elif damage == "other key":
        key.write_bytes(authority.issue_cert("127.0.0.1").private_key_pem.bytes())
    else:
        chain.unlink()
    with capture_logs() as lines:
        certificate.refresh()
        certificate.refresh()
    assert [line["event"] for line in lines] == ["certificate refused"]
    assert await served(certificate, authority) == before


async def test_a_renewal_of_two_files_is_whole_with_the_second(files: tuple[Path, Path], authority: trustme.CA) -> None:
    certificate, renewed = Certificate(*files), authority.issue_cert("127.0.0.1")
    files[0].write_bytes(renewed.cert_chain_pems[0].bytes())
    certificate.refresh()
    files[1].write_bytes(renewed.private_key_pem.bytes())
    certificate.refresh()
    assert await served(certificate, authority) == in_file(files[0])


def test_files_that_cannot_be_used_are_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"the certificate in .*cert\.pem with the key in .*key\.pem"):
        Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")


def test_a_key_with_a_password_is_an_error_and_no_question(files: tuple[Path, Path]) -> None:
    key = load_pem_private_key(files[1].read_bytes(), None)
    encryption = BestAvailableEncryption(b"password")
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    with pytest.raises(SettingsError, match="the key is encrypted"):
        Certificate(*files)
