"""TLS from certificate files, read again when they are renewed."""

import hashlib
import ssl
from contextlib import suppress
from pathlib import Path

from bridge import telemetry
from bridge.errors import SettingsError


class Certificate:
    """A server's TLS context. Python looks a context up at each handshake, so a renewal needs no new listener."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Load chain and key, both PEM.

        Raises:
            SettingsError: they cannot be used.
        """
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._chain = chain
        self._key = key
        self._seen = self._digest()
        try:
            self._load(self.context)
        except (OSError, ValueError) as error:
            raise SettingsError(f"the certificate in {chain} with the key in {key} cannot be used: {error}") from error

    def refresh(self) -> None:
        """Load the files again if their content has changed; what cannot be used leaves the former in place.

        Call it on the event loop: OpenSSL forbids to change a context while another thread begins a handshake.
        """
        digest = self._digest()
        if digest == self._seen:
            return
        self._seen = digest
        try:
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(self.context)
        except (OSError, ValueError) as error:
            telemetry.certificate_refused(error)
        else:
            telemetry.certificate_loaded()

    def _load(self, context: ssl.SSLContext) -> None:
        context.load_cert_chain(self._chain, self._key, password=_no_password)

    def _digest(self) -> bytes:
        digest = hashlib.sha256()
        for path in (self._chain, self._key):
            with suppress(OSError):
                digest.update(path.read_bytes())
        return digest.digest()


def _no_password() -> str:
    """Stand in for OpenSSL, which would ask for the password of an encrypted key on the terminal, and wait."""
    raise ValueError("the key is encrypted, and there is nobody to ask for its password")
