"""Signatures over the bytes that are sent, by which a service knows that they are ours and unchanged."""

import binascii
import hmac
from base64 import b64decode, b64encode
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from bridge.component.base import Strict
from bridge.options import Secret, is_stand_in
from bridge.targets.http.credentials import check_headers

PREFIX: Final = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret, by the specification."""


def _listed(value: Any) -> Any:  # noqa: ANN401 (whatever stands there; the type judges it)
    return [value] if isinstance(value, str | Secret) else value


class Hmac(Strict):
    """A signature in a header: HMAC over the body, exactly as it is sent."""

    secret: Secret
    """The secret that the service shares with us."""
    header: str
    """The header that carries the signature, such as `X-Hub-Signature-256`."""
    algorithm: Literal["sha256", "sha512", "sha384", "sha1", "md5"] = "sha256"
    """The hash function."""
    encoding: Literal["hex", "base64"] = "hex"
    """How the signature is written."""
    prefix: str = ""
    """What stands before it, such as `sha256=`."""

    @model_validator(mode="after")
    def _sound_header(self) -> Self:
        check_headers({self.header: self.prefix})
        return self

    def headers(self, body: bytes) -> dict[str, str]:
        """Return the header that signs a body."""
        digest = hmac.digest(self.secret.reveal().encode(), body, self.algorithm)
        written = digest.hex() if self.encoding == "hex" else b64encode(digest).decode()
        return {self.header: f"{self.prefix}{written}"}


class Sign(Strict):
    """How requests are signed: one of these."""

    hmac: Hmac | None = None
    """HMAC over the body, in a header of the service's choice."""
    standard_webhooks: Annotated[list[Secret], BeforeValidator(_listed), Field(min_length=1, max_length=5)] | None = (
        None
    )
    """As https://www.standardwebhooks.com has it: the secret (`whsec_…`), or several while one replaces another."""

    @field_validator("standard_webhooks")
    @classmethod
    def _sound_secrets(cls, value: list[Secret] | None) -> list[Secret] | None:
        for secret in value or ():
            _key(secret)
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.hmac is None) == (self.standard_webhooks is None):
            raise ValueError('needs "hmac" or "standard_webhooks", and not both')
        return self

    def headers(self, delivery_id: str, body: bytes, moment: int) -> dict[str, str]:
        """Return the headers that sign a body which is sent at a moment, in seconds since 1970."""
        if self.hmac:
            return self.hmac.headers(body)
        signed = f"{delivery_id}.{moment}.".encode() + body
        digests = (hmac.digest(_key(secret), signed, "sha256") for secret in self.standard_webhooks or ())
        signatures = " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests)
        return {"webhook-id": delivery_id, "webhook-timestamp": str(moment), "webhook-signature": signatures}


def _key(secret: Secret) -> bytes:
    """Return the bytes that a secret of Standard Webhooks stands for.

    Raises:
        ValueError: it is none, without repeating it.
    """
    if is_stand_in(secret.reveal()):
        return bytes(SHORTEST)
    try:
        key = b64decode(secret.reveal().removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"must be {PREFIX} and {SHORTEST} to {LONGEST} bytes in base64, as the service gave it")
    return key
