"""Files of certificates and keys, made into what TLS connections are made with."""

import ssl
from pathlib import Path

from bridge.component.trust import Tls
from bridge.files import open_file
from bridge.options import is_stand_in


def context_of(tls: Tls) -> ssl.SSLContext:
    """Return what TLS connections are made with; raises ValueError as ``Tls.context`` does."""
    if any(is_stand_in(file) for file in (tls.certificate_file, tls.key_file, tls.ca_file) if file):
        return ssl.create_default_context()
    context = _trusting(tls.ca_file)
    if tls.certificate_file:
        _load_own(context, tls, tls.certificate_file)
    return context


def _trusting(authorities: str | None) -> ssl.SSLContext:
    _read("ca_file", authorities)
    try:
        return ssl.create_default_context(cafile=authorities)
    except ssl.SSLError:
        raise ValueError('"ca_file" holds no certificates in PEM') from None


def _load_own(context: ssl.SSLContext, tls: Tls, certificate: str) -> None:
    keys = _read("certificate_file", certificate) + _read("key_file", tls.key_file)
    password = tls.key_password.reveal() if tls.key_password else ""  # without any, OpenSSL would ask a person
    try:
        context.load_cert_chain(certificate, tls.key_file, password)
    except ssl.SSLError as error:
        reason = _sentence(error, keys)
    else:
        return
    raise ValueError(reason)


def _read(key: str, file: str | None) -> bytes:
    try:
        return _content(Path(file)) if file else b""
    except OSError as error:
        raise ValueError(f'"{key}" cannot be read: {error.strerror}') from None


def _content(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read()


def _sentence(error: ssl.SSLError, keys: bytes) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return 'the private key does not belong to the certificate in "certificate_file"'
    if b"ENCRYPTED" in keys:
        return 'the private key is encrypted, and "key_password" does not open it'
    return '"certificate_file" and "key_file" must hold a certificate and its private key in PEM'
