"""Where the tokens of an application are kept: a file that is worth nothing without the application's secret.

The key is made from ``client_secret``, which stands in the environment and not in the data directory, so that a copy
of that directory opens no account.
"""

import base64
import os
from dataclasses import dataclass
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge.errors import RemoteRefusedError, RemoteUnavailableError
from bridge.files import put_private, sync
from bridge.options import Secret


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an application holds; the access token lasts until ``ends``, in seconds since 1970."""

    access: Secret
    refresh: Secret
    ends: float


class TokenFile:
    """The tokens of one source, on the disk before they are used: each refresh token is good for one use alone."""

    def __init__(self, path: Path, secret: Secret) -> None:
        """Take the file, and the secret that its key is made from."""
        self._path = path
        self._secret = secret

    def load(self) -> Tokens | None:
        """Return what is kept, if anything is.

        Raises:
            RemoteRefusedError: it was kept for another secret of the application, or is damaged.
            RemoteUnavailableError: the file cannot be read.
        """
        try:
            kept = orjson.loads(self._path.read_bytes())
            held = orjson.loads(self._cipher(base64.b64decode(kept["salt"])).decrypt(kept["tokens"].encode()))
            return Tokens(Secret(held["access"]), Secret(held["refresh"]), float(held["ends"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RemoteUnavailableError(f"{self._path} cannot be read: {error.strerror}") from error
        except (InvalidToken, ValueError, KeyError, TypeError, AttributeError):
            reason = "the access that was kept fits no more: client_secret is another one. Run `bridge crm login` again"
        raise RemoteRefusedError(reason)

    def save(self, tokens: Tokens) -> None:
        """Keep tokens; when it returns, a power cut loses them no more.

        Raises:
            RemoteUnavailableError: the file cannot be written.
        """
        salt = os.urandom(16)
        held = {"access": tokens.access.reveal(), "refresh": tokens.refresh.reveal(), "ends": tokens.ends}
        sealed = self._cipher(salt).encrypt(orjson.dumps(held)).decode()
        kept = orjson.dumps({"salt": base64.b64encode(salt).decode(), "tokens": sealed})
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            put_private(self._path, kept)
            sync(self._path.parent)
        except OSError as error:
            raise RemoteUnavailableError(f"{self._path} cannot be written: {error.strerror}") from error

    def _cipher(self, salt: bytes) -> Fernet:
        derive = HKDF(SHA256(), length=32, salt=salt, info=b"bridge: tokens of a source")
        return Fernet(base64.urlsafe_b64encode(derive.derive(self._secret.reveal().encode())))
