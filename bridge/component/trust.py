"""Certificates: those that a target shows, and those that it trusts in place of the system's."""

import ssl
from pathlib import Path
from typing import Self

from pydantic import model_validator

from bridge.component.base import Strict
from bridge.files import open_file
from bridge.options import Secret, is_stand_in


class Tls(Strict):
    """What a target shows of itself where TLS is spoken, and whom it trusts there."""

    certificate_file: str | None = None
    """A file with the client's certificate, and those that lead to its authority, in PEM."""
    key_file: str | None = None
    """A file with the certificate's private key, in PEM; by default it is in `certificate_file`."""
    key_password: Secret | None = None
    """The password of the private key, if it has one."""
    ca_file: str | None = None
    """A file of certificate authorities to trust in place of the system's, in PEM."""

    @model_validator(mode="after")
    def _works(self) -> Self:
        if not (self.certificate_file or self.ca_file):
            raise ValueError('needs "certificate_file", "ca_file" or both')
        if not self.certificate_file and (self.key_file or self.key_password):
            raise ValueError('"key_file" and "key_password" go with "certificate_file"')
        self.context()
        return self

    def context(self) -> ssl.SSLContext:
        """Return what TLS connections of the target are made with.

        Raises:
            ValueError: a file cannot be used, with the key that names it.
        """
        if any(is_stand_in(file) for file in (self.certificate_file, self.key_file, self.ca_file) if file):
            return ssl.create_default_context()
        context = self._trusting()
        if self.certificate_file:
            self._load_own(context, self.certificate_file)
        return context

    def _trusting(self) -> ssl.SSLContext:
        _read("ca_file", self.ca_file)
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except ssl.SSLError:
            raise ValueError('"ca_file" holds no certificates in PEM') from None

    def _load_own(self, context: ssl.SSLContext, certificate: str) -> None:
        keys = _read("certificate_file", certificate) + _read("key_file", self.key_file)
        password = self.key_password.reveal() if self.key_password else ""  # without any, OpenSSL would ask a person
        try:
            context.load_cert_chain(certificate, self.key_file, password)
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
