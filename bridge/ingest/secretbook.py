"""The secrets that webhooks are accepted with, and the ones bridge makes itself."""

from collections.abc import Mapping
from hmac import compare_digest
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import quote

from bridge.component import AnySource
from bridge.errors import SettingsError
from bridge.files import put_private, sync

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
        accepted = self._accepted.get(source, ())
        for each in accepted or NOBODY:
            admitted |= compare_digest(given, each)
        return admitted and bool(accepted)

    def admits_header(self, source: str, headers: Mapping[str, str]) -> bool:
        """Tell whether a request's headers open this source."""
        name, accepted = self._headers.get(source, ("", NOBODY[0]))
        given = headers.get(name, "").encode("utf-8", "surrogateescape")
        return compare_digest(given, accepted) and source in self._headers

    def made(self, source: str) -> str | None:
        """Return the secret bridge made for a source, if it did."""
        return self._made.get(source)

    def paths(self, source: str) -> tuple[str, ...]:
        """Return the paths a source is posted to: one for each secret, or the bare one if a header opens it."""
        secrets = self._accepted.get(source, ())
        if secrets:
            return tuple(f"/hooks/{source}/{quote(secret, safe='')}" for secret in secrets)
        return (f"/hooks/{source}",) if source in self._headers else ()

    def headers(self, source: str) -> Mapping[str, str]:
        """Return the header that a webhook has to carry; none where a secret in the address is enough."""
        if self._accepted.get(source) or source not in self._headers:
            return {}
        name, key = self._headers[source]
        return {name: key.decode()}

    def everything(self) -> tuple[str, ...]:
        """Return every accepted secret, for redaction."""
        return tuple(secret.decode() for secrets in self._accepted.values() for secret in secrets)

    def _own(self, source: str) -> str:
        path = self._folder / source
        try:
            return _kept(path) or _make(path)
        except (OSError, UnicodeError) as error:
            raise SettingsError(f"the secret of source {source!r} cannot be kept in {path}: {error}") from error


def _kept(path: Path) -> str:
    """Return the secret in a file; empty if there is none."""
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        return ""


def _make(path: Path) -> str:
    """Make a secret that survives a power cut: by then its address may stand in the CRM."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = token_urlsafe(32)
    put_private(path, secret.encode())
    sync(path.parent)
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
