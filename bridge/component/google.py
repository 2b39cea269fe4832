"""The two ways into a Google account: the key of a service account, and the refresh token of a person."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any, Final, Self, cast

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pydantic import field_validator, model_validator

from bridge.component.base import Strict
from bridge.component.oauth import AccessTokens
from bridge.component.target import TargetOptions
from bridge.options import Secret, is_stand_in
from bridge.options.address import Address

LIFETIME: Final = 3600
"""Seconds that an assertion is good for: the most that Google takes."""
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Consent(Strict):
    """A person's consent that an OAuth client may act for them."""

    client_id: str
    """The id of the OAuth client."""
    client_secret: Secret
    """The secret of the OAuth client."""
    refresh_token: Secret
    """The refresh token that the consent gave."""
    token_url: Address = "https://oauth2.googleapis.com/token"  # noqa: S105 (an address)
    """Where it is exchanged for access tokens."""


class AccountOptions(TargetOptions):
    """What a target takes that has a Google account: `service_account` or `consent`."""

    service_account: Secret | None = None
    """The JSON key of a service account that it is shared with: `${file:/run/secrets/google.json}`."""
    subject: str | None = None
    """The address of the person that the service account acts for, where the domain lets it."""
    consent: Consent | None = None
    """The consent of a person, in place of a service account: `client_id`, `client_secret` and `refresh_token`."""

    @field_validator("service_account")
    @classmethod
    def _some_key(cls, value: Secret | None) -> Secret | None:
        return Secret(made_key()) if value and is_stand_in(value.reveal()) else value

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.service_account is None) == (self.consent is None):
            raise ValueError('needs "service_account" or "consent", and not both')
        if self.subject and not self.service_account:
            raise ValueError('"subject" goes with "service_account"')
        if self.service_account:
            read_key(self.service_account)
        return self

    def made_secrets(self) -> Iterator[str]:
        """Yield what opens the account in its key."""
        if self.service_account:
            yield read_key(self.service_account).private_key

    def tokens(self, scope: str) -> AccessTokens:
        """Return the access tokens of the account, which are good for this scope and nothing else."""
        if self.consent:
            return AccessTokens(self.consent.token_url, partial(renewal, self.consent), self.timeout)
        key = read_key(cast(Secret, self.service_account))  # one of the two is there
        return AccessTokens(key.token_url, partial(assertion, key, scope, self.subject), self.timeout)


@dataclass(frozen=True, slots=True)
class Key:
    """What counts of the JSON key of a service account."""

    email: str
    key_id: str
    private_key: str
    token_url: str

    def __repr__(self) -> str:
        """Return whose key it is."""
        return f"<Key of {self.email}>"


def read_key(secret: Secret) -> Key:
    """Return the key of a service account.

    Raises:
        ValueError: it is none, without repeating any of it.
    """
    try:
        told = orjson.loads(secret.reveal())
        key = Key(told["client_email"], told.get("private_key_id", ""), told["private_key"], told["token_uri"])
        _signer(key)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
        pass
    else:
        return key
    raise ValueError(
        '"service_account" must hold the whole JSON key as Google gave it, such as ${file:/run/secrets/google.json}'
    )


@cache
def made_key() -> str:
    """Return a key that opens nothing: for tests of rules, where there is no other."""
    private = generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    told = {
        "client_email": "bridge@stand-in.example",
        "private_key": pem,
        "token_uri": "https://token.stand-in.example",
    }
    return orjson.dumps(told).decode()


def assertion(key: Key, scope: str, subject: str | None) -> Mapping[str, str]:
    """Return the form with which a service account asks for a token (RFC 7523, 2.1)."""
    now = int(time.time())
    claims: dict[str, Any] = {"iss": key.email, "scope": scope, "aud": key.token_url, "iat": now, "exp": now + LIFETIME}
    if subject:
        claims["sub"] = subject
    headers = {"kid": key.key_id} if key.key_id else None
    return {"grant_type": JWT_BEARER, "assertion": jwt.encode(claims, _signer(key), "RS256", headers=headers)}


def renewal(consent: Consent) -> Mapping[str, str]:
    """Return the form with which a person's refresh token is exchanged for an access token (RFC 6749, 6)."""
    return {
        "grant_type": "refresh_token",
        "refresh_token": consent.refresh_token.reveal(),
        "client_id": consent.client_id,
        "client_secret": consent.client_secret.reveal(),
    }


@lru_cache(maxsize=64)
def _signer(key: Key) -> RSAPrivateKey:
    """Return what signs for a key, read once: its numbers are proved to be primes, which holds the event loop up."""
    signer = load_pem_private_key(key.private_key.encode(), password=None)
    if not isinstance(signer, RSAPrivateKey):
        raise TypeError("no RSA key")
    return signer
