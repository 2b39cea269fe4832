"""The body of a webhook as it came: bounded on the wire, and bounded again when inflated."""

import zlib

GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
INFLATED = frozenset({"gzip", "x-gzip", "deflate"})
LONGEST_NAME = 40
"""Characters of an unknown encoding's name that are told."""


class BodyTooLargeError(Exception):
    """The body is larger than is accepted."""


class BrokenBodyError(Exception):
    """The body cannot be inflated; ``str()`` says why."""


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Return a body without its content encoding; never makes more than ``limit`` bytes plus one of it.

    Only one compressed member is taken: each costs as much to begin as thousands of bytes, and no sender makes more.

    Raises:
        BodyTooLargeError: it would be larger than ``limit``.
        BrokenBodyError: it is not in that encoding, or in one that is not accepted.
    """
    if encoding not in INFLATED:
        told = encoding[:LONGEST_NAME].encode("ascii", "backslashreplace").decode()  # it may hold any byte
        raise BrokenBodyError(f'the content encoding "{told}" is none of {", ".join(sorted(INFLATED))}')
    member = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        inflated = member.decompress(body, limit + 1)
    except zlib.error:
        raise BrokenBodyError(f"the body is not valid {encoding}") from None
    if len(inflated) > limit:
        raise BodyTooLargeError
    if not member.eof:
        raise BrokenBodyError(f"the {encoding} body is cut short")
    if member.unused_data:
        raise BrokenBodyError(f"something follows the end of the {encoding} body")
    return inflated
