"""Certificates: those that a target shows, and those that it trusts in place of the system's."""

from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from bridge.component.base import Strict
from bridge.options import Secret

if TYPE_CHECKING:
    from ssl import SSLContext


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

    def context(self) -> "SSLContext":
        """Return what TLS connections of the target are made with.

        Raises:
            ValueError: a file cannot be used, with the key that names it.
        """
        from bridge.component.certificates import context_of  # noqa: PLC0415 (few targets need it, and it is slow to load)

        return context_of(self)
