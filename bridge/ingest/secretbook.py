"""The secrets that webhooks are accepted with, and the ones bridge makes itself."""

import os
from collections.abc import Mapping
from hmac import compare_digest
from pathlib import Path
from secrets import token_urlsafe

from bridge.component import AnySource
from bridge.errors import SettingsError

FOLDER = "secrets"
NOBODY = (token_urlsafe(32).encode(),)
"""What is compared with where no source is meant, so that the time taken does not tell."""


class SecretBook:
    """Knows per source which secrets are accepted in the address, and which value in its header.

    A source that names neither gets a secret of its own, kept in ``<data>/secrets/<source>`` and used ever after.
    """

    def __init__(self, data: Path) -> None:
        """Take the data directory."""
        self._folder = data / FOLDER
        self._accepted: dict[str, tuple[bytes, ...]] = {}
        self._headers: dict[str, tuple[str, bytes]] = {}
        self._made: dict[str, str] = {}

    def adopt(self, sources: Mapping[str, AnySource]) -> None:
        """Accept what these sources name, making secrets where one names none; forget all others.

        Raises:
            SettingsError: the made secret cannot be read or kept.
        """
        made = {name: self._own(name) for name, source in sources.items() if _names_none(source)}
        self._headers = {name: key for name, source in sources.items() if (key := _header(source))}
        self._accepted = {name: _secrets(source, made.get(name)) for name, source in sources.items()}
        self._made = made

    def admits(self, source: str, secret: str) -> bool:
        """Tell whether a secret from an address opens this source; takes as long either way."""
        given, admitted = secret.encode("utf-8", "surrogatepass"), False
        for accepted in self._accepted.get(source) or NOBODY:
            admitted |= compare_digest(given, accepted)
        return admitted and source in self._accepted

    def admits_header(self, source: str, headers: Mapping[str, str]) -> bool:
        """Tell whether a request's headers open this source."""
        name, accepted = self._headers.get(source, ("", NOBODY[0]))
        given = headers.get(name, "").encode("utf-8", "surrogatepass")
        return compare_digest(given, accepted) and source in self._headers

    def made(self, source: str) -> str | None:
        """Return the secret bridge made for a source, if it did."""
        return self._made.get(source)

    def paths(self, source: str) -> tuple[str, ...]:
        """Return the paths a source is posted to: one for each secret, or the bare one if a header opens it."""
        secrets = self._accepted.get(source, ())
        if secrets:
            return tuple(f"/hooks/{source}/{secret.decode()}" for secret in secrets)
        return (f"/hooks/{source}",) if source in self._headers else ()

    def everything(self) -> tuple[str, ...]:
        """Return every accepted secret, for redaction."""
        return tuple(secret.decode() for secrets in self._accepted.values() for secret in secrets)

    def _own(self, source: str) -> str:
        path = self._folder / source
        try:
            if path.exists():
                return path.read_text("ascii").strip()
            return self._make(path)
        except (OSError, UnicodeError) as error:
            raise SettingsError(f"the secret of source {source!r} cannot be kept in {path}: {error}") from error

    def _make(self, path: Path) -> str:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        secret = token_urlsafe(32)
        draft = path.with_name(f".{path.name}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secret)
            file.flush()
            os.fsync(handle)
        draft.replace(path)
        return secret


def _names_none(source: AnySource) -> bool:
    return not source.options.secrets and source.options.auth_key is None


def _secrets(source: AnySource, made: str | None) -> tuple[bytes, ...]:
    named = [secret.reveal() for secret in source.options.secrets]
    return tuple(secret.encode() for secret in ([*named, made] if made else named))


def _header(source: AnySource) -> tuple[str, bytes] | None:
    options = source.options
    return (
        (options.auth_header, options.auth_key.reveal().encode()) if options.auth_header and options.auth_key else None
    )
