"""Blotting secrets out of texts, in every way that a service may write them when it says what it was sent.

A service that echoes a request quotes the path of its address, the header as it came, or JSON and percent-encoding of
either. What is made of a secret gives it away as well as the secret itself.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

STARS = "***"
SHORTEST = 6
"""A shorter secret is not searched for: it would blot out innocent words, and it protects nothing."""
TELLING = 8
"""Characters from which letters and digits together are more likely a key than a word."""
LONG = 20
"""Characters from which anything is."""

_ESCAPE = re.compile("%[0-9A-F]{2}")


class Redactor:
    """Blots some secrets out of many texts: they are prepared once, and searched for in one go."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Prepare every spelling of these secrets, the longest first: one may be a part of another."""
        forms = sorted({form for secret in secrets for form in spellings(secret)}, key=len, reverse=True)
        self._forms = re.compile("|".join(map(re.escape, forms)))
        self._signs = _parts_of_all(forms)

    def redacted(self, text: str) -> str:
        """Return a text with stars in place of the secrets. Redact before cutting: half a secret is not found."""
        for sign in self._signs:  # most texts hold none, and to look for a few words takes a fifth of the expression
            if sign in text:
                return self._forms.sub(STARS, text)
        return text


def _parts_of_all(forms: Iterable[str]) -> tuple[str, ...]:
    """Return the fewest of these such that each holds one of them."""
    signs: list[str] = []
    for form in sorted(forms, key=len):
        if not any(sign in form for sign in signs):
            signs.append(form)
    return tuple(signs)


@lru_cache(maxsize=1024)
def spellings(secret: str) -> frozenset[str]:
    """Return the ways in which a text may hold a secret; none of one that is too short."""
    bare = {secret, *_parts(secret)} if "://" in secret else {secret}
    return frozenset(form for each in bare for form in _written(each) if len(form) >= SHORTEST)


def _parts(address: str) -> Iterator[str]:
    """Yield what of an address opens it elsewhere too: path and query, and in them what looks like a key."""
    try:
        url = urlsplit(address)
    except ValueError:
        return
    yield url.path
    yield f"{url.path}?{url.query}"
    pieces = [*map(unquote, url.path.split("/")), *(value for _, value in parse_qsl(url.query))]
    yield from filter(_is_telling, pieces)


def _is_telling(piece: str) -> bool:
    mixed = any(map(str.isdigit, piece)) and any(map(str.isalpha, piece))
    return len(piece) >= (TELLING if mixed else LONG)


def _written(secret: str) -> Iterator[str]:
    """Yield a secret as it is, percent-encoded, in JSON and in HTML."""
    yield secret
    for encode in (quote, quote_plus, partial(quote, safe="")):
        encoded = encode(secret, errors="replace")
        yield encoded
        yield _ESCAPE.sub(lambda found: found.group().lower(), encoded)
    for quoted in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield quoted
        yield quoted.replace("/", r"\/")
    yield html.escape(secret)
