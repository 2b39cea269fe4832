"""Bodies are inflated within bounds, and whatever is wrong with one has a reason."""

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ingest.bodies import BodyTooLargeError, BrokenBodyError, inflate

LIMIT = 1000


@given(st.binary(max_size=LIMIT))
def test_a_body_within_the_limit_comes_back(body: bytes) -> None:
    assert inflate(gzip.compress(body), "gzip", LIMIT) == body
    assert inflate(zlib.compress(body), "deflate", LIMIT) == body


@given(st.integers(min_value=LIMIT + 1, max_value=10_000_000))
def test_a_body_beyond_the_limit_is_refused(size: int) -> None:
    with pytest.raises(BodyTooLargeError):
        inflate(zlib.compress(bytes(size)), "deflate", LIMIT)


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "x-gzip"]))
def test_any_bytes_inflate_or_are_refused_as_they_should(body: bytes, encoding: str) -> None:
    with contextlib.suppress(BrokenBodyError, BodyTooLargeError):
        assert len(inflate(body, encoding, LIMIT)) <= LIMIT


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (b"plain", "gzip", "the body is not valid gzip"),
        (b"", "gzip", "the gzip body is cut short"),
        (gzip.compress(b"whole")[:-4], "gzip", "the gzip body is cut short"),
        (gzip.compress(b"one") + gzip.compress(b"two"), "gzip", "something follows the end of the gzip body"),
        (b"", "zstd", 'the content encoding "zstd" is none of deflate, gzip, x-gzip'),
        (b"", "x" * 900, f'the content encoding "{"x" * 40}" is none of deflate, gzip, x-gzip'),
    ],
    ids=["no gzip", "nothing", "cut short", "two members", "unknown encoding", "long name"],
)
def test_what_is_wrong_is_said(body: bytes, encoding: str, reason: str) -> None:
    with pytest.raises(BrokenBodyError) as caught:
        inflate(body, encoding, LIMIT)
    assert str(caught.value) == reason
