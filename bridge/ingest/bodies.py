"""The body of a webhook as it came: bounded on the wire, and bounded again when inflated."""

import zlib

GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
INFLATED = frozenset({"gzip", "x-gzip", "deflate"})


class BodyTooLargeError(Exception):
    """The body is larger than is accepted."""


class BrokenBodyError(Exception):
    """The body cannot be inflated; ``str()`` says why."""


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Return a body without its content encoding; never makes more than ``limit`` bytes plus one of it.

    Raises:
        BodyTooLargeError: it would be larger than ``limit``.
        BrokenBodyError: it is not in that encoding, or in one that is not accepted.
    """
    if encoding not in INFLATED:
        raise BrokenBodyError(f"its content encoding {encoding!r} is not one of {', '.join(sorted(INFLATED))}")
    inflated = b""
    while body:
        member = zlib.decompressobj(GZIP_OR_ZLIB)
        try:
            inflated += member.decompress(body, limit + 1 - len(inflated))
        except zlib.error:
            raise BrokenBodyError(f"its body is not valid {encoding}") from None
        if len(inflated) > limit:
            raise BodyTooLargeError
        if not member.eof:
            raise BrokenBodyError(f"its {encoding} body is cut short")
        body = member.unused_data
    return inflated
